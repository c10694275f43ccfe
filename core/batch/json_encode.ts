import type { Batch } from './batch.ts';
import type { ByteWriter } from './byte_writer.ts';
import { MemberCursor, skipJsonSpace } from './json_bytes.ts';
import { valueKind } from './value_kind.ts';

/** Members that an encoder adds to an event when it does not have one of that name. */
export interface AddedMember {
  readonly key: string;
  /** `"key":` as JSON bytes. */
  readonly prefix: Buffer;
  /** Writes the value as JSON. */
  write(batch: Batch, index: number, out: ByteWriter): void;
}

/** Writes events as JSON objects: the reference that the kernel's encoder must equal.
 *
 *  Order: the root's untouched members as they stand (white space between them included, as
 *  long as none is left out), then the touched fields in the order in
 *  which stages first touched them, then the added members. */
export class JsonEventEncoder {
  private readonly cursor = new MemberCursor();
  private readonly keyBytes = new Map<string, Buffer>();
  private readonly added: readonly AddedMember[];

  constructor(added: readonly AddedMember[] = []) {
    this.added = added;
  }

  write(batch: Batch, index: number, out: ByteWriter): void {
    if (batch.hasNested) batch.collapseAll(index);
    out.byte(0x7b);
    const begin = out.length;
    this.writeRoot(batch, index, out);
    for (let i = 0; i < batch.columns.length; i++) {
      const column = batch.columns[i]!;
      const kind = column.kind[index]!;
      if (kind === valueKind.absent || kind === valueKind.removed) continue;
      if (out.length > begin) out.byte(0x2c);
      out.bytes(column.field.memberPrefix);
      writeColumnValue(batch, column.start[index]!, column.end[index]!, kind, out);
    }
    for (const member of this.added) {
      if (this.has(batch, index, member.key)) continue;
      if (out.length > begin) out.byte(0x2c);
      out.bytes(member.prefix);
      member.write(batch, index, out);
    }
    out.byte(0x7d);
  }

  private writeRoot(batch: Batch, index: number, out: ByteWriter): void {
    const bytes = batch.rootBytes(index);
    if (bytes === undefined) return;
    const begin = out.length;
    const start = skipJsonSpace(bytes, batch.foundStart) + 1;
    if (!isTouched(batch, index) || !this.hasOverlaid(batch, index, bytes, start - 1)) {
      let end = batch.foundEnd - 1;
      while (bytes[end] !== 0x7d) end--;
      out.bytes(bytes, skipJsonSpace(bytes, start), end);
      return;
    }
    this.cursor.start(bytes, start - 1);
    while (this.cursor.next()) {
      if (this.isOverlaid(batch, index)) continue;
      if (out.length > begin) out.byte(0x2c);
      out.bytes(bytes, this.cursor.keyStart - 1, this.cursor.valueEnd);
    }
  }

  /** True when a column stands over some member of the root. */
  private hasOverlaid(batch: Batch, index: number, bytes: Buffer, start: number): boolean {
    this.cursor.start(bytes, start);
    while (this.cursor.next()) if (this.isOverlaid(batch, index)) return true;
    return false;
  }

  private isOverlaid(batch: Batch, index: number): boolean {
    for (let i = 0; i < batch.columns.length; i++) {
      const column = batch.columns[i]!;
      if (column.kind[index] === valueKind.absent || column.field.keys.length > 1) continue;
      if (this.cursor.keyEquals(this.key(column.field.keys[0]!))) return true;
    }
    return false;
  }

  private has(batch: Batch, index: number, key: string): boolean {
    for (let i = 0; i < batch.columns.length; i++) {
      const column = batch.columns[i]!;
      if (column.field.keys.length > 1 || column.field.keys[0] !== key) continue;
      const kind = column.kind[index]!;
      if (kind !== valueKind.absent) return kind !== valueKind.removed;
    }
    const bytes = batch.rootBytes(index);
    if (bytes === undefined) return false;
    const wanted = this.key(key);
    this.cursor.start(bytes, batch.foundStart);
    while (this.cursor.next()) if (this.cursor.keyEquals(wanted)) return true;
    return false;
  }

  /** Keys of configured fields: a bounded set. */
  private key(text: string): Buffer {
    let bytes = this.keyBytes.get(text);
    if (bytes === undefined) {
      bytes = Buffer.from(text);
      if (this.keyBytes.size < 1024) this.keyBytes.set(text, bytes);
    }
    return bytes;
  }
}

function isTouched(batch: Batch, index: number): boolean {
  for (let i = 0; i < batch.columns.length; i++) {
    if (batch.columns[i]!.kind[index] !== valueKind.absent) return true;
  }
  return false;
}

function writeColumnValue(
  batch: Batch,
  start: number,
  end: number,
  kind: number,
  out: ByteWriter,
): void {
  const external = kind >= valueKind.externalText;
  const bytes = external ? batch.external[start]! : batch.bytes;
  const from = external ? 0 : start;
  const to = external ? bytes.length : end;
  if (kind === valueKind.json || kind === valueKind.externalJson) {
    out.bytes(bytes, from, to);
    return;
  }
  out.byte(0x22);
  out.escaped(bytes, from, to);
  out.byte(0x22);
}
