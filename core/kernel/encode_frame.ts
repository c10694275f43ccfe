import type { Batch } from '../batch/batch.ts';
import { idPrefixLength } from '../batch/event_id.ts';
import { timeForms } from '../batch/event_time.ts';
import { layout } from '../batch/layout.ts';
import type { EncodeOptions } from './encode_options.ts';
import type { Kernel } from './kernel.ts';
import type { ArenaBlock } from './program_arena.ts';

/** Most added members that the kernel takes: it has one bit of 32 for each of two reasons. */
const addedMax = 16;

/** Bytes that column names may take; a batch that has more goes through JavaScript. */
const nameBytesMax = 16 * 1024;

const frameWords = 28;
const columnWords = 7;
const addedWords = 7;

/** The description of an encoding that the kernel reads: `Frame`, `Column` and `Added` of
 *  assembly/encode.ts, with the literals behind them.
 *
 *      frame | columns | added | literals that stay | column names of the last batch */
export class EncodeFrame {
  readonly address: number;
  private readonly kernel: Kernel;
  private readonly block: ArenaBlock;
  private readonly words: Int32Array;
  private readonly options: EncodeOptions;
  private readonly columnsAt: number;
  private readonly addedAt: number;
  private readonly idPrefixAt: number;
  private readonly namesAt: number;
  private literalAt: number;
  private addedKeys: string[] = [];
  /** Names whose bytes stand in memory, in column order. */
  private names: string[] = [];

  /** Undefined when the options are beyond the kernel or its memory is full. */
  static create(kernel: Kernel, options: EncodeOptions): EncodeFrame | undefined {
    const literals = literalsOf(options);
    if (literals.added.length > addedMax) return undefined;
    const bytes =
      (frameWords + layout.columnsMax * columnWords + addedMax * addedWords) * 4 +
      literals.bytes +
      nameBytesMax;
    const block = kernel.arena.take(bytes);
    return block === undefined ? undefined : new EncodeFrame(kernel, options, block);
  }

  private constructor(kernel: Kernel, options: EncodeOptions, block: ArenaBlock) {
    this.kernel = kernel;
    this.options = options;
    this.block = block;
    this.address = block.start;
    this.words = new Int32Array(kernel.memory.buffer, block.start, block.length >> 2);
    this.columnsAt = block.start + frameWords * 4;
    this.addedAt = this.columnsAt + layout.columnsMax * columnWords * 4;
    this.literalAt = this.addedAt + addedMax * addedWords * 4;
    this.idPrefixAt = this.literalAt;
    this.literalAt += idPrefixLength + 16;
    this.writeConstants();
    this.namesAt = this.literalAt;
  }

  close(): void {
    this.kernel.arena.release(this.block);
  }

  /** Points the frame at a batch. False when the kernel cannot encode it. */
  describe(batch: Batch, select: Uint8Array): boolean {
    if (!batch.inKernelMemory || batch.bytes !== this.kernel.bytes || batch.hasNested) return false;
    if (select.buffer !== this.kernel.memory.buffer) return false;
    const words = this.words;
    words[0] = select.byteOffset;
    words[1] = batch.rootStart.byteOffset;
    words[2] = batch.rootEnd.byteOffset;
    words[3] = batch.rootKind.byteOffset;
    words[4] = batch.seconds.byteOffset;
    words[5] = batch.nanos.byteOffset;
    words[6] = batch.offset.byteOffset;
    words[7] = batch.part.byteOffset;
    words[25] = batch.memberLists.byteOffset;
    return this.describeColumns(batch);
  }

  /** Says which source the ids are of. */
  setIdPrefix(idPrefix: string): void {
    this.kernel.bytes.latin1Write(idPrefix, this.idPrefixAt);
  }

  /** Tells where results go and where each record's own `before` stands (0: the constant one). */
  setResults(events: Int32Array, ends: Int32Array, beforeStarts: number, beforeEnds: number): void {
    this.words[21] = events.byteOffset;
    this.words[22] = ends.byteOffset;
    this.words[23] = beforeStarts;
    this.words[24] = beforeEnds;
  }

  private describeColumns(batch: Batch): boolean {
    const columns = batch.columns;
    this.words[8] = this.columnsAt;
    this.words[9] = columns.length;
    if (!this.hasNamesOf(batch) && !this.writeNames(batch)) {
      this.names = [];
      return false;
    }
    let at = (this.columnsAt - this.address) >> 2;
    for (let i = 0; i < columns.length; i++) {
      const column = columns[i]!;
      this.words[at] = column.start.byteOffset;
      this.words[at + 1] = column.end.byteOffset;
      this.words[at + 2] = column.kind.byteOffset;
      at += columnWords;
    }
    for (let i = 0; i < this.addedKeys.length; i++) {
      const column = this.names.indexOf(this.addedKeys[i]!);
      this.words[((this.addedAt - this.address) >> 2) + i * addedWords + 6] = column;
    }
    return true;
  }

  private hasNamesOf(batch: Batch): boolean {
    if (this.names.length !== batch.columns.length) return false;
    for (let i = 0; i < this.names.length; i++) {
      if (batch.columns[i]!.field.keys[0] !== this.names[i]) return false;
    }
    return true;
  }

  private writeNames(batch: Batch): boolean {
    this.names = batch.columns.map((column) => column.field.keys[0]!);
    this.literalAt = this.namesAt;
    let at = (this.columnsAt - this.address) >> 2;
    for (const column of batch.columns) {
      const key = Buffer.from(column.field.keys[0]!);
      const prefix = Buffer.concat([comma, column.field.memberPrefix, quote]);
      const needed = key.length + prefix.length + 64;
      if (this.literalAt + needed > this.block.start + this.block.length) return false;
      this.words[at + 3] = this.literal(key);
      this.words[at + 4] = key.length;
      this.words[at + 5] = this.literal(prefix);
      this.words[at + 6] = prefix.length;
      at += columnWords;
    }
    return true;
  }

  private writeConstants(): void {
    const { before, afterId, after, added } = literalsOf(this.options);
    const words = this.words;
    words[10] = this.literal(before);
    words[11] = before.length;
    words[12] = this.literal(afterId);
    words[13] = afterId.length;
    words[14] = this.literal(after);
    words[15] = after.length;
    words[16] = this.options.afterId === undefined ? 0 : this.idPrefixAt;
    words[17] = this.addedAt;
    words[18] = added.length;
    const format = this.options.time?.format;
    words[19] = format === undefined ? 0 : timeForms[format.form];
    words[20] = format?.digits ?? 0;
    const isFixed = this.options.writeBefore === undefined;
    const constants = isFixed ? [before, afterId, after] : [afterId, after];
    words[26] = constants.reduce((sum, bytes) => sum + countLineEnds(bytes), 0);
    let at = (this.addedAt - this.address) >> 2;
    for (const member of added) {
      this.addedKeys.push(member.name);
      words[at] = this.literal(member.key);
      words[at + 1] = member.key.length;
      words[at + 2] = this.literal(member.prefix);
      words[at + 3] = member.prefix.length;
      words[at + 4] = member.json === undefined ? 0 : this.literal(member.json);
      words[at + 5] = member.json?.length ?? 0;
      words[at + 6] = -1;
      at += addedWords;
    }
  }

  /** Puts bytes into the frame's room and returns their address; 16-byte loads run over it. */
  private literal(bytes: Buffer): number {
    const at = this.literalAt;
    bytes.copy(this.kernel.bytes, at);
    // The kernel's quick test reads the first byte even of an empty key: the closing quote.
    if (bytes.length === 0) this.kernel.bytes[at] = 0x22;
    this.literalAt = at + ((bytes.length + 16 + 15) & ~15);
    return at;
  }
}

const comma = Buffer.from(',');
const quote = Buffer.from('"');

function countLineEnds(bytes: Buffer): number {
  let count = 0;
  for (const byte of bytes) if (byte === 0x0a) count++;
  return count;
}

interface AddedLiteral {
  readonly name: string;
  readonly key: Buffer;
  readonly prefix: Buffer;
  readonly json: Buffer | undefined;
}

function literalsOf(options: EncodeOptions): {
  before: Buffer;
  afterId: Buffer;
  after: Buffer;
  added: AddedLiteral[];
  bytes: number;
} {
  const empty = Buffer.alloc(0);
  const added = (options.constants ?? []).map((member) => addedLiteral(member.key, member.json));
  if (options.time !== undefined) added.push(addedLiteral(options.time.key, undefined));
  const before = options.before ?? empty;
  const afterId = options.afterId ?? empty;
  const after = options.after ?? empty;
  let bytes = before.length + afterId.length + after.length + 4 * 32 + idPrefixLength;
  for (const member of added) {
    bytes += member.key.length + member.prefix.length + (member.json?.length ?? 0) + 3 * 32;
  }
  return { before, afterId, after, added, bytes };
}

function addedLiteral(name: string, json: Buffer | undefined): AddedLiteral {
  return { name, key: Buffer.from(name), prefix: Buffer.from(`${JSON.stringify(name)}:`), json };
}
