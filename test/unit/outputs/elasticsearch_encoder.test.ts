import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { loadKernel } from '../../../core/kernel/kernel.ts';
import { BulkEncoder } from '../../../plugins/outputs/elasticsearch/bulk_encoder.ts';
import {
  type ElasticsearchOptions,
  schema,
} from '../../../plugins/outputs/elasticsearch/config.ts';
import {
  type ChunkOptions,
  chunkOf,
  outputContext,
  optionsOf,
  type TestEvent,
} from '../shared/output_harness.ts';

type Given = Partial<ElasticsearchOptions>;

function encoderOf(given: Given = {}, context = outputContext()): BulkEncoder {
  return new BulkEncoder(optionsOf<ElasticsearchOptions>(schema, given), context);
}

function linesOf(given: Given, events: readonly TestEvent[], options?: ChunkOptions): string[] {
  const body = chunkOf({ encoder: encoderOf(given) }, events, options)
    .body()
    .toString();
  assert.ok(body.endsWith('\n'));
  return body.slice(0, -1).split('\n');
}

/** The index of each record. */
function indicesOf(given: Given, events: readonly TestEvent[]): string[] {
  return linesOf(given, events).flatMap((line, at) => {
    if (at % 2 === 1) return [];
    const action = JSON.parse(line) as { create: { _index: string } };
    return [action.create._index];
  });
}

test('a record is an action line with index and id, and the event with its time', () => {
  assert.deepEqual(linesOf({ index: 'logs' }, [{ json: { a: 1 }, nanos: 5 }]), [
    '{"create":{"_index":"logs","_id":"ABEiM0RVZneImaq7zN3u_wAAAAAAAA"}}',
    '{"a":1,"@timestamp":"2024-03-09T12:00:00.000000005Z"}',
  ]);
});

test("the event's own time field is kept as it is", () => {
  const [, event] = linesOf({}, [{ json: '{"@timestamp":"own"}' }]);
  assert.equal(event, '{"@timestamp":"own"}');
});

test('the same event encodes to the same bytes again', () => {
  const events = [{ json: { a: 1 }, nanos: 5 }];
  assert.deepEqual(linesOf({}, events), linesOf({}, events));
});

test('a dead letter is the document, whatever the operation', () => {
  for (const write_operation of ['create', 'index', 'update', 'upsert'] as const) {
    const encoder = encoderOf({ write_operation, time_key: 'a' });
    const chunk = chunkOf({ encoder }, [{ json: '{"a":1,"b":{"doc":2}}' }]);
    assert.equal(encoder.recordJson(chunk.recordAt(0)), '{"a":1,"b":{"doc":2}}');
  }
});

test('the kernel and JavaScript write the same bytes', () => {
  const kernel = loadKernel({});
  const context = outputContext({ kernel });
  const events = [{ json: { a: 1, k: 'x' } }, { json: { a: 'é"\\' } }];
  const changes = [
    { write_operation: 'update' },
    { write_operation: 'upsert', id_key: 'k' },
  ] as const;
  const others = [{}, { index: 'l-%{k}' }, { id_key: 'a' }, { generate_id: false }];
  for (const given of [...others, ...changes]) {
    const plain = chunkOf({ encoder: encoderOf(given) }, events).body();
    assert.deepEqual(chunkOf({ encoder: encoderOf(given, context) }, events).body(), plain);
  }
});

const forms: [string, Given, TestEvent, string, string][] = [
  [
    'three digits when nanoseconds are not wanted',
    { time_key_nanos: false },
    { json: {}, nanos: 123_456_789 },
    '{"create":{"_index":"sluice","_id":"ABEiM0RVZneImaq7zN3u_wAAAAAAAA"}}',
    '{"@timestamp":"2024-03-09T12:00:00.123Z"}',
  ],
  [
    'its own time format, with the fraction behind it',
    { time_key: 't', time_key_format: '%Y/%m/%d %H:%M:%S', generate_id: false },
    { json: {}, nanos: 1_000_000 },
    '{"create":{"_index":"sluice"}}',
    '{"t":"2024/03/09 12:00:00.001000000Z"}',
  ],
  [
    'the tag, when it is asked for and missing',
    { include_tag_key: true, generate_id: false, time_key: 'a' },
    { json: { a: 1 }, tag: 'app."x"' },
    '{"create":{"_index":"sluice"}}',
    '{"a":1,"flb-key":"app.\\"x\\""}',
  ],
  [
    'a field of its own as the id',
    { id_key: 'id', write_operation: 'index', time_key: 'id' },
    { json: { id: 'A "quoted"\n id' } },
    '{"index":{"_index":"sluice","_id":"A \\"quoted\\"\\n id"}}',
    '{"id":"A \\"quoted\\"\\n id"}',
  ],
  [
    'what to put into a document',
    { id_key: 'id', write_operation: 'update', include_tag_key: true, replace_dots: true },
    { json: { id: 'a', 'b.c': 1 }, tag: 't' },
    '{"update":{"_index":"sluice","_id":"a"}}',
    '{"doc":{"id":"a","b_c":1,"@timestamp":"2024-03-09T12:00:00.000000000Z","flb-key":"t"}}',
  ],
  [
    'what to put into a document, or to make one of',
    { id_key: 'id', write_operation: 'upsert', time_key_format: '%Y', time_key_nanos: false },
    { json: {} },
    '{"update":{"_index":"sluice","_id":"ABEiM0RVZneImaq7zN3u_wAAAAAAAA"}}',
    '{"doc_as_upsert":true,"doc":{"@timestamp":"2024.000Z"}}',
  ],
  [
    'a number as the id',
    { id_key: '$a["b"]', time_key: 'a' },
    { json: { a: { b: 17 } } },
    '{"create":{"_index":"sluice","_id":"17"}}',
    '{"a":{"b":17}}',
  ],
  [
    'its origin as the id where the field is missing',
    { id_key: 'id', time_key: 'a' },
    { json: { a: 1 } },
    '{"create":{"_index":"sluice","_id":"ABEiM0RVZneImaq7zN3u_wAAAAAAAA"}}',
    '{"a":1}',
  ],
  [
    'underscores for dots in keys, at every depth, and not in values',
    { replace_dots: true, generate_id: false, time_key: 'x_y' },
    { json: '{"x.y":"a.b","c":[{"d.e":{"f\\u002eg":"h.i : j.k"}}], "k" : "l.m"}' },
    '{"create":{"_index":"sluice"}}',
    '{"x_y":"a.b","c":[{"d_e":{"f\\u005fg":"h.i : j.k"}}], "k" : "l.m"}',
  ],
];

for (const [what, given, event, action, document] of forms) {
  test(`a record has ${what}`, () => {
    const lines = linesOf(given, [event]);
    // The time is looked for before dots are replaced.
    if (given.replace_dots) lines[1] = lines[1]!.replace(/,"x_y":"2024[^"]*"/, '');
    assert.deepEqual(lines, [action, document]);
  });
}

test('an id that Elasticsearch would refuse the whole request for is replaced by its hash', () => {
  const id = 'x'.repeat(513);
  const [action] = linesOf({ id_key: 'id' }, [{ json: { id } }]);
  assert.match(action!, /"_id":"sha256-[\w-]{43}"/);
  const [fitting] = linesOf({ id_key: 'id' }, [{ json: { id: 'x'.repeat(512) } }]);
  assert.match(fitting!, /"_id":"x{512}"/);
});

test("a document's own line ends cannot become bulk actions", () => {
  const json = '{"a":[\n{"delete":{"_index":"other","_id":"1"}}\r\n]\n}';
  const lines = linesOf({}, [{ json: { b: 1 } }, { json }, { json: { c: 1 } }]);
  assert.equal(lines.length, 6);
  const event = JSON.parse(lines[3]!) as { a: unknown };
  assert.deepEqual(event.a, [{ delete: { _index: 'other', _id: '1' } }]);
});

test('a dead letter is the event without its action line', () => {
  const encoder = encoderOf();
  const chunk = chunkOf({ encoder }, [{ json: { a: 'x\ny' } }]);
  assert.deepEqual(JSON.parse(encoder.recordJson(chunk.recordAt(0))), {
    a: 'x\ny',
    '@timestamp': '2024-03-09T12:00:00.000000000Z',
  });
});

const names: [Given, TestEvent, string][] = [
  [{ index: 'logs-%{+YYYY.MM.dd}' }, { json: {} }, 'logs-2024.03.09'],
  [{ index: 'logs-%Y.%m.%d' }, { json: {} }, 'logs-2024.03.09'],
  [{ index: 'logs-%{[a][b]}' }, { json: { a: { b: 'Web' } } }, 'logs-web'],
  [{ index: 'logs-%{a}' }, { json: { a: 7 } }, 'logs-7'],
  [{ index: 'logs-%{a}-%{+yyyy}' }, { json: {} }, 'logs-other-2024'],
  [{ index: 'logs-%{a}' }, { json: { a: {} } }, 'logs-other'],
  [{ index: 'logs-%{a}' }, { json: { a: null } }, 'logs-other'],
  [{ index: 'logs-%{a}' }, { json: { a: '' } }, 'logs-other'],
  [{ index: 'logs-%{a}' }, { json: { a: '../secret*' } }, 'logs-.._secret_'],
  [{ index: 'logs-$TAG' }, { json: {}, tag: 'App.One' }, 'logs-app.one'],
  [{ index: 'logs-$TAG[1]' }, { json: {}, tag: 'app.one' }, 'logs-one'],
  [{ data_stream: 'logs-%{a}-default' }, { json: { a: 'x' } }, 'logs-x-default'],
  [{ logstash_format: true }, { json: {} }, 'logstash-2024.03.09'],
  [
    { logstash_format: true, logstash_prefix: 'p', logstash_prefix_separator: '_' },
    { json: {} },
    'p_2024.03.09',
  ],
  [{ logstash_format: true, logstash_dateformat: '%Y' }, { json: {} }, 'logstash-2024'],
  [
    { logstash_format: true, logstash_prefix_key: 'app' },
    { json: { app: 'Nginx' } },
    'logstash-nginx-2024.03.09',
  ],
  [
    { logstash_format: true, logstash_prefix_key: 'app' },
    { json: { app: 'logstash-nginx' } },
    'logstash-nginx-2024.03.09',
  ],
  [{ logstash_format: true, logstash_prefix_key: 'app' }, { json: {} }, 'logstash-2024.03.09'],
];

for (const [given, event, expected] of names) {
  test(`${JSON.stringify(given)} sends ${JSON.stringify(event.json)} to ${expected}`, () => {
    assert.deepEqual(indicesOf(given, [event]), [expected]);
  });
}

test('with current_time_index the date is that of the clock', () => {
  const context = outputContext();
  let now = '2030-01-02T03:04:05Z';
  const clock = { ...context.clock, nowMs: () => Date.parse(now) };
  const given = { index: 'logs-%{+YYYY.MM.dd}', current_time_index: true };
  const encoder = encoderOf(given, { ...context, clock });
  const body = (): string =>
    chunkOf({ encoder }, [{ json: {} }])
      .body()
      .toString();
  assert.match(body(), /"logs-2030\.01\.02"/);
  now = '2030-01-03T03:04:05Z';
  assert.match(body(), /"logs-2030\.01\.03"/);
});

test('each record has the index of its own time', () => {
  const seconds = [0, 86_399, 86_400, 86_400, 0, -1];
  const found = indicesOf(
    { index: 'l-%{+YYYY.MM.dd}' },
    seconds.map((at) => ({ json: {}, seconds: at })),
  );
  const days = ['1970.01.01', '1970.01.01', '1970.01.02', '1970.01.02', '1970.01.01', '1969.12.31'];
  assert.deepEqual(
    found,
    days.map((day) => `l-${day}`),
  );
  const at = (nanos: number) => ({ json: {}, seconds: 0, nanos });
  const byMillisecond = indicesOf({ index: 'l-%{+SSS}' }, [at(0), at(1e6), at(2e6)]);
  assert.deepEqual(byMillisecond, ['l-000', 'l-001', 'l-002']);
});

test('names beyond the most go to the fixed beginning, and are counted', () => {
  const context = outputContext();
  const encoder = encoderOf({ index: 'logs-%{a}', index_names_max: 2 }, context);
  const events = ['a', 'b', 'c', 'c', 'a', 'd'].map((a) => ({ json: { a } }));
  const body = chunkOf({ encoder }, events).body().toString();
  const found = [...body.matchAll(/"_index":"([^"]*)"/g)].map((match) => match[1]);
  assert.deepEqual(found, ['logs-a', 'logs-b', 'logs-other', 'logs-other', 'logs-a', 'logs-other']);
  const counter = context.counters.get('sluice_elasticsearch_index_fallback_total names_max');
  assert.equal(counter?.value, 3);
});

test('a name that nobody used for an hour makes room for another', () => {
  const context = outputContext();
  let nowMs = 0;
  const clock = { ...context.clock, monotonicMs: () => nowMs };
  const given = { index: 'logs-%{a}', index_names_max: 1 };
  const encoder = encoderOf(given, { ...context, clock });
  const indexOf = (a: string): string => {
    const body = chunkOf({ encoder }, [{ json: { a } }])
      .body()
      .toString();
    return /"_index":"([^"]*)"/.exec(body)![1]!;
  };
  assert.equal(indexOf('a'), 'logs-a');
  nowMs = 3_600_000;
  assert.equal(indexOf('b'), 'logs-other');
  nowMs = 3_602_000;
  assert.equal(indexOf('b'), 'logs-b');
});

const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 400 }),
  fc.string({ unit: fc.constantFrom(...'\\/*?"<>| ,#:.-_+A\n\0é İ'), maxLength: 20 }),
  fc.constantFrom(
    '..',
    '.',
    '-x',
    '\ud800',
    'a\udfffb',
    '"}}\n{"delete":{"_index":"x","_id":"1"}}',
    'x'.repeat(2000),
  ),
);

/** What Elasticsearch asks of an index name: MetadataCreateIndexService.validateIndexOrAliasName. */
function isAllowed(name: string): boolean {
  return (
    Buffer.byteLength(name) <= 255 &&
    !/[\\/*?"<>|,#:\s\u0000-\u001f\p{Surrogate}]/u.test(name) &&
    !/^[-_+]/.test(name) &&
    name === name.toLowerCase()
  );
}

test('no value of a record leaves the prefix, breaks a line or makes a name that is not allowed', () => {
  const context = outputContext();
  const given = { index: 'logs-%{a}-%{b}-$TAG-%{+YYYY.MM.dd}', index_names_max: 100_000 };
  const encoder = encoderOf(given, context);
  fc.assert(
    fc.property(hostile, hostile, hostile, (a, b, tag) => {
      const body = chunkOf({ encoder }, [{ json: { a, b }, tag }])
        .body()
        .toString();
      const lines = body.split('\n');
      assert.equal(lines.length, 3);
      const name = (JSON.parse(lines[0]!) as { create: { _index: string } }).create._index;
      assert.ok(name.startsWith('logs-'), name);
      assert.ok(isAllowed(name), JSON.stringify(name));
    }),
    { numRuns: 500 },
  );
});

test('no value of logstash_prefix_key leaves the prefix', () => {
  const encoder = encoderOf({ logstash_format: true, logstash_prefix_key: 'a' });
  fc.assert(
    fc.property(hostile, (a) => {
      const body = chunkOf({ encoder }, [{ json: { a } }])
        .body()
        .toString();
      const name = /^\{"create":\{"_index":"([^"\\]*)"/.exec(body)?.[1] ?? '';
      assert.ok(name.startsWith('logstash'), name);
      assert.ok(isAllowed(name), JSON.stringify(name));
    }),
    { numRuns: 300 },
  );
});
