import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { clickHouseColumns } from '../scenarios/basic_scenarios.ts';
import { SnappyBlockDecoder } from '../sink/snappy_block.ts';

/** What a captured request brought: JSON objects, or lines as they are. */
export type CapturedRecord = Readonly<Record<string, unknown>> | string;

/** Reads the bodies that a sink captured, whichever protocol they are in. Throws where one is not
 *  what its protocol asks for. */
export function* capturedRecords(directory: string): Generator<CapturedRecord> {
  const names = readdirSync(directory).filter((name) => name.endsWith('.body'));
  for (const name of names.sort()) {
    const body = readFileSync(join(directory, name));
    const url = readFileSync(join(directory, name.replace('.body', '.url')), 'utf8');
    try {
      yield* recordsOf(body, url);
    } catch (cause) {
      throw new Error(`request ${name} to ${url}: ${(cause as Error).message}`, { cause });
    }
  }
}

function* recordsOf(body: Buffer, url: string): Generator<CapturedRecord> {
  if (url.includes('_bulk')) yield* bulkRecords(body.toString());
  else if (url.includes('/loki/')) {
    yield* body[0] === 0x7b ? lokiJson(body.toString()) : lokiProtobuf(body);
  } else if (url.includes('RowBinary')) yield* rowBinaryRecords(body);
  else yield* body.toString().split('\n').filter(Boolean).map(jsonObject);
}

function* bulkRecords(body: string): Generator<CapturedRecord> {
  if (!body.endsWith('\n')) throw new Error('the last line has no line feed');
  const lines = body.split('\n').slice(0, -1);
  for (let i = 0; i < lines.length; i += 2) {
    if (lines[i + 1] === undefined || lines[i + 1] === '') {
      throw new Error(
        `an action without a document: ${lines[i]}, line ${i + 1} of ${lines.length}`,
      );
    }
    const action = jsonObject(lines[i]!);
    if (!('create' in action || 'index' in action)) throw new Error(`no action: ${lines[i]}`);
    yield jsonObject(lines[i + 1]!);
  }
}

function* lokiJson(body: string): Generator<CapturedRecord> {
  // Anything else fails at once below.
  const push = JSON.parse(body) as { streams: { stream: object; values: [string, string][] }[] };
  for (const { values } of push.streams) {
    for (const [time, line] of values) {
      if (!/^\d{19}$/.test(time)) throw new Error(`no time in nanoseconds: ${time}`);
      yield line;
    }
  }
}

/** PushRequest {streams = 1}, Stream {labels = 1, entries = 2}, Entry {timestamp = 1, line = 2}. */
function* lokiProtobuf(body: Buffer): Generator<CapturedRecord> {
  const push = new SnappyBlockDecoder().decode(body);
  for (const stream of fieldsOf(push, 1)) {
    for (const entry of fieldsOf(stream, 2)) {
      for (const line of fieldsOf(entry, 2)) yield line.toString();
    }
  }
}

function fieldsOf(message: Buffer, wanted: number): Buffer[] {
  const found: Buffer[] = [];
  const reader = new ByteReader(message);
  while (reader.at < message.length) {
    const tag = reader.varint();
    if ((tag & 7) !== 2) throw new Error(`field ${tag >> 3} is not length-delimited`);
    const value = reader.take(reader.varint());
    if (tag >> 3 === wanted) found.push(value);
  }
  return found;
}

/** Rows behind the names and types of `RowBinaryWithNamesAndTypes`. */
function* rowBinaryRecords(body: Buffer): Generator<CapturedRecord> {
  const reader = new ByteReader(body);
  const count = reader.varint();
  const names = Array.from({ length: count }, () => reader.text());
  const types = Array.from({ length: count }, () => reader.text());
  const wanted = clickHouseColumns.map(({ name }) => name);
  if (names.join() !== wanted.join()) throw new Error(`the columns are ${names.join()}`);
  while (reader.at < body.length) {
    yield Object.fromEntries(names.map((name, i) => [name, reader.value(types[i]!)]));
  }
}

class ByteReader {
  at = 0;
  private readonly bytes: Buffer;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.bytes[this.at++];
      if (byte === undefined) throw new Error('it ends inside a number');
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  take(length: number): Buffer {
    if (this.at + length > this.bytes.length) throw new Error('it ends inside a value');
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  text(): string {
    return this.take(this.varint()).toString();
  }

  value(type: string): unknown {
    if (type.includes('String')) return this.text();
    if (type.startsWith('DateTime64')) return Number(this.take(8).readBigInt64LE());
    if (type === 'Float64') return this.take(8).readDoubleLE();
    if (type === 'UInt32') return this.take(4).readUInt32LE();
    if (type === 'UInt16') return this.take(2).readUInt16LE();
    throw new Error(`no reader for ${type}`);
  }
}

function jsonObject(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new Error(`no JSON: ${text.slice(0, 300)}`, { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error(`no JSON object: ${text.slice(0, 200)}`);
  }
  return value as Readonly<Record<string, unknown>>; // Checked above.
}
