import { ByteWriter } from '../../../core/sdk/index.ts';
import { wellFormed } from './label_source.ts';

/** One line with its time and metadata, as an encoder writes it. */
export interface Entry {
  readonly seconds: number;
  readonly nanos: number;
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  /** Names and values in turn. */
  readonly metadata: readonly string[];
}

/** A part of a push: a stream's labels and its entries as `writeEntry` wrote them. */
export interface StreamEntries {
  readonly labels: string;
  readonly entries: readonly Buffer[];
}

export interface DecodedEntry {
  readonly line: string;
  readonly metadata: readonly string[];
}

/** How records become the body of a push. */
export interface PushFormat {
  readonly contentType: string;
  labelsText(names: readonly string[], values: readonly string[]): string;
  /** The labels in a text that `labelsText` made. */
  readLabels(text: string): ReadonlyMap<string, string>;
  writeEntry(entry: Entry, out: ByteWriter): void;
  readEntry(record: Buffer): DecodedEntry;
  /** The body's bytes, in parts. */
  body(streams: readonly StreamEntries[]): Buffer[];
}

/** JSON (loki: HTTP API, `POST /loki/api/v1/push`): an entry is `["ns","line",{metadata}],`. */
export const jsonFormat: PushFormat = {
  contentType: 'application/json',

  labelsText(names, values) {
    const members = names.map((name, i) => `"${name}":${JSON.stringify(values[i])}`);
    return `{${members.join(',')}}`;
  },

  readLabels(text) {
    // Written by `labelsText`.
    return new Map(Object.entries(JSON.parse(text) as Record<string, string>));
  },

  writeEntry(entry, out) {
    // hot path
    out.text(`["${nanosText(entry.seconds, entry.nanos)}","`);
    out.escaped(entry.bytes, entry.start, entry.end);
    const { metadata } = entry;
    if (metadata.length === 0) out.text('"],');
    else {
      const members: string[] = [];
      for (let i = 0; i < metadata.length; i += 2) {
        members.push(`"${metadata[i]}":${JSON.stringify(wellFormed(metadata[i + 1]!))}`);
      }
      out.text(`",{${members.join(',')}}],`);
    }
  },

  readEntry(record) {
    // Written by `writeEntry`.
    const [, line, metadata] = JSON.parse(record.toString('utf8', 0, record.length - 1)) as [
      string,
      string,
      Record<string, string>?,
    ];
    return { line, metadata: Object.entries(metadata ?? {}).flat() };
  },

  body(streams) {
    const parts: Buffer[] = [Buffer.from('{"streams":[')];
    for (const [i, { labels, entries }] of streams.entries()) {
      parts.push(Buffer.from(`${i === 0 ? '' : ','}{"stream":${labels},"values":[`), ...entries);
      const last = parts.pop()!;
      parts.push(last.subarray(0, last.length - 1), Buffer.from(']}'));
    }
    parts.push(Buffer.from(']}'));
    return parts;
  },
};

/** Protobuf (loki: pkg/push/push.proto): PushRequest {streams = 1}, Stream {labels = 1, entries = 2},
 *  Entry {timestamp = 1, line = 2, structuredMetadata = 3}. An entry's bytes are field 2 of its
 *  stream, tag and length included, so that a stream is its labels and its entries. */
export function protobufFormat(): PushFormat {
  const message = new ByteWriter(4096);
  return {
    contentType: 'application/x-protobuf',

    labelsText(names, values) {
      const pairs = names.map((name, i) => `${name}=${JSON.stringify(values[i])}`);
      return `{${pairs.join(', ')}}`;
    },

    readLabels(text) {
      const pairs = text.matchAll(/([a-zA-Z_]\w*)=("(?:[^"\\]|\\.)*")/g);
      // Values were written as JSON strings.
      return new Map(Array.from(pairs, ([, name, json]) => [name!, JSON.parse(json!) as string]));
    },

    writeEntry(entry, out) {
      // hot path
      message.clear();
      writeTimestamp(entry.seconds, entry.nanos, message);
      const bytes = entry.end - entry.start;
      message.byte(0x12);
      writeVarint(bytes, message);
      message.bytes(entry.bytes, entry.start, entry.end);
      for (let i = 0; i < entry.metadata.length; i += 2) {
        writePair(entry.metadata[i]!, entry.metadata[i + 1]!, message);
      }
      out.byte(0x12);
      writeVarint(message.length, out);
      out.bytes(message.buffer, 0, message.length);
    },

    readEntry: readProtobufEntry,

    body(streams) {
      const parts: Buffer[] = [];
      for (const { labels, entries } of streams) {
        const labelBytes = Buffer.from(labels);
        const head = new ByteWriter(labelBytes.length + 32);
        const tail = new ByteWriter(labelBytes.length + 16);
        tail.byte(0x0a);
        writeVarint(labelBytes.length, tail);
        tail.bytes(labelBytes);
        head.byte(0x0a);
        const entryBytes = entries.reduce((sum, entry) => sum + entry.length, 0);
        writeVarint(tail.length + entryBytes, head);
        parts.push(head.view(), tail.view(), ...entries);
      }
      return parts;
    },
  };
}

function writeTimestamp(seconds: number, nanos: number, out: ByteWriter): void {
  const at = out.length;
  out.byte(0x0a);
  out.byte(0);
  if (seconds !== 0) {
    out.byte(0x08);
    if (seconds > 0) writeVarint(seconds, out);
    else writeNegative(seconds, out);
  }
  if (nanos !== 0) {
    out.byte(0x10);
    writeVarint(nanos, out);
  }
  // At most 17 bytes: the length fits the byte that was left for it.
  out.buffer[at + 1] = out.length - at - 2;
}

function writePair(name: string, value: string, out: ByteWriter): void {
  const nameBytes = Buffer.byteLength(name);
  const valueBytes = Buffer.byteLength(value);
  out.byte(0x1a);
  writeVarint(2 + varintBytes(nameBytes) + nameBytes + varintBytes(valueBytes) + valueBytes, out);
  out.byte(0x0a);
  writeVarint(nameBytes, out);
  out.text(name);
  out.byte(0x12);
  writeVarint(valueBytes, out);
  out.text(value);
}

function writeVarint(value: number, out: ByteWriter): void {
  out.reserve(10);
  let rest = value;
  while (rest >= 0x80) {
    out.buffer[out.length++] = (rest % 128) | 0x80;
    rest = Math.floor(rest / 128);
  }
  out.buffer[out.length++] = rest;
}

/** Negative numbers are 64 bits of two's complement. */
function writeNegative(value: number, out: ByteWriter): void {
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest >= 0x80n) {
    out.byte(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  out.byte(Number(rest));
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 128)) bytes++;
  return bytes;
}

function readProtobufEntry(record: Buffer): DecodedEntry {
  let line = '';
  const metadata: string[] = [];
  for (const [tag, value] of messageFields(messageFields(record)[0]![1])) {
    if (tag === 0x12) line = value.toString();
    else if (tag === 0x1a) {
      const pair = new Map(messageFields(value));
      metadata.push(pair.get(0x0a)?.toString() ?? '', pair.get(0x12)?.toString() ?? '');
    }
  }
  return { line, metadata };
}

/** The fields of a message that are all of the length-delimited kind. */
function messageFields(message: Buffer): [tag: number, value: Buffer][] {
  const fields: [number, Buffer][] = [];
  let at = 0;
  while (at < message.length) {
    const tag = message[at++]!;
    let length = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = message[at++]!;
      length += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
    }
    fields.push([tag, message.subarray(at, at + length)]);
    at += length;
  }
  return fields;
}

/** Unix nanoseconds, all digits. */
export function nanosText(seconds: number, nanos: number): string {
  if (seconds > 0) return `${seconds}${String(nanos).padStart(9, '0')}`;
  return String(BigInt(seconds) * 1_000_000_000n + BigInt(nanos));
}
