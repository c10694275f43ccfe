import type { Batch } from '../batch/batch.ts';
import { isJsonObject, MemberCursor } from '../batch/json_bytes.ts';
import { layout } from '../batch/layout.ts';
import { type Kernel, isInKernel } from './kernel.ts';
import type { ArenaBlock } from './program_arena.ts';

/** Where one wanted key stands in each event: -1 where it is absent. Positions are absolute. */
export interface ScannedKey {
  /** The key's opening quote. */
  keyStart: Int32Array;
  valueStart: Int32Array;
  valueEnd: Int32Array;
}

/** Finds top-level members of events by name, without parsing the rest.
 *
 *  `keys` are plain UTF-8 names. Only roots are looked at: columns that stand over them are the
 *  caller's business. Results are valid until the next `scan`. */
export class JsonScanner {
  readonly results: readonly ScannedKey[];
  /** 1 for an event whose answer must come from `findMember`: its root is not in the batch's
   *  bytes, a key is escaped so that it could be one of the wanted, or a wanted key stands there
   *  twice. Its results are meaningless. */
  slow: Uint8Array;

  private readonly keys: readonly Buffer[];
  private readonly kernel: Kernel | undefined;
  private readonly block: ArenaBlock | undefined;
  private readonly table: number = 0;
  private readonly mask: bigint = 0n;
  private readonly cursor = new MemberCursor();
  private capacity = layout.eventsMax as number;

  constructor(kernel: Kernel | undefined, keys: readonly Buffer[]) {
    this.keys = keys;
    const arrayBytes = layout.eventsMax * 4;
    const tableBytes = keys.length * 20 + keys.reduce((sum, key) => sum + key.length + 32, 0) + 16;
    this.block = kernel?.arena.take((keys.length * 3 + 1) * arrayBytes + tableBytes);
    if (kernel === undefined || this.block === undefined) {
      // Without room in kernel memory the scanner works in JavaScript.
      this.results = keys.map(() => heapResult(this.capacity));
      this.slow = new Uint8Array(this.capacity);
      return;
    }
    this.kernel = kernel;
    const memory = kernel.memory.buffer;
    let at = this.block.start;
    const array = (): Int32Array => {
      at += arrayBytes;
      return new Int32Array(memory, at - arrayBytes, layout.eventsMax);
    };
    this.results = keys.map(() => ({ keyStart: array(), valueStart: array(), valueEnd: array() }));
    this.slow = new Uint8Array(memory, at, layout.eventsMax);
    this.table = at + layout.eventsMax;
    this.mask = writeKeyTable(kernel, this.table, keys, this.results);
  }

  /** Looks at the events that `select` marks. */
  scan(batch: Batch, select: Uint8Array = batch.select): void {
    const kernel = this.kernel;
    if (kernel !== undefined && batch.inKernelMemory && isInKernel(kernel, batch.bytes, select)) {
      kernel.code.scanObjects(
        batch.count,
        select.byteOffset,
        batch.rootStart.byteOffset,
        batch.rootEnd.byteOffset,
        batch.rootKind.byteOffset,
        batch.memberLists.byteOffset,
        this.table,
        this.keys.length,
        this.mask,
        this.slow.byteOffset,
      );
      return;
    }
    this.scanInScript(batch, select);
  }

  /** As `scan`, without the kernel. */
  scanInScript(batch: Batch, select: Uint8Array): void {
    if (batch.capacity > this.capacity) this.grow(batch.capacity);
    for (let index = 0; index < batch.count; index++) {
      if (select[index] === 0) continue;
      for (let key = 0; key < this.keys.length; key++) {
        const result = this.results[key]!;
        result.keyStart[index] = -1;
        result.valueStart[index] = -1;
        result.valueEnd[index] = -1;
      }
      const kind = batch.rootKind[index]!;
      const odd = kind === 2 || (kind === 1 && !this.scanObject(batch, index));
      this.slow[index] = odd ? 1 : 0;
    }
  }

  /** Frees the scanner's kernel memory. */
  close(): void {
    if (this.block !== undefined) this.kernel?.arena.release(this.block);
  }

  private scanObject(batch: Batch, index: number): boolean {
    // hot path
    const cursor = this.cursor;
    const bytes = batch.bytes;
    cursor.start(bytes, batch.rootStart[index]!);
    while (cursor.next()) {
      for (let at = cursor.keyStart; at < cursor.keyEnd; at++) {
        if (bytes[at] === 0x5c) return false;
      }
      for (let key = 0; key < this.keys.length; key++) {
        if (!cursor.keyEquals(this.keys[key]!)) continue;
        const result = this.results[key]!;
        if (result.keyStart[index] !== -1) return false;
        result.keyStart[index] = cursor.keyStart - 1;
        result.valueStart[index] = cursor.valueStart;
        result.valueEnd[index] = cursor.valueEnd;
        break;
      }
    }
    return true;
  }

  /** A heap batch may have more events than a slot. */
  private grow(capacity: number): void {
    this.capacity = capacity;
    for (const result of this.results) Object.assign(result, heapResult(capacity));
    this.slow = new Uint8Array(capacity);
  }
}

/** Checks spans for being one JSON object each, as `isJsonObject` does. */
export class JsonValidator {
  /** 1 for a selected span that is a JSON object within `nestingDepthMax`, else 0. */
  valid: Uint8Array;
  /** Address of the member list of each object that has one, else 0: what `memberLists` of the
   *  batch wants once the span is the event's root. */
  lists: Int32Array;
  private readonly kernel: Kernel | undefined;
  private readonly block: ArenaBlock | undefined;

  constructor(kernel: Kernel | undefined) {
    this.kernel = kernel;
    this.block = kernel?.arena.take(layout.eventsMax * 5);
    if (kernel === undefined || this.block === undefined) {
      this.valid = new Uint8Array(layout.eventsMax);
      this.lists = new Int32Array(layout.eventsMax);
      return;
    }
    const { start } = this.block;
    this.lists = new Int32Array(kernel.memory.buffer, start, layout.eventsMax);
    this.valid = new Uint8Array(
      kernel.memory.buffer,
      start + this.lists.byteLength,
      layout.eventsMax,
    );
  }

  /** Checks the spans of the events that `select` marks; results are in `valid`. The spans are
   *  of the batch's bytes. */
  validate(
    batch: Batch,
    starts: Int32Array,
    ends: Int32Array,
    select: Uint8Array = batch.select,
  ): void {
    const kernel = this.kernel;
    if (
      kernel !== undefined &&
      batch.inKernelMemory &&
      starts.buffer === kernel.memory.buffer &&
      isInKernel(kernel, select, this.valid)
    ) {
      batch.listsEnd = kernel.code.validateObjects(
        batch.count,
        starts.byteOffset,
        ends.byteOffset,
        select.byteOffset,
        this.valid.byteOffset,
        this.lists.byteOffset,
        batch.listsEnd,
        batch.listsLimit,
      );
      return;
    }
    if (this.valid.length < batch.capacity) {
      this.valid = new Uint8Array(batch.capacity);
      this.lists = new Int32Array(batch.capacity);
    }
    this.lists.fill(0, 0, batch.count);
    for (let index = 0; index < batch.count; index++) {
      if (select[index] === 0) continue;
      this.valid[index] = isJsonObject(batch.bytes, starts[index]!, ends[index]!) ? 1 : 0;
    }
  }

  /** Frees the validator's kernel memory. */
  close(): void {
    if (this.block !== undefined) this.kernel?.arena.release(this.block);
  }
}

/** Bit of a key in the kernel's quick test; as `maskBit` of assembly/bytes.ts. */
function maskBit(key: Buffer): bigint {
  // The byte behind the opening quote: of an empty key, the closing quote.
  const first = key.length === 0 ? 0x22 : key[0]!;
  return 1n << BigInt((first + key.length * 7) & 63);
}

/** Writes the table that `scanObjects` reads, and the keys behind it. */
function writeKeyTable(
  kernel: Kernel,
  table: number,
  keys: readonly Buffer[],
  results: readonly ScannedKey[],
): bigint {
  const words = new Int32Array(kernel.memory.buffer, table, keys.length * 5);
  let text = table + keys.length * 20;
  let mask = 0n;
  keys.forEach((key, i) => {
    key.copy(kernel.bytes, text);
    // The kernel's quick tests read the first byte even of an empty key: the closing quote.
    if (key.length === 0) kernel.bytes[text] = 0x22;
    words[i * 5] = text;
    words[i * 5 + 1] = key.length;
    words[i * 5 + 2] = results[i]!.keyStart.byteOffset;
    words[i * 5 + 3] = results[i]!.valueStart.byteOffset;
    words[i * 5 + 4] = results[i]!.valueEnd.byteOffset;
    // 16-byte loads run over a key's end.
    text += key.length + 16;
    mask |= maskBit(key);
  });
  return mask;
}

function heapResult(capacity: number): ScannedKey {
  return {
    keyStart: new Int32Array(capacity),
    valueStart: new Int32Array(capacity),
    valueEnd: new Int32Array(capacity),
  };
}
