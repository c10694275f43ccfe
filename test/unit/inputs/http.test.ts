import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { BodyWindow } from '../../../plugins/inputs/http/body_window.ts';
import { JsonCutter } from '../../../plugins/inputs/http/json_cutter.ts';
import { LineCutter } from '../../../plugins/inputs/http/line_cutter.ts';
import { type RecordCutter, RecordSpans } from '../../../plugins/inputs/http/record_spans.ts';
import { withRig } from './http_harness.ts';

const lines = { 'content-type': 'application/x-ndjson' };
const json = { 'content-type': 'application/json' };

const accepted: readonly {
  name: string;
  body: string | Buffer;
  headers: Record<string, string>;
  texts: readonly string[];
}[] = [
  { name: 'JSON lines', body: '{"a":1}\n{"a":2}\n', headers: lines, texts: ['{"a":1}', '{"a":2}'] },
  {
    name: 'JSON lines with CRLF, empty lines and no newline at the end',
    body: '\r\n{"a": 1}\r\n\n   \n{"b":"x"}',
    headers: lines,
    texts: ['{"a": 1}', '{"b":"x"}'],
  },
  {
    name: 'an array, with numbers and escapes as they are written',
    body: '[ {"n": 1.10, "big": 12345678901234567890},\n {"s":"\\u00e9 ]},{ \\" \\\\"} ]',
    headers: json,
    texts: ['{"n": 1.10, "big": 12345678901234567890}', '{"s":"\\u00e9 ]},{ \\" \\\\"}'],
  },
  {
    name: 'one object over several lines',
    body: '{\n "a": [1,\n 2]\n}\n',
    headers: json,
    texts: ['{\n "a": [1,\n 2]\n}'],
  },
  {
    name: 'objects without anything between them',
    body: '{"a":1}{"b":2}',
    headers: json,
    texts: ['{"a":1}', '{"b":2}'],
  },
  { name: 'an object without a content type', body: '{"a":1}', headers: {}, texts: ['{"a":1}'] },
  {
    name: 'a suffix of JSON',
    body: '[{"a":1}]',
    headers: { 'content-type': 'application/cloudevents+json; charset=UTF-8' },
    texts: ['{"a":1}'],
  },
  { name: 'a byte order mark', body: '\ufeff[{"a":1}]', headers: json, texts: ['{"a":1}'] },
  {
    name: 'text',
    body: 'one\r\n\n{two}\nthree',
    headers: { 'content-type': 'text/plain' },
    texts: ['{"log":"one"}', '{"log":"{two}"}', '{"log":"three"}'],
  },
  {
    name: 'gzip',
    body: gzipSync('[{"a":1},{"a":2}]'),
    headers: { ...json, 'content-encoding': 'gzip' },
    texts: ['{"a":1}', '{"a":2}'],
  },
  {
    name: 'gzip of two members',
    body: Buffer.concat([gzipSync('{"a":1}\n'), gzipSync('{"a":2}\n')]),
    headers: { ...lines, 'content-encoding': 'gzip' },
    texts: ['{"a":1}', '{"a":2}'],
  },
  { name: 'an empty body', body: '', headers: lines, texts: [] },
  { name: 'an empty array', body: ' [ ] ', headers: json, texts: [] },
];

for (const { name, body, headers, texts } of accepted) {
  test(`the http input takes ${name}`, () =>
    withRig(async (rig) => {
      const answer = await rig.post(body, headers);
      assert.deepEqual(
        { status: answer.status, body: answer.body },
        { status: 200, body: { accepted: texts.length } },
      );
      // The encoder leaves out what stands between members.
      assert.deepEqual(
        rig.texts.map((text) => JSON.parse(text)),
        texts.map((text) => JSON.parse(text)),
      );
      assert.deepEqual(
        rig.sent.map(({ offset }) => offset),
        texts.map((_, index) => index),
      );
      assert.equal(rig.openSources, 0);
    }));
}

test('numbers keep their digits', () =>
  withRig(async (rig) => {
    await rig.post('[{"n": 1.10, "big": 12345678901234567890}]', json);
    assert.match(rig.texts[0]!, /1\.10.*12345678901234567890/);
  }));

const broken: readonly {
  name: string;
  body: string | Buffer;
  headers: Record<string, string>;
  texts: readonly string[];
  error: RegExp;
}[] = [
  {
    name: 'a record that is no JSON in an array',
    body: '[{"a":1},{"a":},{"a":3}]',
    headers: json,
    texts: ['{"a":1}'],
    error: /Record 1 is not valid JSON/,
  },
  {
    name: 'a missing comma',
    body: '[{"a":1} {"a":2}]',
    headers: json,
    texts: ['{"a":1}'],
    error: /after record 0/,
  },
  {
    name: 'two commas',
    body: '[{"a":1},,{"a":2}]',
    headers: json,
    texts: ['{"a":1}'],
    error: /after record 0/,
  },
  {
    name: 'a comma before the end',
    body: '[{"a":1},]',
    headers: json,
    texts: ['{"a":1}'],
    error: /after record 0/,
  },
  {
    name: 'a bracket too many',
    body: '[{"a":1}]]',
    headers: json,
    texts: ['{"a":1}'],
    error: /after record 0/,
  },
  {
    name: 'a wrong bracket',
    body: '[{"a":1}}',
    headers: json,
    texts: ['{"a":1}'],
    error: /after record 0/,
  },
  {
    name: 'an array that ends early',
    body: '[{"a":1},',
    headers: json,
    texts: ['{"a":1}'],
    error: /ends in the middle, after record 0/,
  },
  {
    name: 'a record that ends early',
    body: '{"a":1}{"a":"',
    headers: json,
    texts: ['{"a":1}'],
    error: /ends in the middle, after record 0/,
  },
  { name: 'words', body: 'hello', headers: json, texts: [], error: /Record 0 is not valid JSON/ },
  {
    name: 'gzip that ends early',
    body: gzipSync('{"a":1}\n{"a":2}\n').subarray(0, -10),
    headers: { ...lines, 'content-encoding': 'gzip' },
    texts: ['{"a":1}', '{"a":2}'],
    error: /gzip/,
  },
  {
    name: 'no gzip at all',
    body: '{"a":1}\n',
    headers: { ...lines, 'content-encoding': 'gzip' },
    texts: [],
    error: /gzip/,
  },
];

for (const { name, body, headers, texts, error } of broken) {
  test(`the http input takes what stands before ${name}, and says where it is`, () =>
    withRig(async (rig) => {
      const answer = await rig.post(body, headers);
      assert.equal(answer.status, 400);
      assert.match(String(answer.body['error']), error);
      assert.equal(answer.body['accepted'], rig.sent.length);
      if (!name.startsWith('gzip')) assert.deepEqual(rig.texts, texts);
    }));
}

test('a bad line is refused alone, and named by its index', () =>
  withRig(async (rig) => {
    const body = Buffer.concat([
      Buffer.from('{"a":1}\n{"a":\n[1]\n\n'),
      Buffer.from('{"a":"\xff"}\n', 'latin1'),
      Buffer.from(`${'{"a":'.repeat(600)}1${'}'.repeat(600)}\n{"a":5}\n`),
    ]);
    const answer = await rig.post(body, lines);
    assert.equal(answer.status, 400);
    assert.equal(answer.body['accepted'], 2);
    assert.equal(answer.body['rejected'], 4);
    const rejections = answer.body['rejections'] as { index: number; reason: string }[];
    assert.deepEqual(
      rejections.map(({ index }) => index),
      [1, 2, 3, 4],
    );
    assert.match(rejections[1]!.reason, /no JSON object/);
    assert.match(rejections[2]!.reason, /UTF-8/);
    assert.match(rejections[3]!.reason, /deep/);
    assert.deepEqual(
      rig.sent.map(({ text, offset }) => [text, offset]),
      [
        ['{"a":1}', 0],
        ['{"a":5}', 5],
      ],
    );
  }));

test('an element that is no object is refused alone', () =>
  withRig(async (rig) => {
    const answer = await rig.post('[1,"x",{"a":1},null,[2]]', json);
    assert.equal(answer.status, 400);
    assert.equal(answer.body['rejected'], 4);
    assert.deepEqual(rig.texts, ['{"a":1}']);
  }));

test('a record at the limit is taken, one past it refused without being held', () =>
  withRig(
    async (rig) => {
      const record = (bytes: number) => `{"a":"${'x'.repeat(bytes - 8)}"}`;
      for (const [headers, body] of [
        [lines, `${record(1000)}\n${record(1001)}\n${record(900_000)}\n{"b":1}`],
        [json, `[${record(1000)},${record(1001)},${record(900_000)},{"b":1}]`],
      ] as const) {
        rig.sent.length = 0;
        const answer = await rig.post(body, headers);
        assert.equal(answer.body['rejected'], 2);
        assert.deepEqual(rig.texts, [record(1000), '{"b":1}']);
      }
    },
    {},
    { eventBytesMax: 1000 },
  ));

test('a large body goes through small batches in order', () =>
  withRig(
    async (rig) => {
      const records = Array.from(
        { length: 5000 },
        (_, n) => `{"n":${n},"s":"${'y'.repeat(n % 90)}"}`,
      );
      for (const [headers, body] of [
        [lines, records.join('\n')],
        [json, `[${records.join(', ')}]`],
      ] as const) {
        rig.sent.length = 0;
        assert.equal((await rig.post(body, headers)).body['accepted'], records.length);
        assert.deepEqual(rig.texts, records);
      }
      assert.ok(rig.batches > 20);
    },
    {},
    { slotBytes: 16_384 },
  ));

test('a record that is larger than a batch gets one of its own', () =>
  withRig(
    async (rig) => {
      const large = `{"a":"${'x'.repeat(50_000)}"}`;
      await rig.post(`[{"b":1},${large},{"b":2}]`, json);
      assert.deepEqual(rig.texts, ['{"b":1}', large, '{"b":2}']);
      assert.equal(rig.largestBatchBytes, large.length);
    },
    {},
    { slotBytes: 16_384 },
  ));

const tagged: readonly { path: string; headers: Record<string, string>; tag: string }[] = [
  { path: '/', headers: {}, tag: 'http.0' },
  { path: '/app.log?x=1', headers: {}, tag: 'app.log' },
  { path: '/a/b c%20', headers: {}, tag: 'a_b_c_20' },
  { path: '/path', headers: { 'x-tag': 'from header' }, tag: 'from_header' },
];

for (const { path, headers, tag } of tagged) {
  test(`the tag of ${path} with ${JSON.stringify(headers)} is ${tag}`, () =>
    withRig(
      async (rig) => {
        await rig.post('{"a":1}', { ...lines, ...headers }, path.replace(' ', '*'));
        assert.equal(rig.sent[0]?.tag, tag);
      },
      { tag_header: 'X-Tag' },
    ));
}

test('a field of the record may give the tag', () =>
  withRig(
    async (rig) => {
      await rig.post('{"t":"x.y"}\n{"a":1}\n{"t":"x.y"}', lines, '/path');
      assert.deepEqual(
        rig.sent.map(({ tag }) => tag),
        ['x.y', 'path', 'x.y'],
      );
    },
    { tag_key: 't' },
  ));

test('the same Idempotency-Key gives the same origin, another or none does not', () =>
  withRig(async (rig) => {
    for (const key of ['one', 'one', 'two']) {
      await rig.post('{"a":1}', { ...lines, 'idempotency-key': key });
    }
    await rig.post('{"a":1}', lines);
    const [first, again, other, none] = rig.sent.map(({ generation }) => generation);
    assert.match(first!, /^[0-9a-f]{32}$/);
    assert.equal(first, again);
    assert.notEqual(first, other);
    assert.equal(none, 'random');
  }));

test('records are found however a body is cut into pieces', () => {
  const record = fc.json({ maxDepth: 3 }).map((text) => `{"v":${text}}`);
  const gap = fc.constantFrom('', ' ', '\r\n', '\t');
  fc.assert(
    fc.property(
      fc.array(fc.tuple(record, gap)),
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
      (records, sizes) => {
        const texts = records.map(([text]) => text);
        const array = `[${records.map(([text, space]) => space + text + space).join(',')}]`;
        assert.deepEqual(cutAll(new JsonCutter(), array, sizes), texts);
        assert.deepEqual(cutAll(new JsonCutter(), texts.join(' '), sizes), texts);
        assert.deepEqual(cutAll(new LineCutter(), texts.join('\n'), sizes), texts);
      },
    ),
  );
});

function cutAll(cutter: RecordCutter, text: string, sizes: readonly number[]): string[] {
  const window = new BodyWindow({ bytes: 0, bytesMax: 1e9 });
  const spans = new RecordSpans();
  const bytes = Buffer.from(text);
  const found: string[] = [];
  const look = (isLast: boolean) => {
    let hasMore = true;
    while (hasMore) {
      spans.count = 0;
      hasMore = cutter.cut(window, spans, isLast);
      for (let i = 0; i < spans.count; i++) {
        found.push(window.bytes.toString('utf8', spans.starts[i], spans.ends[i]));
      }
    }
    const { keepFrom } = cutter;
    window.release(keepFrom);
    cutter.shift(keepFrom);
  };
  for (let at = 0, k = 0; at < bytes.length; k++) {
    const size = sizes[k % sizes.length]!;
    window.append(bytes.subarray(at, at + size));
    look(false);
    at += size;
  }
  look(true);
  return found;
}
