import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type BulkRequestFacts,
  type BulkResponse,
  readBulkResponse,
} from '../../../plugins/outputs/elasticsearch/bulk_response.ts';
import { answers } from './elasticsearch_answers.ts';

const facts: BulkRequestFacts = {
  count: 1,
  bytes: 100,
  operation: 'create',
  isNamedByRecords: false,
};

function answerOf(name: keyof typeof answers): BulkResponse {
  const { status, body } = answers[name];
  return { status, body: Buffer.from(body), truncated: false };
}

function read(name: keyof typeof answers, changes: Partial<BulkRequestFacts> = {}) {
  return readBulkResponse(answerOf(name), { ...facts, ...changes });
}

/** What happened, without the words. */
function shape(name: keyof typeof answers, changes: Partial<BulkRequestFacts> = {}): unknown {
  const result = read(name, changes);
  if (result.kind !== 'partial') return result.kind;
  return { retry: result.retry, rejected: result.rejected.map((record) => record.index) };
}

const cases: [keyof typeof answers, Partial<BulkRequestFacts>, unknown][] = [
  ['accepted short', { count: 2 }, 'accepted'],
  ['accepted details', { count: 2 }, 'accepted'],
  ['mixed short', { count: 2 }, 'needsItems'],
  // Of three records one is stored, and its item is left out.
  ['conflict types', { count: 3 }, 'accepted'],
  ['conflict types', { count: 2 }, 'accepted'],
  ['conflict types', { count: 2, operation: 'index' }, 'needsItems'],
  ['mixed types', { count: 3 }, 'needsItems'],
  ['mixed types', { count: 2 }, 'needsItems'],
  ['mixed details', { count: 3 }, { retry: [], rejected: [1] }],
  ['mixed details', { count: 3, operation: 'index' }, { retry: [], rejected: [0, 1] }],
  ['mixed details', { count: 3, operation: 'upsert' }, { retry: [0], rejected: [1] }],
  ['mixed details', { count: 2 }, 'retry'],
  ['no such index', { count: 2 }, { retry: [0], rejected: [] }],
  ['no such index', { count: 2, isNamedByRecords: true }, { retry: [], rejected: [0] }],
  ['invalid index name', {}, { retry: [], rejected: [0] }],
  ['pipeline missing', {}, 'retry'],
  ['unknown parameter', { count: 9 }, 'retry'],
  ['wrong path', { count: 9 }, 'retry'],
  ['malformed action', { count: 9 }, 'split'],
  ['malformed action', { count: 1 }, 'rejected'],
  ['id too long', { count: 2 }, 'split'],
  ['id too long', { count: 1 }, 'rejected'],
  ['id empty', {}, { retry: [], rejected: [0] }],
  ['unauthorized', { count: 9 }, 'retry'],
  ['too large', { count: 9 }, 'split'],
  ['too busy', { count: 9 }, 'split'],
  ['too busy', { count: 1 }, 'retry'],
  ['too busy in pieces', { count: 9, bytes: 1_600_000 }, 'split'],
  ['too busy in pieces', { count: 9, bytes: 900_000 }, 'retry'],
  ['write block', { count: 2, isNamedByRecords: true }, { retry: [0], rejected: [] }],
  ['data stream without time', { count: 2 }, { retry: [], rejected: [0] }],
  ['forbidden index', { count: 2 }, { retry: [1], rejected: [] }],
  ['forbidden index', { count: 2, isNamedByRecords: true }, { retry: [], rejected: [1] }],
];

for (const [name, changes, expected] of cases) {
  test(`the recorded answer "${name}" to ${JSON.stringify(changes)} means ${JSON.stringify(expected)}`, () => {
    assert.deepEqual(shape(name, changes), expected);
  });
}

test("a refused record carries Elasticsearch's type, reason and status", () => {
  const result = read('mixed details', { count: 3 });
  assert.equal(result.kind, 'partial');
  assert.deepEqual(result.kind === 'partial' && result.rejected, [
    {
      index: 1,
      status: 400,
      code: 'SLUICE_OUTPUT_REFUSED',
      reason:
        "document_parsing_exception: [1:6] failed to parse field [n] of type [long] in document with id '4'. Preview of field's value: 'x' (For input string: \"x\")",
    },
  ]);
});

for (const [name, expected] of [
  ['conflict types', 2],
  ['mixed types', 1],
  ['mixed details', 1],
] as const) {
  test(`the recorded answer "${name}" has ${expected} documents that were there already`, () => {
    let conflicts = 0;
    const onConflicts = (count: number): void => {
      conflicts += count;
    };
    read(name, { count: 3, onConflicts });
    assert.equal(conflicts, expected);
  });
}

test('a busy node is given the time that it asks for', () => {
  const response = { ...answerOf('too busy'), retryAfterMs: 7000 };
  const result = readBulkResponse(response, facts);
  assert.equal(result.kind === 'retry' && result.afterMs, 7000);
  assert.match(
    result.kind === 'retry' ? result.reason : '',
    /^429 es_rejected_execution_exception/,
  );
});

const statuses: [number, number, string][] = [
  [200, 1, 'retry'],
  [301, 1, 'retry'],
  [400, 2, 'split'],
  [400, 1, 'rejected'],
  [401, 1, 'retry'],
  [403, 1, 'retry'],
  [404, 1, 'retry'],
  [405, 1, 'retry'],
  [408, 1, 'retry'],
  [413, 1, 'split'],
  [429, 2, 'retry'],
  [500, 1, 'retry'],
  [502, 1, 'retry'],
  [503, 1, 'retry'],
  [504, 1, 'retry'],
];

for (const [status, count, kind] of statuses) {
  test(`status ${status} from something that is not Elasticsearch, for ${count} records, means ${kind}`, () => {
    const body = Buffer.from('<html>hello</html>');
    const result = readBulkResponse({ status, body, truncated: false }, { ...facts, count });
    assert.equal(result.kind, kind);
  });
}

test('a redirect is named and not followed', () => {
  const location = 'https://elsewhere/';
  const response = { status: 302, body: Buffer.alloc(0), truncated: false, location };
  const result = readBulkResponse(response, facts);
  assert.match(result.kind === 'retry' ? result.reason : '', /redirect to https:\/\/elsewhere\//);
});

test('a busy item is sent again alone, among accepted and refused ones', () => {
  const items = [
    { create: { status: 201 } },
    { create: { status: 429, error: { type: 'es_rejected_execution_exception', reason: 'full' } } },
    { create: { status: 400, error: { type: 'document_parsing_exception', reason: 'no' } } },
    { create: { status: 503, error: { type: 'unavailable_shards_exception', reason: 'down' } } },
  ];
  const body = Buffer.from(JSON.stringify({ errors: true, items }));
  const result = readBulkResponse({ status: 200, body, truncated: false }, { ...facts, count: 4 });
  assert.deepEqual(result, {
    kind: 'partial',
    retry: [1, 3],
    rejected: [
      {
        index: 2,
        reason: 'document_parsing_exception: no',
        status: 400,
        code: 'SLUICE_OUTPUT_REFUSED',
      },
    ],
    reason: '429 es_rejected_execution_exception: full',
  });
});

test('hostile answers never count as delivered, and never throw', () => {
  const bodies = ['', '{', '[]', 'null', '"x"', '{"errors":"false"}', '{"errors":true,"items":{}}'];
  bodies.push('{"errors":true,"items":[null]}', '{"errors":true,"items":[{}]}', '{"took":1}');
  for (const text of bodies) {
    const response = { status: 200, body: Buffer.from(text), truncated: false };
    const { kind } = readBulkResponse(response, facts);
    assert.ok(kind === 'retry' || kind === 'needsItems', `${text}: ${kind}`);
  }
});

test('an answer that was cut off halves the request', () => {
  const body = Buffer.from('{"errors":true,"items":[{"cre');
  const result = readBulkResponse({ status: 200, body, truncated: true }, { ...facts, count: 2 });
  assert.equal(result.kind, 'split');
});
