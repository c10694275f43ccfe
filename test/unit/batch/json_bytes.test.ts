import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  elementSpans,
  findMember,
  isJsonObject,
  MemberCursor,
  skipJsonSpace,
  skipJsonValue,
} from '../../../core/batch/json_bytes.ts';
import { spliceJson } from '../../../core/batch/json_splice.ts';
import { jsonObjects, nearlyJson } from '../kernel/json_texts.ts';
import { applyToModel, edits, type Json } from './edits.ts';

test('a cursor sees every member with its exact bytes', () => {
  fc.assert(
    fc.property(jsonObjects(['a', 'b']), (text) => {
      const bytes = Buffer.from(text);
      const cursor = new MemberCursor();
      cursor.start(bytes, 0);
      const seen = new Map<string, unknown>();
      while (cursor.next()) {
        const value = bytes.toString('utf8', cursor.valueStart, cursor.valueEnd);
        assert.equal(value.trim(), value);
        seen.set(cursor.keyText(), JSON.parse(value));
      }
      assert.deepEqual(seen, new Map(Object.entries(JSON.parse(text) as object)));
      assert.equal(skipJsonValue(bytes, skipJsonSpace(bytes, 0)), bytes.lastIndexOf('}') + 1);
    }),
    { numRuns: 500 },
  );
});

test('a member is found by its unescaped name, the last of several', () => {
  const bytes = Buffer.from('  {"a":1,"\\u0062":[2],"a":3,"é":{"a":4}}');
  const found = (key: string): string | undefined => {
    const span = findMember(bytes, 0, Buffer.from(key));
    return span && bytes.toString('utf8', span.start, span.end);
  };
  assert.equal(found('a'), '3');
  assert.equal(found('b'), '[2]');
  assert.equal(found('é'), '{"a":4}');
  assert.equal(found('\\u0062'), undefined);
  assert.equal(found(''), undefined);
});

test('the elements of an array are found where they stand', () => {
  for (const text of ['[]', '[ ]', '[1]', '[ 1 , "a,]" ,[2 , 3],{"a":[]} ]']) {
    const bytes = Buffer.from(text);
    const values = elementSpans(bytes, 0).map(({ start, end }) =>
      JSON.parse(bytes.toString('utf8', start, end)),
    );
    assert.deepEqual(values, JSON.parse(text));
  }
});

test('an object is what JSON.parse takes', () => {
  fc.assert(
    fc.property(nearlyJson(['a']), (bytes) => {
      let expected = false;
      try {
        const value: unknown = JSON.parse(bytes.toString());
        expected = typeof value === 'object' && value !== null && !Array.isArray(value);
      } catch {
        // Not JSON.
      }
      // Bytes around the span are not part of it.
      const padded = Buffer.concat([Buffer.from('{"'), bytes, Buffer.from('"}')]);
      assert.equal(isJsonObject(padded, 2, 2 + bytes.length), expected);
    }),
    { numRuns: 2000 },
  );
});

test('a splice changes what the path names and nothing else', () => {
  fc.assert(
    fc.property(jsonObjects(['a', 'b', 'level', 'msg']), edits, (text, edit) => {
      if (edit.kind === 'replace') return;
      const value =
        edit.kind === 'remove'
          ? undefined
          : JSON.stringify(edit.kind === 'span' ? edit.text : edit.value);
      const spliced = spliceJson(
        Buffer.from(text),
        edit.path,
        value === undefined ? undefined : Buffer.from(value),
      );
      const model = applyToModel(JSON.parse(text) as Json, edit);
      assert.deepEqual(JSON.parse(spliced.toString()), model);
    }),
    { numRuns: 2000 },
  );
});
