import type { Batch } from './batch.ts';
import type { ByteWriter } from './byte_writer.ts';
import { isJsonSpace, MemberCursor, skipJsonSpace } from './json_bytes.ts';
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
 *  Order: the root's untouched members as they stand (with the white space between two that
 *  both stay), then the touched fields in the order of the columns (see `column_order.ts`), then
 *  the added members. */
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
    if (!isTouched(batch, index)) {
      const first = skipJsonSpace(bytes, start);
      const end = membersEnd(bytes, batch.foundEnd);
      if (end > first) out.bytes(bytes, first, end);
      return;
    }
    this.cursor.start(bytes, start - 1);
    // Neighbours that stay go out as they stand, with what is between them.
    let runStart = -1;
    let runEnd = 0;
    while (this.cursor.next()) {
      if (!this.isOverlaid(batch, index)) {
        if (runStart < 0) runStart = this.cursor.keyStart - 1;
        runEnd = this.cursor.valueEnd;
      } else if (runStart >= 0) {
        if (out.length > begin) out.byte(0x2c);
        out.bytes(bytes, runStart, runEnd);
        runStart = -1;
      }
    }
    if (runStart < 0) return;
    if (out.length > begin) out.byte(0x2c);
    out.bytes(bytes, runStart, runEnd);
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

/** Position behind the last member of the object whose span ends at `end`. */
function membersEnd(bytes: Buffer, end: number): number {
  end--;
  while (bytes[end] !== 0x7d) end--;
  while (isJsonSpace(bytes[end - 1]!)) end--;
  return end;
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
