import { isIP, isIPv4 } from 'node:net';
import { type ByteWriter, cellForms } from '../../../core/sdk/index.ts';
import { type ColumnCodec, plainCell, ValueMisfit, writeVarText } from './column_codec.ts';
import type { RowReader } from './row_reader.ts';

/** String. Numbers, booleans, objects and arrays are kept as their JSON text, as ClickHouse does. */
export class StringCodec implements ColumnCodec {
  readonly nestable = true;
  readonly cell = plainCell(cellForms.text, 0);

  write(text: string, _quoted: boolean, out: ByteWriter): void {
    writeVarText(out, text);
  }

  writeDefault(out: ByteWriter): void {
    out.byte(0);
  }

  readJson(reader: RowReader): string {
    return JSON.stringify(reader.text(reader.varUint()));
  }
}

/** FixedString(N): N bytes, filled up with zeros. */
export class FixedStringCodec implements ColumnCodec {
  readonly nestable = true;
  private readonly bytes: number;

  constructor(bytes: number) {
    this.bytes = bytes;
  }

  write(text: string, _quoted: boolean, out: ByteWriter): void {
    const length = Buffer.byteLength(text);
    if (length > this.bytes) throw new ValueMisfit(`it has ${length} bytes`);
    this.writeDefault(out);
    out.buffer.write(text, out.length - this.bytes, 'utf8');
  }

  writeDefault(out: ByteWriter): void {
    out.reserve(this.bytes);
    out.buffer.fill(0, out.length, out.length + this.bytes);
    out.length += this.bytes;
  }

  readJson(reader: RowReader): string {
    const text = reader.text(this.bytes);
    let end = text.length;
    while (end > 0 && text.charCodeAt(end - 1) === 0) end--;
    return JSON.stringify(text.slice(0, end));
  }
}

/** UUID: two numbers of 64 bits, the high one first, each lowest byte first. */
export class UuidCodec implements ColumnCodec {
  readonly nestable = true;

  write(text: string, _quoted: boolean, out: ByteWriter): void {
    const hex = text.replaceAll('-', '');
    const isUuid = /^[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}$/i.test(text);
    if (!isUuid) throw new ValueMisfit('it is no UUID');
    out.reserve(16);
    const at = out.length;
    out.buffer.write(hex, at, 'hex');
    out.buffer.subarray(at, at + 8).reverse();
    out.buffer.subarray(at + 8, at + 16).reverse();
    out.length += 16;
  }

  writeDefault(out: ByteWriter): void {
    out.reserve(16);
    out.buffer.fill(0, out.length, out.length + 16);
    out.length += 16;
  }

  readJson(reader: RowReader): string {
    const at = reader.take(16);
    const high = Buffer.from(reader.bytes.subarray(at, at + 8)).reverse();
    const low = Buffer.from(reader.bytes.subarray(at + 8, at + 16)).reverse();
    const hex = Buffer.concat([high, low]).toString('hex');
    return `"${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}"`;
  }
}

/** IPv4: a number of 32 bits, lowest byte first. */
export class Ipv4Codec implements ColumnCodec {
  readonly nestable = true;

  write(text: string, _quoted: boolean, out: ByteWriter): void {
    if (!isIPv4(text)) throw new ValueMisfit('it is no IPv4 address');
    const parts = text.split('.');
    for (let i = 3; i >= 0; i--) out.byte(Number(parts[i]));
  }

  writeDefault(out: ByteWriter): void {
    for (let i = 0; i < 4; i++) out.byte(0);
  }

  readJson(reader: RowReader): string {
    const at = reader.take(4);
    return `"${[3, 2, 1, 0].map((i) => reader.bytes[at + i]).join('.')}"`;
  }
}

/** IPv6: 16 bytes as on the wire; an IPv4 address becomes `::ffff:` and itself. */
export class Ipv6Codec implements ColumnCodec {
  readonly nestable = true;

  write(text: string, _quoted: boolean, out: ByteWriter): void {
    const family = text.includes('%') ? 0 : isIP(text);
    if (family === 0) throw new ValueMisfit('it is no IP address');
    for (const group of ipv6Groups(family === 4 ? `::ffff:${text}` : text)) {
      out.byte(group >> 8);
      out.byte(group & 0xff);
    }
  }

  writeDefault(out: ByteWriter): void {
    for (let i = 0; i < 16; i++) out.byte(0);
  }

  readJson(reader: RowReader): string {
    const at = reader.take(16);
    const groups = Array.from({ length: 8 }, (_, i) =>
      reader.bytes.readUInt16BE(at + i * 2).toString(16),
    );
    // The URL parser writes addresses in their short form (RFC 5952).
    return `"${new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1)}"`;
  }
}

/** The eight numbers of a valid IPv6 address. */
function ipv6Groups(text: string): number[] {
  const [head, tail] = text.split('::') as [string, string | undefined];
  const front = groupsOf(head);
  if (tail === undefined) return front;
  const back = groupsOf(tail);
  return [...front, ...new Array<number>(8 - front.length - back.length).fill(0), ...back];
}

function groupsOf(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)];
    const [a, b, c, d] = group.split('.').map(Number) as [number, number, number, number];
    return [a * 256 + b, c * 256 + d];
  });
}
