import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { indentedJson } from '../../../plugins/outputs/stdout/indented_json.ts';

test('any JSON is indented as JSON.stringify does it, whatever white space it came with', () => {
  fc.assert(
    fc.property(fc.json(), fc.constantFrom(0, 1, '\t'), (json, space) => {
      const value: unknown = JSON.parse(json);
      assert.equal(
        indentedJson(JSON.stringify(value, null, space)),
        JSON.stringify(value, null, 2),
      );
    }),
  );
});

test('numbers keep their digits and texts their escapes', () => {
  assert.equal(
    indentedJson('{"n":12345678901234567890, "f" : 1.0,"e":[ ],"o":{ }, "t":"\\u00e9{\\"[,:\\\\"}'),
    `{
  "n": 12345678901234567890,
  "f": 1.0,
  "e": [],
  "o": {},
  "t": "\\u00e9{\\"[,:\\\\"
}`,
  );
});
