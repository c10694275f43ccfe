import type { Batch } from '../batch/batch.ts';
import { ByteWriter } from '../batch/byte_writer.ts';
import { valueKind } from '../batch/value_kind.ts';
import type { Kernel } from './kernel.ts';
import type { ArenaBlock } from './program_arena.ts';

const frameBytes = 64;
const literalBytes = 16 * 1024;
const listBytes = 64 * 1024;
/** Most members of an object; larger ones are the caller's. */
export const objectMembersMax = 64;
const objectWordsMax = 2 + objectMembersMax * 4;

/** Bytes in the kernel's memory. */
export interface Literal {
  readonly at: number;
  readonly length: number;
}

/** Makes events' roots of members whose values stand in the batch already, many objects a call:
 *  `assembly/objects.ts`, and the same in JavaScript for what has no room there. */
export class ObjectWriter {
  private readonly kernel: Kernel;
  private readonly block: ArenaBlock;
  private readonly frame: Int32Array;
  private readonly list: Int32Array;
  private readonly listStart: number;
  private literalAt: number;
  private readonly literalEnd: number;
  private batch: Batch | undefined;
  /** Words of the list that are done, and those of the object under way. */
  private done = 0;
  private at = 0;

  /** Undefined when the kernel's memory has no room. */
  static create(kernel: Kernel): ObjectWriter | undefined {
    const block = kernel.arena.take(frameBytes + literalBytes + listBytes);
    return block && new ObjectWriter(kernel, block);
  }

  private constructor(kernel: Kernel, block: ArenaBlock) {
    this.kernel = kernel;
    this.block = block;
    const { buffer } = kernel.memory;
    this.frame = new Int32Array(buffer, block.start, frameBytes >> 2);
    this.literalAt = block.start + frameBytes;
    this.literalEnd = this.literalAt + literalBytes;
    this.listStart = this.literalEnd;
    this.list = new Int32Array(buffer, this.listStart, listBytes >> 2);
  }

  /** Keeps `,"key":"` for `add`; undefined when there is no room for more. */
  keyLiteral(key: string): Literal | undefined {
    const bytes = Buffer.from(`,${JSON.stringify(key)}:"`);
    const at = this.literalAt;
    if (at + bytes.length + 16 > this.literalEnd) return undefined;
    bytes.copy(this.kernel.bytes, at);
    this.literalAt = at + ((bytes.length + 31) & ~15);
    return { at, length: bytes.length };
  }

  /** Turns to a batch, which is in the kernel's memory. */
  begin(batch: Batch): void {
    this.batch = batch;
    this.done = 0;
  }

  /** Begins an object. Without `end`, it never was. */
  open(): void {
    if (this.done + objectWordsMax > this.list.length) this.flush();
    this.at = this.done + 2;
  }

  /** Adds a member with the value at this span of the batch: text, or JSON. False when the object
   *  has too many. */
  add(key: Literal, start: number, end: number, kind: 1 | 2): boolean {
    // hot path
    const { list, at } = this;
    if (at - this.done === objectWordsMax) return false;
    list[at] = key.at;
    list[at + 1] = key.length | (kind << 16);
    list[at + 2] = start;
    list[at + 3] = end;
    this.at = at + 4;
    return true;
  }

  /** The object is whole: it becomes the root of event `index` with the next `flush`. */
  end(index: number): void {
    this.list[this.done] = index;
    this.list[this.done + 1] = (this.at - this.done - 2) >> 2;
    this.done = this.at;
  }

  /** Writes what was added. */
  flush(): void {
    const { batch, frame, list, listStart } = this;
    if (this.done === 0 || batch === undefined) return;
    const listEnd = listStart + this.done * 4;
    const out = batch.scratchUsed;
    frame[0] = listEnd;
    frame[1] = batch.rootStart.byteOffset;
    frame[2] = batch.rootEnd.byteOffset;
    frame[3] = batch.rootKind.byteOffset;
    frame[4] = batch.memberLists.byteOffset;
    frame[5] = out;
    frame[6] = batch.scratchLimit;
    const next = this.kernel.code.writeObjects(this.block.start, listStart);
    batch.reserveScratch(frame[5]! - out);
    for (let at = (next - listStart) >> 2; at < this.done; at += 2 + list[at + 1]! * 4) {
      batch.replaceRoot(list[at]!, this.written(batch, at));
    }
    this.done = 0;
  }

  close(): void {
    this.kernel.arena.release(this.block);
  }

  /** The JSON of the object at this word of the list. */
  private written(batch: Batch, at: number): Buffer {
    const { list } = this;
    const out = new ByteWriter(1024);
    const end = at + 2 + list[at + 1]! * 4;
    for (let member = at + 2; member < end; member += 4) {
      const prefix = list[member]!;
      const prefixBytes = list[member + 1]! & 0xffff;
      out.bytes(batch.bytes, prefix, prefix + prefixBytes);
      if (list[member + 1]! >> 16 === valueKind.json) {
        out.length--;
        out.bytes(batch.bytes, list[member + 2]!, list[member + 3]!);
        continue;
      }
      out.escaped(batch.bytes, list[member + 2]!, list[member + 3]!);
      out.byte(0x22);
    }
    if (out.length === 0) out.byte(0x2c);
    out.byte(0x7d);
    out.buffer[0] = 0x7b;
    return Buffer.from(out.view());
  }
}
