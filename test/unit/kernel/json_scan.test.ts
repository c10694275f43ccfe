import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Batch } from '../../../core/batch/batch.ts';
import { isJsonObject, nestingDepthMax } from '../../../core/batch/json_bytes.ts';
import { JsonScanner, JsonValidator } from '../../../core/kernel/json_scan.ts';
import { emptyBatch, kernelForTest, listMembers, putTexts } from './batches.ts';
import { jsonObjects, nearlyJson } from './json_texts.ts';

const kernel = kernelForTest();
const names = ['level', 'msg', '', 'é', 'a key of more than 16 bytes', 'a'];

/** Which of the texts the kernel and JavaScript take for JSON objects. */
function validity(texts: readonly (string | Buffer)[]): [number[], number[]] {
  const batch = emptyBatch(kernel);
  const { starts, ends } = putTexts(batch, texts);
  batch.rootStart.set(starts);
  batch.rootEnd.set(ends);
  const validator = new JsonValidator(kernel);
  validator.validate(batch, batch.rootStart, batch.rootEnd);
  const result = Array.from(validator.valid.subarray(0, batch.count));
  validator.close();
  return [result, starts.map((start, i) => (isJsonObject(batch.bytes, start, ends[i]!) ? 1 : 0))];
}

const deep = (depth: number): string => `${'{"a":'.repeat(depth - 1)}{}${'}'.repeat(depth - 1)}`;
const deepArrays = (depth: number): string =>
  `{"a":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`;

test('the validator takes what RFC 8259 allows and nothing else', () => {
  const good = [
    '{}',
    ' \t\r\n{ } \r\n',
    '{"a":0}',
    '{"a":-0.0e-0,"b":1E+9,"c":[1,2.5,[],{}],"d":{"e":null}}',
    '{"":""}',
    '{"\\"\\\\\\/\\b\\f\\n\\r\\t\\uD800":"\\udfff\\uABcd"}',
    '{"a":1,"a":2}',
    `{"a":"${'x'.repeat(100)}\\\\"}`,
    '{"a":true,"b":false,"c":null}',
    deep(nestingDepthMax),
    deepArrays(nestingDepthMax),
  ];
  const bad = [
    '',
    ' ',
    '[]',
    '1',
    '"a"',
    'null',
    '{',
    '}',
    '{}{}',
    '{} x',
    '{,}',
    '{"a"}',
    '{"a":}',
    '{"a":1,}',
    '{"a":1 "b":2}',
    "{'a':1}",
    '{a:1}',
    '{"a":[1,]}',
    '{"a":[,1]}',
    '{"a":[1}}',
    '{"a":{]}',
    '{"a":01}',
    '{"a":-}',
    '{"a":+1}',
    '{"a":.5}',
    '{"a":1.}',
    '{"a":1e}',
    '{"a":1e+}',
    '{"a":0x1}',
    '{"a":NaN}',
    '{"a":tru}',
    '{"a":trueX}',
    '{"a":nulll}',
    '{"a":False}',
    '{"a":"\u0000"}',
    '{"a":"\t"}',
    '{"a":"\n"}',
    '{"a":"\\x"}',
    '{"a":"\\u12g4"}',
    '{"a":"\\u12',
    '{"a":"\\',
    '{"a":"unfinished',
    '{"a":1',
    '{"a":',
    '{"a',
    '\ufeff{}',
    '{"a":1}\u00a0',
    deep(nestingDepthMax + 1),
    deepArrays(nestingDepthMax + 1),
  ];
  for (const [texts, expected] of [
    [good, 1],
    [bad, 0],
  ] as const) {
    const [byKernel, byScript] = validity(texts);
    texts.forEach((text, i) => {
      assert.equal(byKernel[i], expected, `kernel: ${JSON.stringify(text.slice(0, 60))}`);
      assert.equal(byScript[i], expected, `script: ${JSON.stringify(text.slice(0, 60))}`);
    });
  }
});

test('every prefix of an object is refused', () => {
  const text = '{"a" : [ 1.5e3 , {"b\\u0041":"c\\"d"}, true ] , "e":null}';
  const prefixes = Array.from(text, (_, i) => text.slice(0, i));
  assert.ok(validity(prefixes)[0].every((valid) => valid === 0));
});

test('the validator agrees with JSON.parse on damaged JSON', () => {
  fc.assert(
    fc.property(fc.array(nearlyJson(names), { minLength: 20, maxLength: 20 }), (texts) => {
      const [byKernel, byScript] = validity(texts);
      byScript.forEach((valid, i) => {
        assert.equal(byKernel[i], valid, JSON.stringify(texts[i]?.toString('latin1')));
      });
    }),
    { numRuns: 200 },
  );
});

function found(scanner: JsonScanner, keys: Buffer[], batch: Batch, i: number): unknown[] {
  return keys.map((_, k) => {
    const { valueStart, valueEnd } = scanner.results[k]!;
    if (valueStart[i] === -1) return undefined;
    return JSON.parse(batch.bytes.toString('utf8', valueStart[i]!, valueEnd[i]!));
  });
}

function expected(keys: Buffer[], text: string): unknown[] {
  const members = new Map(Object.entries(JSON.parse(text) as object));
  return keys.map((key) => members.get(key.toString()));
}

test('the scanner finds members as the script does', () => {
  const keys = names.map((name) => Buffer.from(name));
  fc.assert(
    fc.property(
      fc.array(jsonObjects(names), { minLength: 10, maxLength: 10 }),
      fc.integer({ min: 1, max: 6 }),
      fc.infiniteStream(fc.integer({ min: 0, max: 9 })),
      (texts, keyCount, choices) => {
        const batch = emptyBatch(kernel);
        const { starts, ends } = putTexts(batch, texts);
        for (let i = 0; i < batch.count; i++) {
          const choice = choices.next().value;
          if (choice > 1) batch.setRoot(i, starts[i]!, ends[i]!);
          if (choice === 1) batch.rootKind[i] = 2;
          batch.select[i] = choice === 2 ? 0 : 1;
        }
        listMembers(kernel, batch, () => choices.next().value % 2 === 0);
        const wanted = keys.slice(0, keyCount);
        const scanner = new JsonScanner(kernel, wanted);
        const twin = new JsonScanner(undefined, wanted);
        scanner.scan(batch);
        twin.scan(batch);
        for (let i = 0; i < batch.count; i++) {
          if (batch.select[i] === 0) continue;
          // What is odd but does not matter need not be seen.
          assert.ok(scanner.slow[i]! <= twin.slow[i]!, texts[i]);
          if (scanner.slow[i] === 1) continue;
          if (twin.slow[i] === 1) {
            assert.deepEqual(found(scanner, wanted, batch, i), expected(wanted, texts[i]!));
            continue;
          }
          const at = (s: JsonScanner): number[][] =>
            s.results.map((r) => [r.keyStart[i]!, r.valueStart[i]!, r.valueEnd[i]!]);
          assert.deepEqual(at(scanner), at(twin), texts[i]);
        }
        scanner.close();
      },
    ),
    { numRuns: 300 },
  );
});

test('an object is listed when its keys are plain and there is room', () => {
  const batch = emptyBatch(kernel);
  const { starts, ends } = putTexts(batch, [
    '{"a":1}',
    '{"\\u0061":1}',
    '{"a":{"\\"":2}}',
    '{"a":1}',
  ]);
  starts.forEach((start, i) => {
    batch.setRoot(i, start, ends[i]!);
  });
  batch.listsEnd = batch.listsLimit - 64;
  listMembers(kernel, batch, () => true);
  assert.deepEqual(
    Array.from(batch.memberLists.subarray(0, 4), (list) => list !== 0),
    [true, false, true, false],
  );
  assert.ok(batch.listsEnd <= batch.listsLimit);
});

test('a scanner gives its kernel memory back', () => {
  const before = kernel.arena.freeBytes();
  const scanner = new JsonScanner(kernel, [Buffer.from('level')]);
  assert.ok(kernel.arena.freeBytes() < before);
  scanner.close();
  assert.equal(kernel.arena.freeBytes(), before);
});

test('a scanner without room in kernel memory works in JavaScript', () => {
  const block = kernel.arena.take(kernel.arena.freeBytes() - 16)!;
  const scanner = new JsonScanner(kernel, [Buffer.from('level')]);
  kernel.arena.release(block);
  const batch = emptyBatch(kernel);
  const { starts, ends } = putTexts(batch, ['{"level":"warn"}']);
  batch.setRoot(0, starts[0]!, ends[0]!);
  scanner.scan(batch);
  const { valueStart, valueEnd } = scanner.results[0]!;
  assert.equal(batch.bytes.toString('utf8', valueStart[0]!, valueEnd[0]!), '"warn"');
});
