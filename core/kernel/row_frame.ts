import type { Batch } from '../batch/batch.ts';
import type { Field } from '../batch/field.ts';
import { isArrayIndex } from '../batch/json_bytes.ts';
import { layout } from '../batch/layout.ts';
import type { EncodePlace } from './encode_options.ts';
import { type Kernel, isInKernel } from './kernel.ts';
import type { ArenaBlock } from './program_arena.ts';
import type { Cell } from './row_cell.ts';

/** A column of the rows. Without a cell its values are written by the caller. */
export interface RowColumn {
  readonly field: Field;
  readonly cell: Cell | undefined;
  /** Takes the event's time when the field is missing. */
  readonly takesTime: boolean;
}

/** The kernel has one bit of 64 for each. */
const nodesMax = 64;
const frameWords = 17;
const nodeWords = 12;
const columnWords = 5;
const headBytes = 64;
const spanBytes = layout.eventsMax * 9;

/** A wanted key, at the top (`parent` -1) or in the object of another. */
interface Node {
  readonly key: string;
  readonly parent: number;
  hasChildren: boolean;
  hasElements: boolean;
  readonly start: Int32Array;
  readonly end: Int32Array;
  readonly kind: Uint8Array;
}

/** Finds the values of columns in all events of a batch at once, and writes rows of RowBinary from
 *  them: `RowFrame`, `RowNode` and `RowColumn` of assembly/rows.ts.
 *
 *      frame | columns | heads | nodes | spans of each node | located | keys */
export class RowFrame {
  /** Every column has a cell: `encode` may be called. */
  readonly writesRows: boolean;
  /** What the last `encode` wrote: index of each row's event, position behind each row. */
  readonly events: Int32Array;
  readonly ends: Int32Array;
  /** Where the rows of the last call begin. */
  outStart: number;
  count = 0;
  /** Why it ended; see `encodeStop`. */
  stop = 0;

  private readonly kernel: Kernel;
  private readonly block: ArenaBlock;
  private readonly words: Int32Array;
  private readonly nodes: Node[] = [];
  private readonly nodesAt: number;
  private readonly located: Uint8Array;
  /** Per column: number of the node that comes first where it is there, or -1; then the other. */
  private readonly literalOf: number[] = [];
  private readonly nodeOf: number[] = [];
  private readonly stagingOut: number;
  private batch: Batch | undefined;

  /** Undefined when the columns are beyond the kernel or its memory is full. */
  static create(kernel: Kernel, columns: readonly RowColumn[]): RowFrame | undefined {
    const wanted = new Map<string, undefined>();
    let keyBytes = 0;
    for (const { field } of columns) {
      const paths = field.literal === undefined ? [field.keys] : [field.keys, [field.literal]];
      for (const keys of paths) {
        for (let i = 1; i <= keys.length; i++)
          wanted.set(JSON.stringify(keys.slice(0, i)), undefined);
        for (const key of keys) keyBytes += Buffer.byteLength(key) + 16;
      }
    }
    if (columns.length === 0 || wanted.size > nodesMax) return undefined;
    const fixed = frameWords * 4 + columns.length * columnWords * 4 + headBytes;
    const perNode = nodeWords * 4 + spanBytes;
    const block = kernel.arena.take(fixed + wanted.size * perNode + layout.eventsMax + keyBytes);
    return block && new RowFrame(kernel, block, columns, wanted.size);
  }

  private constructor(
    kernel: Kernel,
    block: ArenaBlock,
    columns: readonly RowColumn[],
    nodeCount: number,
  ) {
    this.kernel = kernel;
    this.block = block;
    this.writesRows = columns.every(({ cell }) => cell !== undefined);
    const { buffer } = kernel.memory;
    this.words = new Int32Array(buffer, block.start, block.length >> 2);
    const columnsAt = block.start + frameWords * 4;
    const headsAt = columnsAt + columns.length * columnWords * 4;
    this.nodesAt = headsAt + headBytes;
    const spansAt = this.nodesAt + nodeCount * nodeWords * 4;
    for (const { field } of columns) {
      this.literalOf.push(
        field.literal === undefined ? -1 : this.nodeFor([field.literal], spansAt),
      );
      this.nodeOf.push(this.nodeFor(field.keys, spansAt));
    }
    const locatedAt = spansAt + nodeCount * spanBytes;
    this.located = new Uint8Array(buffer, locatedAt, layout.eventsMax);
    const { stagingStart } = layout;
    this.events = new Int32Array(buffer, stagingStart, layout.eventsMax);
    this.ends = new Int32Array(buffer, stagingStart + layout.eventsMax * 4, layout.eventsMax);
    this.stagingOut = stagingStart + layout.eventsMax * 8 + layout.guardBytes;
    this.outStart = this.stagingOut;
    this.words.set([this.nodesAt, nodeCount, columnsAt, columns.length, headsAt], 7);
    this.words.set([this.events.byteOffset, this.ends.byteOffset, locatedAt], 12);
    this.writeColumns(columns, columnsAt);
    this.writeNodes(headsAt, locatedAt + layout.eventsMax);
  }

  /** Points the frame at a batch. False when the kernel cannot look at it. */
  begin(batch: Batch, select: Uint8Array): boolean {
    this.batch = undefined;
    if (!batch.inKernelMemory || batch.hasNested) return false;
    if (!isInKernel(this.kernel, batch.bytes, select)) return false;
    const { words } = this;
    words[0] = select.byteOffset;
    words[1] = batch.rootStart.byteOffset;
    words[2] = batch.rootEnd.byteOffset;
    words[3] = batch.rootKind.byteOffset;
    words[4] = batch.seconds.byteOffset;
    words[5] = batch.nanos.byteOffset;
    words[6] = batch.memberLists.byteOffset;
    this.pointAtColumns(batch);
    this.located.fill(0, 0, batch.count);
    this.batch = batch;
    return true;
  }

  /** Finds the values of all selected events. */
  locateAll(): void {
    this.run(0, 1);
  }

  /** Writes rows from event `from` on, to `place` if there is one; returns the index of the first
   *  event that it did not do. The rows stand from `outStart` on. */
  encode(from: number, place?: EncodePlace): number {
    return this.run(from, 0, place);
  }

  /** As `batch.locate` for column `column`, by what was found before where it was. */
  locate(index: number, column: number, field: Field, batch: Batch): boolean {
    if (this.batch !== batch || this.located[index] !== 1) return batch.locate(index, field);
    const first = this.literalOf[column]!;
    let node = this.nodes[this.nodeOf[column]!]!;
    if (first >= 0 && this.nodes[first]!.kind[index] !== 0) node = this.nodes[first]!;
    const kind = node.kind[index]!;
    if (kind === 0) return false;
    batch.foundKind = kind;
    batch.foundBytes = batch.bytes;
    batch.foundStart = node.start[index]!;
    batch.foundEnd = node.end[index]!;
    return true;
  }

  /** Frees the frame's kernel memory. */
  close(): void {
    this.kernel.arena.release(this.block);
  }

  private run(from: number, locateOnly: 0 | 1, place?: EncodePlace): number {
    const { code } = this.kernel;
    const { count } = this.batch!;
    this.words[15] = locateOnly;
    this.outStart = place?.at ?? this.stagingOut;
    const outEnd = place?.end ?? layout.stagingStart + layout.stagingBytes;
    const limit = place === undefined ? count : Math.min(count, from + place.records);
    const next = code.encodeRows(this.block.start, from, limit, this.outStart, outEnd);
    this.count = code.rowsCount.value;
    this.stop = code.rowsStop.value;
    return next;
  }

  private nodeFor(keys: readonly string[], spansAt: number): number {
    let parent = -1;
    for (const key of keys) {
      let number = this.nodes.findIndex((node) => node.key === key && node.parent === parent);
      if (number < 0) {
        const { buffer } = this.kernel.memory;
        const at = spansAt + this.nodes.length * spanBytes;
        const arrayBytes = layout.eventsMax * 4;
        number = this.nodes.length;
        this.nodes.push({
          key,
          parent,
          hasChildren: false,
          hasElements: false,
          start: new Int32Array(buffer, at, layout.eventsMax),
          end: new Int32Array(buffer, at + arrayBytes, layout.eventsMax),
          kind: new Uint8Array(buffer, at + 2 * arrayBytes, layout.eventsMax),
        });
        const above = this.nodes[parent];
        if (above !== undefined) {
          above.hasChildren = true;
          above.hasElements ||= isArrayIndex(key);
        }
      }
      parent = number;
    }
    return parent;
  }

  private writeColumns(columns: readonly RowColumn[], columnsAt: number): void {
    let at = (columnsAt - this.block.start) >> 2;
    columns.forEach(({ cell, takesTime }, i) => {
      const nullable = cell?.isNullable ? 1 : 0;
      const flags = nullable | (takesTime ? 2 : 0) | (cell?.isUtc ? 4 : 0);
      const { literalOf, nodeOf } = this;
      this.words.set([cell?.form ?? 0, cell?.size ?? 0, flags, literalOf[i]!, nodeOf[i]!], at);
      at += columnWords;
    });
  }

  private writeNodes(headsAt: number, keysAt: number): void {
    const { bytes } = this.kernel;
    const parents = this.nodes;
    parents.forEach((node, i) => {
      const key = Buffer.from(node.key);
      key.copy(bytes, keysAt);
      const head = headsAt + chainOf(key);
      const next = bytes[head]!;
      bytes[head] = i + 1;
      const { start, end, kind } = node;
      this.words.set([keysAt, key.length, node.parent, next], this.wordOf(i));
      this.words.set([start.byteOffset, end.byteOffset, kind.byteOffset], this.wordOf(i) + 4);
      this.words[this.wordOf(i) + 10] = node.hasChildren ? 1 : 0;
      this.words[this.wordOf(i) + 11] = node.hasElements ? 1 : 0;
      // 16-byte loads run over a key's end.
      keysAt += key.length + 16;
    });
  }

  private wordOf(node: number): number {
    return ((this.nodesAt - this.block.start) >> 2) + node * nodeWords;
  }

  private pointAtColumns(batch: Batch): void {
    const hasColumns = batch.columns.length > 0;
    this.words[16] = hasColumns ? 1 : 0;
    if (!hasColumns) return;
    this.nodes.forEach((node, i) => {
      const column =
        node.parent < 0 ? batch.columns.find(({ field }) => field.keys[0] === node.key) : undefined;
      const at = this.wordOf(i) + 7;
      this.words[at] = column?.start.byteOffset ?? 0;
      this.words[at + 1] = column?.end.byteOffset ?? 0;
      this.words[at + 2] = column?.kind.byteOffset ?? 0;
    });
  }
}

/** Number of a key's chain; as `maskNumber` of assembly/bytes.ts. */
function chainOf(key: Buffer): number {
  // The byte behind the opening quote: of an empty key, the closing quote.
  const first = key.length === 0 ? 0x22 : key[0]!;
  return (first + key.length * 7) & 63;
}
