import fc from 'fast-check';

/** Valid JSON objects with odd spacing, escapes, deep and empty values, repeated keys. */
export function jsonObjects(keys: readonly string[]): fc.Arbitrary<string> {
  const space = fc.constantFrom('', '', '', ' ', '\t\r\n ', '                  ');
  const text = fc.oneof(
    fc.constantFrom(
      '""',
      '"a"',
      '"quote \\" and \\\\"',
      '"\\\\"',
      '"\\u00e9\\ud83d\\ude00\\udead"',
      '"exactly 16 bytes"',
      '"{[}],:"',
      '"é€😀"',
      '"long long long long long long long long long long \\n \\t text"',
    ),
    fc.string({ maxLength: 40, unit: 'binary' }).map((value) => JSON.stringify(value)),
  );
  const scalar = fc.oneof(
    text,
    fc.constantFrom('0', '-0', '1.50', '-12e+3', '1E-2', '12345678901234567890', 'true', 'null'),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => String(value)),
  );
  const key = fc.oneof(fc.constantFrom(...keys.map((name) => JSON.stringify(name))), text);
  const { value } = fc.letrec<{ value: string; object: string; array: string }>((tie) => ({
    value: fc.oneof({ maxDepth: 4 }, scalar, tie('object'), tie('array')),
    object: objectText(key, tie('value'), space),
    array: fc
      .tuple(fc.array(tie('value'), { maxLength: 4 }), space)
      .map(([items, gap]) => `[${gap}${items.join(`${gap},`)}${gap}]`),
  }));
  return objectText(key, value, space);
}

function objectText(
  key: fc.Arbitrary<string>,
  value: fc.Arbitrary<string>,
  space: fc.Arbitrary<string>,
): fc.Arbitrary<string> {
  const member = fc
    .tuple(space, key, space, space, value, space)
    .map(([a, name, b, c, inner, d]) => `${a}${name}${b}:${c}${inner}${d}`);
  return fc
    .tuple(fc.array(member, { maxLength: 6 }), space)
    .map(([members, gap]) => `{${members.length === 0 ? gap : members.join(',')}}`);
}

/** Text near JSON: valid objects with bytes changed, cut, doubled or put in. */
export function nearlyJson(keys: readonly string[]): fc.Arbitrary<Buffer> {
  const edit = fc.record({
    at: fc.nat(400),
    remove: fc.nat(3),
    insert: fc.oneof(
      fc.constant(''),
      fc.constantFrom(...'{}[]",:\\0e+-. \n\u0000\u001f\u007f', 'true', 'nul', '\\u12', 'é', '00'),
    ),
  });
  return fc.tuple(jsonObjects(keys), fc.array(edit, { maxLength: 3 })).map(([text, edits]) => {
    let bytes = Buffer.from(text);
    for (const { at, remove, insert } of edits) {
      const place = bytes.length === 0 ? 0 : at % bytes.length;
      bytes = Buffer.concat([
        bytes.subarray(0, place),
        Buffer.from(insert, 'latin1'),
        bytes.subarray(place + remove),
      ]);
    }
    return bytes;
  });
}
