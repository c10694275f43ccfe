import { elementSpans, isArrayIndex, MemberCursor, skipJsonSpace } from './json_bytes.ts';

/** Sets (or, with `value` undefined, removes) the value at a path inside JSON text and returns
 *  the new text; members off the path keep their exact bytes. Objects that are missing on the
 *  way are made, other values on the way are replaced by objects. In an array a whole number
 *  names an element, from the end when it is negative. `value` is JSON text. */
export function spliceJson(
  json: Buffer,
  keys: readonly string[],
  value: Buffer | undefined,
): Buffer {
  if (keys.length === 0) return value ?? Buffer.from('null');
  const start = skipJsonSpace(json, 0);
  if (json[start] === 0x5b && isArrayIndex(keys[0]!)) return spliceArray(json, start, keys, value);
  if (json[start] !== 0x7b) return value === undefined ? json : wrap(keys, value);
  return spliceObject(json, start, keys, value);
}

function spliceObject(
  json: Buffer,
  start: number,
  keys: readonly string[],
  value: Buffer | undefined,
): Buffer {
  const key = Buffer.from(keys[0]!);
  const cursor = new MemberCursor();
  cursor.start(json, start);
  const kept: Buffer[] = [];
  let inner: Buffer | undefined;
  while (cursor.next()) {
    if (cursor.keyEquals(key)) inner = json.subarray(cursor.valueStart, cursor.valueEnd);
    else kept.push(json.subarray(cursor.keyStart - 1, cursor.valueEnd));
  }
  const edited = editMember(inner, keys.slice(1), value);
  if (edited !== undefined) {
    kept.push(Buffer.concat([Buffer.from(`${JSON.stringify(keys[0])}:`), edited]));
  }
  return Buffer.concat([Buffer.from('{'), joinWithCommas(kept), Buffer.from('}')]);
}

function editMember(
  inner: Buffer | undefined,
  rest: readonly string[],
  value: Buffer | undefined,
): Buffer | undefined {
  if (rest.length === 0) return value;
  if (inner === undefined) return value === undefined ? undefined : wrap(rest, value);
  return spliceJson(inner, rest, value);
}

/** Sets or removes one element; an index outside of the array changes nothing. */
function spliceArray(
  json: Buffer,
  start: number,
  keys: readonly string[],
  value: Buffer | undefined,
): Buffer {
  const spans = elementSpans(json, start);
  const index = Number(keys[0]);
  const place = index < 0 ? spans.length + index : index;
  const span = spans[place];
  if (span === undefined) return json;
  const elements = spans.map(({ start: from, end }) => json.subarray(from, end));
  const edited = editMember(elements[place], keys.slice(1), value);
  if (edited === undefined) elements.splice(place, 1);
  else elements[place] = edited;
  return Buffer.concat([Buffer.from('['), joinWithCommas(elements), Buffer.from(']')]);
}

function wrap(keys: readonly string[], value: Buffer): Buffer {
  let json: Buffer = value;
  for (let i = keys.length - 1; i >= 0; i--) {
    json = Buffer.concat([Buffer.from(`{${JSON.stringify(keys[i])}:`), json, Buffer.from('}')]);
  }
  return json;
}

function joinWithCommas(parts: readonly Buffer[]): Buffer {
  const joined: Buffer[] = [];
  for (const part of parts) {
    if (joined.length > 0) joined.push(Buffer.from(','));
    joined.push(part);
  }
  return Buffer.concat(joined);
}
