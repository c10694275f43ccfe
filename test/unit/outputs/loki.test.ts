import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { Chunk } from '../../../core/chunk/chunk.ts';
import { type Clock, systemClock } from '../../../core/time/clock.ts';
import { plugin } from '../../../plugins/outputs/loki/index.ts';
import {
  jsonFormat,
  nanosText,
  protobufFormat,
} from '../../../plugins/outputs/loki/push_format.ts';
import { groupsOf, PushPlan, streamsOf } from '../../../plugins/outputs/loki/push_plan.ts';
import { namedTimes, verdictOf } from '../../../plugins/outputs/loki/verdict.ts';
import { emptyBatch, kernelForTest, putTexts } from '../kernel/batches.ts';
import { chunkOf, outputOf, problemsOf, restored, type TestEvent } from './chunk_harness.ts';

type Options = Readonly<Record<string, unknown>>;

interface Pushed {
  readonly stream: Record<string, string>;
  readonly values: [ns: string, line: string, metadata?: Record<string, string>][];
}

/** What a push of these events has, tenants aside. */
function pushOf(options: Options, events: readonly TestEvent[]): Pushed[] {
  const { output } = outputOf(plugin, { format: 'json', ...options });
  const { chunk } = chunkOf(output.encoder, events);
  const all = Array.from({ length: chunk.count }, (_, i) => i);
  // The format's own shape.
  const body = JSON.parse(Buffer.concat(jsonFormat.body(streamsOf(chunk, all))).toString()) as {
    streams: Pushed[];
  };
  return body.streams;
}

const lineOf = (options: Options, root: object | string): string =>
  pushOf(options, [{ root }])[0]!.values[0]![1];

test('a push in protobuf is the message to the byte', () => {
  const { output } = outputOf(plugin, { labels: ['job=a', '$l'], structured_metadata: ['t=x'] });
  const { chunk } = chunkOf(output.encoder, [
    { root: '{"l":"é"}', seconds: 300, nanos: 1 },
    { root: '{"l":"é"}', seconds: -1, nanos: 0 },
  ]);
  const pair = Buffer.from('\x1a\x06\x0a\x01t\x12\x01x', 'latin1');
  const line = Buffer.concat([Buffer.from([0x12, 10]), Buffer.from('{"l":"é"}')]);
  const time = Buffer.from([0x0a, 5, 0x08, 0xac, 0x02, 0x10, 1]);
  const before = Buffer.from([0x0a, 11, 0x08, ...Array(9).fill(0xff), 0x01]);
  const labels = Buffer.from('{job="a", l="é"}');
  const stream = Buffer.concat([
    Buffer.from([0x0a, labels.length]),
    labels,
    ...[time, before].map((stamp) =>
      Buffer.concat([
        Buffer.from([0x12, stamp.length + line.length + pair.length]),
        stamp,
        line,
        pair,
      ]),
    ),
  ]);
  const expected = Buffer.concat([Buffer.from([0x0a, stream.length]), stream]);
  const bodyOf = (of: Chunk): string =>
    Buffer.concat(protobufFormat().body(streamsOf(of, [0, 1]))).toString('hex');
  assert.equal(bodyOf(chunk), expected.toString('hex'));
  assert.equal(bodyOf(restored(chunk)), bodyOf(chunk));
});

test('labels come from fixed values, fields and templates, under names that Loki takes', () => {
  const options = {
    labels: ['job=app', '$level', "$k8s['pod-name']", '9th=$a', 'both=$level-$TAG'],
    label_keys: ['host'],
  };
  const streams = pushOf(options, [
    { root: { level: 'warn', k8s: { 'pod-name': 'p' }, a: 1.5, host: 'h"\n' }, tag: 'web' },
    { root: { level: '', host: null } },
  ]);
  assert.deepEqual(
    streams.map(({ stream }) => stream),
    [
      { _9th: '1.5', both: 'warn-web', host: 'h"\n', job: 'app', k8s_pod_name: 'p', level: 'warn' },
      { both: '-test', job: 'app' },
    ],
  );
  assert.deepEqual(pushOf({}, [{ root: {} }])[0]!.stream, { job: 'sluice' });
  assert.deepEqual(pushOf({ labels: ['$a'] }, [{ root: {} }])[0]!.stream, { job: 'sluice' });
});

test('values that look like two values, or like none, have streams of their own', () => {
  const options = { labels: ['$a', '$b'] };
  const roots = [{ a: 'x\0y' }, { a: 'x', b: 'y\u0001' }, { a: 'x', b: 'y' }];
  const pushed = pushOf(
    options,
    roots.map((root) => ({ root })),
  );
  assert.deepEqual(
    pushed.map(({ stream }) => stream),
    roots,
  );
});

test('a label has a question mark where bytes were no text: Loki refuses the usual sign', () => {
  for (const a of ['x\ud800', 'x\ufffd']) {
    assert.deepEqual(pushOf({ labels: ['$a'] }, [{ root: { a } }])[0]!.stream, { a: 'x?' });
  }
});

test('a label map names the fields of a record', async (t: TestContext) => {
  const directory = await mkdtemp(join(tmpdir(), 'loki-'));
  t.after(() => rm(directory, { recursive: true }));
  await writeFile(join(directory, 'map.json'), '{"sub":{"stream":"from","deep":{"id":"the id"}}}');
  const made = outputOf(
    plugin,
    { format: 'json', label_map_path: 'map.json' },
    { baseDirectory: directory },
  );
  const { chunk } = chunkOf(made.output.encoder, [
    { root: { sub: { stream: 'out', deep: { id: 7 } } } },
  ]);
  assert.equal(chunk.sections[0]!.key, '\n{"from":"out","the_id":"7"}');
  assert.throws(
    () => outputOf(plugin, { label_map_path: 'none.json' }, { baseDirectory: directory }),
    { code: 'SLUICE_OPTION_INVALID' },
  );
});

test('the line is the record, what is left of it, or its only value', () => {
  const cases: [options: Options, root: object | string, line: string][] = [
    [{}, '{"a":1.0, "b":"é"}', '{"a":1.0, "b":"é"}'],
    [{ remove_keys: ['a', "$b['c']"] }, { a: 1, b: { c: 2, d: 3 } }, '{"b":{"d":3}}'],
    [{ remove_keys: ['a.b'] }, { 'a.b': 1, a: { b: 2, c: 3 } }, '{"a":{"c":3}}'],
    [{ drop_single_key: 'on' }, { log: 'x "y"' }, '"x \\"y\\""'],
    [{ drop_single_key: true }, { log: { a: 1 } }, '{"a":1}'],
    [{ drop_single_key: 'raw' }, { log: 'x "y" é' }, 'x "y" é'],
    [{ drop_single_key: 'raw', remove_keys: ['a'] }, { a: 1, log: 'x' }, 'x'],
    [{ drop_single_key: 'raw' }, { log: 'x', b: 1 }, '{"log":"x","b":1}'],
    [{ drop_single_key: 'raw' }, {}, '{}'],
    [
      { line_format: 'key_value' },
      { a: 1, b: 'x "y"', c: [1], d: null },
      'a=1 b="x \\"y\\"" c="[1]" d=null',
    ],
    [{ line_format: 'key_value', drop_single_key: 'on' }, { a: 'x' }, '"x"'],
    [{ line_format: 'key_value', drop_single_key: 'raw' }, { a: 'x' }, 'x'],
  ];
  for (const [options, root, line] of cases) assert.equal(lineOf(options, root), line);
});

test('metadata comes from fields and maps, an explicit one first', () => {
  const options = {
    structured_metadata: ['$trace_id', 'fixed=1', 'k=$explicit'],
    structured_metadata_map_keys: ['$map', '$missing', '$text'],
  };
  const root = {
    trace_id: 'a\ud800',
    explicit: 'e',
    text: 'no map',
    map: { k: 'm', 'x-y': [1], z: 'é' },
  };
  assert.deepEqual(pushOf(options, [{ root }])[0]!.values[0]![2], {
    k: 'e',
    x_y: '[1]',
    z: 'é',
    trace_id: 'a\ufffd',
    fixed: '1',
  });
  assert.equal(pushOf({}, [{ root }])[0]!.values[0]!.length, 2);
});

test('a dead letter is the record, with the metadata that was taken out of it', () => {
  for (const format of ['json', 'protobuf']) {
    const cases: [options: Options, root: object | string, record: string][] = [
      [{}, '{"a":12345678901234567890}', '{"a":12345678901234567890}'],
      [
        { remove_keys: ['t', 'a'], structured_metadata: ['$t', '$b'] },
        { t: 'x', b: 1 },
        '{"b":1,"t":"x"}',
      ],
      [{ remove_keys: ['t'], structured_metadata: ['$t'] }, { t: 'x' }, '{"t":"x"}'],
      [{ drop_single_key: 'raw' }, { log: 'text é' }, '{"log":"text é"}'],
      [{ line_format: 'key_value' }, { a: 'b' }, '{"log":"a=\\"b\\""}'],
    ];
    for (const [options, root, record] of cases) {
      const { output } = outputOf(plugin, { format, ...options });
      const { chunk } = chunkOf(output.encoder, [{ root }]);
      assert.equal(output.encoder.recordJson(chunk.recordAt(0)), record);
    }
  }
});

test('a dead letter is the whole record, with what went into the labels', () => {
  for (const format of ['json', 'protobuf'] as const) {
    const { output } = outputOf(plugin, {
      format,
      labels: ['job=x', '$app', "zone=$k8s['zone']", 'mixed=a$app'],
      remove_keys: ['app', '$k8s', 'gone'],
    });
    const root = { app: 'a "b", c="d"', k8s: { zone: 'é' }, gone: 1, text: 'x' };
    const { chunk } = chunkOf(output.encoder, [{ root }]);
    const record = output.encoder.recordJson(chunk.recordAt(0), chunk.sectionOf(0));
    assert.deepEqual(JSON.parse(record), { text: 'x', app: root.app, k8s: root.k8s });
  }
});

test('sets of labels beyond the limit of the hour go with the fixed labels', () => {
  let nowMs = 0;
  const clock: Clock = { ...systemClock, monotonicMs: () => nowMs };
  const made = outputOf(
    plugin,
    { format: 'json', labels: ['job=x', '$user', '$zone'], label_sets_max: 2 },
    { clock },
  );
  const keys = (users: readonly string[]): string[] => {
    const { chunk } = chunkOf(
      made.output.encoder,
      users.map((user) => ({ root: { user, zone: 'z' } })),
    );
    return chunk.sections.map(({ key, count }) => `${key.trim()} ${count}`);
  };
  const own = (user: string, count: number): string =>
    `{"job":"x","user":"${user}","zone":"z"} ${count}`;
  assert.deepEqual(keys(['a', 'b', 'c', 'a', 'd']), [own('a', 2), own('b', 1), '{"job":"x"} 2']);
  assert.equal(made.counters.get('sluice_loki_label_sets_limited_total')!.value, 2);
  assert.equal(made.log.length, 1);
  nowMs = 3_599_999;
  assert.deepEqual(keys(['c']), ['{"job":"x"} 1']);
  assert.equal(made.log.length, 1);
  nowMs = 3_600_000;
  assert.deepEqual(keys(['c', 'd', 'a']), [own('c', 1), own('d', 1), '{"job":"x"} 1']);
  const long = 'é'.repeat(1025);
  assert.deepEqual(keys([long]), ['{"job":"x"} 1']);
});

test('a batch in the memory of the kernel gives the same bytes', () => {
  const kernel = kernelForTest();
  const options = { labels: ['job=x', '$l'], structured_metadata: ['$t'], tenant_id_key: 'tenant' };
  const roots = Array.from({ length: 300 }, (_, i) =>
    JSON.stringify({
      l: `l${i % 7}`,
      t: i,
      tenant: i % 50 === 3 ? 'a/b' : 'ok',
      text: 'é'.repeat(i),
    }),
  );
  const bodies = [kernel, undefined].map((used) => {
    const { output } = outputOf(plugin, options, { kernel: used });
    const batch = emptyBatch(used);
    const { starts, ends } = putTexts(batch, roots);
    for (const [index, start] of starts.entries()) batch.setRoot(index, start, ends[index]!);
    const chunk = new Chunk('test');
    const rejected: number[] = [];
    output.encoder.encode(batch, batch.select, {
      appendRun: (key, run) => chunk.appendRun(key, run),
      reject: (_batch, index) => rejected.push(index),
    });
    assert.deepEqual(rejected, [3, 53, 103, 153, 203, 253]);
    assert.ok(batch.select.subarray(0, batch.count).every((selected) => selected === 1));
    assert.equal(chunk.count, 294);
    return [chunk.sections.map(({ key }) => key), chunk.body().toString('hex')];
  });
  assert.deepEqual(bodies[0], bodies[1]);
});

test('options that cannot work are found before the start', () => {
  const sixteen = Array.from({ length: 16 }, (_, i) => `l${i}=x`);
  const cases: [Options, RegExp][] = [
    [{ labels: sixteen }, /16 labels, and Loki takes 15/],
    [{ labels: ['a=1', 'a=2'] }, /label a is there twice/],
    [{ labels: ['a-b=1', 'a.b=2'] }, /label a_b is there twice/],
    [{ labels: ['plain'] }, /"plain" cannot be used: Write name=value/],
    [{ labels: ['a='] }, /value is empty/],
    [{ labels: ["$a['b"] }, /cannot be used/],
    [{ structured_metadata: ['x'] }, /structured_metadata: "x"/],
    [{ remove_keys: [''] }, /no name/],
    [{ tenant_id: 'a b' }, /takes no tenant "a b"/],
    [{ tenant_id: '..' }, /takes no tenant/],
    [{ host: 'ftp://x' }, /no address/],
  ];
  for (const [options, message] of cases) {
    const found = problemsOf(plugin, options)
      .map((problem) => problem.message)
      .join('\n');
    assert.match(found === '' ? 'none' : found, message, JSON.stringify(options));
  }
  assert.deepEqual(problemsOf(plugin, { labels: sixteen.slice(1) }), []);
});

test('times keep their nanoseconds, before 1970 too', () => {
  const cases: [number, number, string][] = [
    [1_700_000_000, 1, '1700000000000000001'],
    [0, 0, '0'],
    [0, 5, '5'],
    [-1, 999_999_999, '-1'],
    [-2, 0, '-2000000000'],
  ];
  for (const [seconds, nanos, text] of cases) assert.equal(nanosText(seconds, nanos), text);
});

// Answers of Loki 3.7.8.
test('an answer means what Loki did', () => {
  const behind =
    "entry with timestamp 2026-11-21 07:42:00.938426533 +0000 UTC ignored, reason: 'entry too far behind, entry timestamp is: 2026-11-21T07:42:00Z, oldest acceptable timestamp is: 2026-11-21T09:42:00Z',\nentry with timestamp 1970-01-01 00:00:00 +0000 UTC ignored, reason: 'entry too far behind, entry timestamp is: 1970-01-01T00:00:00Z, oldest acceptable timestamp is: 2026-11-21T09:42:00Z',\nuser 'fake', total ignored: 2 out of 3 for stream: {job=\"a\", service_name=\"a\"}\n";
  const cases: [status: number, text: string, kind: string][] = [
    [204, '', 'taken'],
    [400, behind, 'some_refused'],
    [
      400,
      'entry for stream \'{job="z"}\' has timestamp too new: 2026-11-21T11:48:33Z\n',
      'some_refused',
    ],
    [401, 'no org id\n', 'later'],
    [404, '404 page not found\n', 'later'],
    [413, '', 'too_large'],
    [429, 'ingestion rate limit exceeded for user a\n', 'later'],
    [
      500,
      'rpc error: code = ResourceExhausted desc = grpc: received message larger than max (5 vs. 4)',
      'too_large',
    ],
    [503, '', 'later'],
  ];
  for (const [status, text, kind] of cases) {
    assert.equal(verdictOf({ status, text, retryAfter: undefined }, 0).kind, kind, text);
  }
  assert.deepEqual([...namedTimes(behind)], ['1795246920938426533', '0']);
  assert.deepEqual(verdictOf({ status: 429, text: 'slow', retryAfter: '3' }, 0), {
    kind: 'later',
    text: 'slow (HTTP 429)',
    afterMs: 3000,
  });
});

test('whatever Loki refuses, the others are pushed and in order', () => {
  const cases = fc.record({
    sections: fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 6 }),
    streamsMax: fc.integer({ min: 1, max: 3 }),
    bad: fc.uniqueArray(fc.nat(119)),
    names: fc.integer({ min: 0, max: 10 }),
    largest: fc.integer({ min: 1, max: 200 }),
  });
  fc.assert(
    fc.property(cases, ({ sections, streamsMax, bad, names, largest }) => {
      const chunk = new Chunk('test', 'id');
      for (const [number, count] of sections.entries()) {
        for (let i = 0; i < count; i++) {
          const origin = { ...originOf, offset: chunk.count, seconds: 1000 + (chunk.count >> 1) };
          chunk.appendRecord(
            `t${number % 2}\n{n="${number}"}`,
            Buffer.from(`${chunk.count},`),
            origin,
          );
        }
      }
      const taken = new Set<number>();
      const rejected: number[] = [];
      const groups = groupsOf(chunk, streamsMax);
      const ofGroups = groups.flatMap(({ indices }) => indices).sort((a, b) => a - b);
      assert.deepEqual(
        ofGroups,
        Array.from({ length: chunk.count }, (_, i) => i),
      );
      for (const group of groups) {
        const plan = new PushPlan(chunk, group);
        let newest = -1;
        for (let piece = plan.next; piece !== undefined; piece = plan.next) {
          const streams = streamsOf(chunk, piece);
          assert.ok(streams.length <= streamsMax);
          const sent = streams.flatMap(({ entries }) =>
            Buffer.concat([...entries])
              .toString()
              .split(',')
              .slice(0, -1)
              .map(Number),
          );
          assert.deepEqual(sent, piece);
          const refused = sent.filter((index) => bad.includes(index));
          if (sent.length > largest) plan.tooLarge('too large', 413);
          else if (refused.length > 0) {
            const named = refused.slice(0, names).map((i) => nanosText(1000 + (i >> 1), 0));
            plan.someRefused(new Set(named), 'bad', 400);
          } else {
            if (names === 0) assert.ok(sent[0]! > newest);
            newest = sent.at(-1)!;
            for (const index of sent) taken.add(index);
            plan.taken();
          }
        }
        rejected.push(...plan.rejected.map(({ index }) => index));
      }
      const all = Array.from({ length: chunk.count }, (_, i) => i);
      assert.deepEqual(
        rejected.sort((a, b) => a - b),
        all.filter((i) => bad.includes(i)),
      );
      assert.deepEqual(
        [...taken].sort((a, b) => a - b),
        all.filter((i) => !bad.includes(i)),
      );
    }),
    { numRuns: 300 },
  );
});

const originOf = { source: 's', generation: '0'.repeat(32), part: 0, tag: 't', nanos: 0 };
