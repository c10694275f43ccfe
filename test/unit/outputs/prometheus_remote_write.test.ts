import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { ByteWriter } from '../../../core/batch/byte_writer.ts';
import { plugin } from '../../../plugins/outputs/prometheus_remote_write/index.ts';
import { searchRequestsMax } from '../../../plugins/outputs/prometheus_remote_write/refusal_search.ts';
import {
  readSeries,
  remoteWriteWire,
} from '../../../plugins/outputs/prometheus_remote_write/time_series.ts';
import { snappyDecompress } from '../../../plugins/shared/snappy/snappy.ts';
import { chunkOf, delivery, outputOf, restored, type TestEvent } from './chunk_harness.ts';

interface Request {
  readonly headers: Record<string, unknown>;
  readonly values: readonly number[];
}

/** A server that refuses some samples. What a real one does to whole requests is in test/live; this
 *  one stands for refusals that a real one gives only for clocks gone wrong. */
async function serverOf(
  t: TestContext,
  answer: (values: readonly number[], request: number) => { status: number; text?: string },
): Promise<{ port: number; requests: Request[] }> {
  const requests: Request[] = [];
  const server: Server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const body = snappyDecompress(Buffer.concat(parts), 1 << 24);
      const values = seriesIn(body).map(({ value }) => value);
      requests.push({ headers: request.headers, values });
      const { status, text = '' } = answer(values, requests.length);
      response.writeHead(status, status === 429 ? { 'retry-after': '7' } : {}).end(text);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, requests };
}

function seriesIn(body: Buffer) {
  const found = [];
  for (let at = 0; at < body.length; ) {
    let length = 0;
    let head = at + 1;
    for (let scale = 1; ; scale *= 128) {
      const byte = body[head++]!;
      length += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
    }
    found.push(readSeries(body.subarray(at, head + length)));
    at = head + length;
  }
  return found;
}

const metric = (name: string, value: unknown, labels: object = {}): TestEvent => ({
  root: { name, type: 'gauge', labels, value },
  seconds: 1_700_000_000,
  nanos: 123_456_789,
});

async function deliver(t: TestContext, port: number, events: readonly TestEvent[], options = {}) {
  const { output } = outputOf(plugin, { port, ...options });
  await output.open?.();
  t.after(() => output.close?.());
  const { chunk, rejected } = chunkOf(output.encoder, events);
  return { outcome: await output.deliver(restored(chunk), delivery()), rejected, output, chunk };
}

test('a request has the headers of the protocol and each record as a series', async (t) => {
  const { port, requests } = await serverOf(t, () => ({ status: 204 }));
  const { outcome, chunk } = await deliver(
    t,
    port,
    [metric('b', 1.5, { zone: 'ü', A: '1' }), metric('a', 'NaN')],
    { bearer_token: 'secret', header: ['X-Scope-OrgID team'], add_label: ['instance web-1'] },
  );
  assert.deepEqual(outcome, { kind: 'accepted' });
  const { headers } = requests[0]!;
  assert.equal(headers['content-type'], 'application/x-protobuf');
  assert.equal(headers['content-encoding'], 'snappy');
  assert.equal(headers['x-prometheus-remote-write-version'], '0.1.0');
  assert.equal(headers['authorization'], 'Bearer secret');
  assert.equal(headers['x-scope-orgid'], 'team');
  const [first] = seriesIn(chunk.body());
  assert.deepEqual(Object.entries(first!.labels), [
    ['A', '1'],
    ['__name__', 'b'],
    ['instance', 'web-1'],
    ['zone', 'ü'],
  ]);
  assert.equal(first!.timeMs, 1_700_000_000_123);
});

test('what is written is read again, whatever the labels, values and times', () => {
  const name = fc.stringMatching(/^[a-zA-Z_:][a-zA-Z0-9_:]{0,20}$/);
  const label = fc.stringMatching(/^[a-zA-Z][a-zA-Z0-9_]{0,20}$/);
  const wire = remoteWriteWire({});
  fc.assert(
    fc.property(
      name,
      fc.dictionary(label, fc.string({ unit: 'grapheme', minLength: 1, maxLength: 300 })),
      fc.double(),
      fc.integer({ min: -2_000_000_000, max: 4_000_000_000 }),
      (metricName, labels, value, seconds) => {
        const out = new ByteWriter();
        wire.write({ name: metricName, type: 'gauge', labels, value }, seconds, 0, out);
        const found = readSeries(out.view());
        assert.deepEqual(found.labels, { ...labels, __name__: metricName });
        assert.ok(Object.is(found.value, value));
        assert.equal(found.timeMs, seconds * 1000);
        const json = JSON.parse(wire.recordJson(out.view())) as Record<string, unknown>;
        assert.deepEqual([json['name'], json['labels']], [metricName, { ...labels }]);
      },
    ),
  );
});

test('refused samples are found and dead-lettered; the others are delivered', async (t) => {
  const bad = new Set([3, 60]);
  const { port, requests } = await serverOf(t, (values) => {
    const found = values.find((value) => bad.has(value));
    return found === undefined ? { status: 204 } : { status: 400, text: `out of order: ${found}` };
  });
  const events = Array.from({ length: 100 }, (_, k) => metric('m', k, { k: String(k) }));
  const { outcome } = await deliver(t, port, events);
  assert.equal(outcome.kind, 'partial');
  assert.deepEqual(outcome.kind === 'partial' && outcome.rejected, [
    { index: 3, reason: 'status 400: out of order: 3', status: 400 },
    { index: 60, reason: 'status 400: out of order: 60', status: 400 },
  ]);
  assert.ok(requests.length <= 30, `${requests.length} requests`);
});

test('where all is refused the search ends soon, and all is dead-lettered', async (t) => {
  const { port, requests } = await serverOf(t, () => ({ status: 400, text: 'too old' }));
  const events = Array.from({ length: 500 }, (_, k) => metric('m', k));
  const { outcome } = await deliver(t, port, events);
  assert.equal(outcome.kind === 'partial' && outcome.rejected.length, 500);
  assert.ok(requests.length <= searchRequestsMax + 3, `${requests.length} requests`);
});

test('a server that becomes busy in the search gets the whole chunk again later', async (t) => {
  const { port } = await serverOf(t, (_values, request) => ({ status: request === 1 ? 400 : 429 }));
  const { outcome } = await deliver(t, port, [metric('a', 1), metric('b', 2)]);
  assert.equal(outcome.kind, 'retry');
  assert.equal(outcome.kind === 'retry' && outcome.afterMs, 7000);
});

const answers: readonly [status: number, kind: string][] = [
  [200, 'accepted'],
  [204, 'accepted'],
  [400, 'rejected'],
  [401, 'retry'],
  [404, 'retry'],
  [413, 'split'],
  [429, 'retry'],
  [500, 'retry'],
  [503, 'retry'],
];

for (const [status, kind] of answers) {
  test(`the answer ${status} to one sample means ${kind}`, async (t) => {
    const { port } = await serverOf(t, () => ({ status }));
    assert.equal((await deliver(t, port, [metric('a', 1)])).outcome.kind, kind);
  });
}

test('a server that is not there is tried again', async (t) => {
  const { port } = await serverOf(t, () => ({ status: 200 }));
  const { outcome } = await deliver(t, port === 1 ? 2 : 1, [metric('a', 1)]);
  assert.equal(outcome.kind, 'retry');
});
