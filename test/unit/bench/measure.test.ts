import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { MeasuredProcess } from '../../../bench/measure/measured_process.ts';
import { median, quantile } from '../../../bench/measure/statistics.ts';
import { scenariosNamed } from '../../../bench/scenarios/index.ts';
import { parseBytes, parseCount } from '../../../bench/sizes.ts';
import { capturedRecords } from '../../../bench/verify/captured_records.ts';
import { recordCheck } from '../../../bench/verify/record_check.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sluice-measure-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe('a measured process', { skip: process.platform !== 'linux' && 'needs /proc' }, () => {
  it('is charged for itself and the children it waited for, also once it has ended', async () => {
    const burn = 'let s = Date.now(); while (Date.now() - s < 400);';
    const measured = await MeasuredProcess.start({
      command: ['/bin/sh', '-c', `'${process.execPath}' -e '${burn}'; true`],
      cwd: directory,
      logPath: join(directory, 'log'),
    });
    while (measured.isRunning()) {
      measured.usage();
      await wait(10);
    }
    const { cpuSeconds, peakRssBytes, processes } = measured.usage();
    await measured.stop();
    assert.equal(processes, 0);
    // On a busy machine the loop gets less than its 400 ms.
    assert.ok(cpuSeconds > 0.02 && cpuSeconds < 5, `${cpuSeconds} s`);
    assert.ok(peakRssBytes > 20e6, `${peakRssBytes} bytes`);
  });
});

describe('figures', () => {
  it('medians and quantiles', () => {
    assert.equal(median([5, 1, 3]), 3);
    assert.equal(median([4, 1, 3, 2]), 2.5);
    assert.equal(quantile([10, 20, 30, 40, 50], 0.9), 46);
    assert.ok(Number.isNaN(median([])));
  });

  it('sizes as people write them', () => {
    assert.deepEqual(['2GB', '400 mb', '1.5KB', '7'].map(parseBytes), [2e9, 4e8, 1500, 7]);
    assert.equal(parseCount('2_000_000'), 2e6);
    for (const text of ['', 'GB', '2TB', '-1MB']) assert.throws(() => parseBytes(text), /size/);
    for (const text of ['0', '1.5', 'x']) assert.throws(() => parseCount(text), /number/);
  });

  it('a scenario’s name stands for its variants', () => {
    assert.deepEqual(
      scenariosNamed(['S1', 'S3']).map(({ id }) => id),
      ['S1', 'S3.json', 'S3.protobuf'],
    );
    assert.throws(() => scenariosNamed(['S11']), /no scenario S11/);
  });
});

describe('verification', () => {
  const line =
    '1.2.3.4 - - [10/Oct/2026:13:00:07 +0000] "GET /a?r=~0000000001 HTTP/1.1" 200 12 "-" "curl/8"';
  const good = {
    ...{ clientip: '1.2.3.4', ident: '-', auth: '-', verb: 'GET', request: '/a?r=~0000000001' },
    ...{ httpversion: '1.1', response: '200', bytes: '12', referrer: '"-"', agent: '"curl/8"' },
    '@timestamp': '2026-10-10T13:00:07.000000000Z',
  };

  it('takes a record that says what its line says', () => {
    const check = recordCheck(scenariosNamed(['S1'])[0]!);
    assert.equal(check(good, [line]), undefined);
    const malformed = 'connection reset ~0000000002';
    assert.equal(check({ log: malformed, tags: ['_grokparsefailure'] }, [malformed]), undefined);
  });

  const wrong: [string, object][] = [
    ['another value', { ...good, response: '500' }],
    ['another time', { ...good, '@timestamp': '2026-10-10T13:00:08Z' }],
    ['a field is gone', { ...good, agent: undefined }],
    ['the line was not parsed', { log: line }],
  ];
  for (const [name, record] of wrong) {
    it(`refuses a record: ${name}`, () => {
      const check = recordCheck(scenariosNamed(['S1'])[0]!);
      assert.notEqual(check(record as Record<string, unknown>, [line]), undefined);
    });
  }

  it('refuses bodies that are not what the protocol asks for', () => {
    const capture = (body: string, url: string): unknown[] => {
      writeFileSync(join(directory, '1.body'), body);
      writeFileSync(join(directory, '1.url'), url);
      return [...capturedRecords(directory)];
    };
    assert.deepEqual(capture('{"create":{}}\n{"a":1}\n', '/_bulk'), [{ a: 1 }]);
    assert.throws(() => capture('{"create":{}}\n{"a":1}', '/_bulk'), /line feed/);
    assert.throws(() => capture('{"create":{}}\n\n', '/_bulk'), /without a document/);
    assert.throws(() => capture('{"create":{}}\n{"a":1,}\n', '/_bulk'), /no JSON/);
    assert.throws(() => capture('\x09abc', '/?query=INSERT FORMAT RowBinary'), /request 1/);
  });
});
