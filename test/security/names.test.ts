import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { systemClock } from '../../core/time/clock.ts';
import { Metrics } from '../../core/telemetry/metrics.ts';
import { compileFieldPath } from '../../core/config/field_path.ts';
import { fieldOf } from '../../core/batch/field.ts';
import type { ClickHouseOptions } from '../../plugins/outputs/clickhouse/config.ts';
import { quoteName, TableName } from '../../plugins/outputs/clickhouse/table_name.ts';
import type { ElasticsearchOptions } from '../../plugins/outputs/elasticsearch/config.ts';
import {
  cleanIndexPiece,
  indexNameBytesMax,
  indexPieces,
} from '../../plugins/outputs/elasticsearch/index_name.ts';
import { FileName } from '../../plugins/outputs/file/file_name.ts';
import { plugin as file } from '../../plugins/outputs/file/index.ts';
import { RecordName } from '../../plugins/shared/record_name/record_name.ts';
import { scriptedInput, startPipeline, waitUntil } from '../../core/testing/index.ts';
import { workplace } from '../cli/run_cli.ts';
import { batchOf } from '../unit/outputs/chunk_harness.ts';

/** Texts that somebody would try, and any others. */
const hostileText = fc.oneof(
  { weight: 3, arbitrary: fc.string({ unit: 'binary', maxLength: 300 }) },
  {
    weight: 4,
    arbitrary: fc
      .array(
        fc.constantFrom(
          ...[
            '..',
            '/',
            '\\',
            '.',
            '%2e%2e',
            '\0',
            '\n',
            '`',
            "'",
            '"',
            ';',
            '*',
            ',',
            '-',
            '_',
            '~',
          ],
          ...[
            '$',
            '{',
            '}',
            '#',
            '?',
            ':',
            '<',
            '>',
            '|',
            ' ',
            '\u2028',
            '\ud800',
            '\udc00',
            'İ',
            '😀',
          ],
          ...['CON', 'nul', 'COM1', '__proto__', 'a'.repeat(255), 'ä'.repeat(200), 'DROP TABLE x'],
        ),
        { maxLength: 8 },
      )
      .map((parts) => parts.join('')),
  },
);
const hostileValue = fc.oneof(
  { weight: 6, arbitrary: hostileText },
  {
    weight: 1,
    arbitrary: fc.constantFrom(null, true, -0, 1e300, [], ['../../x'], { a: '..' }, ''),
  },
);
const hostileRecord = fc.record({ a: hostileValue, b: hostileValue }, { requiredKeys: [] });

function eachRecord(check: (root: object, tag: string) => void): void {
  fc.assert(
    fc.property(hostileRecord, hostileText, (root, tag) => check(root, tag === '' ? 'x' : tag)),
    { numRuns: 2000 },
  );
}

const counter = { value: 0 };

for (const options of [
  { index: 'app-%{a}' },
  { index: 'app-$TAG-%{b}' },
  { index: 'app-%{a}-%{+YYYY.MM.dd}' },
  { data_stream: 'app-%{a}-%{b}' },
  { logstash_format: true, logstash_prefix: 'app-', logstash_prefix_key: 'a' },
]) {
  test(`an index name never leaves its prefix: ${JSON.stringify(options)}`, () => {
    const whole = {
      logstash_format: false,
      logstash_prefix: 'x',
      logstash_prefix_separator: '-',
      logstash_dateformat: '%Y.%m.%d',
      current_time_index: false,
      ...options,
    } as unknown as ElasticsearchOptions; // What names need of them.
    const field = (text: string) => {
      const { keys, literal } = compileFieldPath(text);
      return fieldOf(keys, literal);
    };
    const names = new RecordName<string>({
      pieces: indexPieces(whole, { field, clock: systemClock }),
      clean: cleanIndexPiece,
      bytesMax: indexNameBytesMax,
      namesMax: 100_000,
      idleMs: 1000,
      clock: systemClock,
      make: (name) => name,
      missing: counter,
      beyondMax: counter,
    });
    eachRecord((root, tag) => {
      const { name } = names.entryAt(batchOf([{ root, tag }]), 0);
      assert.ok(name.startsWith('app-') && name.length > 4, name);
      assert.ok(Buffer.byteLength(name) <= 255);
      assert.equal(name, name.toLowerCase());
      // elasticsearch: MetadataCreateIndexService.validateIndexOrAliasName
      assert.doesNotMatch(name, /[\\/*?"<>|\s,#:\p{Cc}\p{Cs}]/u);
    });
  });
}

for (const table of ['app_%{a}', 'app_$TAG', 'app_%{a}_%{b}_%{+YYYY}']) {
  test(`a table never leaves its prefix: ${table}`, () => {
    const metrics = new Metrics().forComponent('output', 'x');
    const options = { table, table_names_max: 100_000 } as unknown as ClickHouseOptions; // The same.
    const names = new TableName(options, systemClock, metrics);
    eachRecord((root, tag) => {
      const name = names.of(batchOf([{ root, tag }]), 0);
      assert.match(name, /^app_[A-Za-z0-9_]+$/);
      assert.equal(quoteName(name), `\`${name}\``);
    });
  });
}

for (const { template, prefix } of [
  { template: 'app-%{a}', prefix: 'app-' },
  { template: 'logs/app-%{a}.log', prefix: `logs${sep}app-` },
  { template: 'logs/%{a}/%{b}', prefix: `logs${sep}` },
  { template: 'logs/.%{a}./%{b}', prefix: `logs${sep}.` },
  { template: 'x.%{a}%{b}', prefix: 'x.' },
  { template: '$TAG', prefix: '' },
  { template: '%{a}%{b}', prefix: '' },
]) {
  test(`a file never leaves its directory and prefix: ${template}`, () => {
    const names = new FileName(template);
    const levels = template.split('/').length;
    eachRecord((root, tag) => {
      const name = names.of(batchOf([{ root, tag }]), 0);
      const path = join('/out', name);
      assert.equal(resolve('/out', name), path, 'it is as it will be opened');
      assert.ok(path.startsWith(join('/out', sep)) && name.startsWith(prefix), name);
      const parts = name.split(sep);
      assert.equal(parts.length, levels, name);
      for (const part of parts) {
        assert.ok(part !== '' && part !== '.' && part !== '..', name);
        assert.ok(Buffer.byteLength(part) <= 255, name);
        assert.doesNotMatch(part, /[\p{Cc}\p{Cs}:*?"<>|\\]/u);
        assert.doesNotMatch(part, /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i);
      }
    });
  });
}

test('a record whose file name is a directory is a dead letter; the others are written', async (t) => {
  const directory = workplace(t);
  const input = scriptedInput();
  const pipeline = await startPipeline({
    yaml: `
service: {flush: 20ms}
pipeline:
  inputs: [{name: scripted}]
  outputs: [{name: file, path: ${directory}, file: 'logs/%{a}', match: '*'}, {name: file, alias: below, path: ${directory}, file: 'logs/taken/%{a}', match: '*'}]
`,
    plugins: [input.plugin, file],
  });
  await input.emit([{ a: 'one' }]);
  await waitUntil('the directory', () => existsSync(join(directory, 'logs/taken/one')));
  await input.emit([
    { a: 'taken' },
    { a: 'two' },
    {},
    { a: '../../../three' },
    { a: 'x'.repeat(2000) },
  ]);
  await waitUntil('the rest', () => readdirSync(join(directory, 'logs')).length === 6);
  await pipeline.stop();
  const { value } = pipeline.agent.outputs[0]!.stage.counters.deadLettered;
  assert.equal(value, 1);
  assert.deepEqual(readdirSync(directory), ['logs']);
});
