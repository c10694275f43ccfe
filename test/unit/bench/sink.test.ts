import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { answerTo, isItemised } from '../../../bench/sink/answers.ts';
import { MarkScanner } from '../../../bench/sink/mark_scanner.ts';
import { RecordSet } from '../../../bench/sink/record_set.ts';
import { SinkProcess } from '../../../bench/sink/sink_process.ts';
import { SnappyBlockDecoder } from '../../../bench/sink/snappy_block.ts';
import { SnappyCompressor } from '../../../plugins/shared/snappy/snappy.ts';

const mark = (number: number): string => `~${String(number).padStart(10, '0')}`;

describe('the sink', () => {
  it('finds every number wherever a body is cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(5_000_000), fc.string({ maxLength: 12 }))),
        fc.array(fc.nat(40), { maxLength: 60 }),
        (records, sizes) => {
          const body = Buffer.from(records.map(([n, text]) => `${text}${mark(n)}`).join(' '));
          const found: number[] = [];
          const scanner = new MarkScanner((number) => found.push(number));
          let at = 0;
          for (const size of sizes) {
            scanner.part(body.subarray(at, at + size));
            at += size;
          }
          scanner.part(body.subarray(at));
          scanner.end();
          assert.deepEqual(
            found,
            records.map(([n]) => n),
          );
        },
      ),
    );
  });

  it('takes a tilde without ten digits for text, and forgets a mark that a body cuts', () => {
    const found: number[] = [];
    const scanner = new MarkScanner((number) => found.push(number));
    scanner.part(Buffer.from(`~user ~12 ~~${mark(7)} ~00000`));
    scanner.end();
    scanner.part(Buffer.from('00008'));
    scanner.end();
    assert.deepEqual(found, [7]);
  });

  it('counts what is lost, twice there, and not to come', () => {
    const records = new RecordSet({ lines: 7, dropped: Uint8Array.of(0, 1, 0) });
    assert.equal(records.expectedCount, 5);
    for (const number of [0, 0, 1, 3, 3, 3, 9]) records.add(number);
    assert.deepEqual(records.counts(), { arrived: 2, duplicates: 3, unexpected: 2, lost: 3 });
    assert.deepEqual(records.firstLost(2), [2, 5]);
  });

  it('decodes what the snappy compressor wrote', () => {
    const decoder = new SnappyBlockDecoder();
    const compressor = new SnappyCompressor();
    const bodies = [
      Buffer.from('a'),
      Buffer.from('abc'.repeat(50_000)),
      Buffer.from(Array.from({ length: 30_000 }, (_, i) => `${mark(i)} GET /x ${i % 7}`).join()),
      Buffer.from(Uint8Array.from({ length: 100_000 }, (_, i) => (i * i * 31) >> 3)),
    ];
    for (const body of bodies) {
      const block = Buffer.from(compressor.compress(body));
      assert.ok(decoder.decode(block).equals(body));
    }
    assert.throws(() => decoder.decode(Buffer.from([5, 0x01, 0x09])));
  });

  it('answers bulk requests with what filter_path leaves', () => {
    const body = (path: string, records: number): string => answerTo('POST', path, records).body;
    assert.equal(body('/_bulk?filter_path=errors', 3), '{"errors":false}');
    assert.deepEqual(
      JSON.parse(body('/_bulk?filter_path=errors,items.*.status,items.*.error', 2)),
      { errors: false, items: [{ create: { status: 201 } }, { create: { status: 201 } }] },
    );
    assert.equal(body('/x/_bulk?filter_path=items.*.error', 2), '{}');
    assert.equal(JSON.parse(body('/_bulk', 4)).items.length, 4);
    assert.equal(body('/_bulk?filter_path=errors,items.*.error.type', 3), '{"errors":false}');
    assert.equal(isItemised('/_bulk?filter_path=errors,items.*.error.type'), false);
    assert.equal(isItemised('/_bulk'), true);
  });

  it('as a process, reports the exact set for all the protocols', async () => {
    const sink = await SinkProcess.start();
    try {
      const url = `http://127.0.0.1:${sink.port}`;
      await sink.plan({ lines: 6, dropped: Buffer.from([0, 0, 1]).toString('base64') });
      const post = (
        path: string,
        body: string | Uint8Array<ArrayBuffer>,
        type: string,
      ): Promise<Response> =>
        fetch(url + path, { method: 'POST', body, headers: { 'content-type': type } });
      const bulk = await post(
        '/_bulk',
        `{"create":{}}\n{"a":"${mark(0)}"}\n`,
        'application/x-ndjson',
      );
      assert.equal(((await bulk.json()) as { items: unknown[] }).items.length, 1);
      const json = `{"streams":[{"values":[["1","${mark(1)}"]]}]}`;
      const push = await post('/loki/api/v1/push', json, 'application/json');
      assert.equal(push.status, 204);
      const snappy = Uint8Array.from(new SnappyCompressor().compress(Buffer.from(`x${mark(3)}`)));
      await post('/loki/api/v1/push', snappy, 'application/x-protobuf');
      const insert = await post('/?query=INSERT', `{"a":"${mark(4)}"}\n${mark(4)}`, 'text/plain');
      assert.equal(insert.status, 200);
      const report = await sink.report();
      assert.deepEqual(
        [report.expected, report.arrived, report.lost, report.duplicates, report.unexpected],
        [4, 4, 0, 1, 0],
      );
      assert.equal(report.requests, 4);
    } finally {
      await sink.stop();
    }
  });
});
