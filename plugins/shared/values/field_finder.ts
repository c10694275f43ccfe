import {
  type Batch,
  type Column,
  type Field,
  JsonScanner,
  layout,
  type PluginContext,
  valueKind,
} from '../../../core/sdk/index.ts';

/** A scanner's arrays take 24 KiB of kernel memory a key: past this many, events are asked one by one. */
const scannedKeysMax = 32;

/** Finds the same fields in all events of a batch: with one scan over the roots where that works,
 *  else event by event. `begin` comes first for each batch.
 *
 *  The scan stays true while columns are edited. A caller that replaces an event's root says so
 *  with `rootChanged`. */
export class FieldFinder {
  /** What `find` found: as `found…` of the batch. */
  bytes: Buffer = Buffer.alloc(0);
  start = 0;
  end = 0;
  kind: 1 | 2 = valueKind.text;

  private readonly kernel: PluginContext['kernel'];
  private readonly fields: Field[] = [];
  private readonly names: string[] = [];
  /** Per field: its place among the scanned keys, or -1. */
  private readonly keyOf: number[] = [];
  private scanner: JsonScanner | undefined;
  private isScanned = false;
  private readonly columns: (Column | undefined)[] = [];
  private columnCount = -1;

  constructor(kernel: PluginContext['kernel']) {
    this.kernel = kernel;
  }

  /** Adds a field, before the first batch, and returns its number. */
  add(field: Field): number {
    this.keyOf.push(this.keyFor(field));
    this.columns.push(undefined);
    return this.fields.push(field) - 1;
  }

  /** Looks at a new batch; `select` says at which of its events. */
  begin(batch: Batch, select: Uint8Array = batch.select): void {
    this.columnCount = -1;
    this.isScanned = false;
    if (this.names.length === 0 || batch.hasNested || !hasRoot(batch, select)) return;
    this.scanner ??= new JsonScanner(
      this.kernel,
      this.names.map((name) => Buffer.from(name)),
    );
    this.scanner.scan(batch, select);
    this.isScanned = true;
  }

  /** The root of an event is not what it was at `begin`. */
  rootChanged(index: number): void {
    if (this.isScanned) this.scanner!.slow[index] = 1;
  }

  /** Where the roots have field number `which`, when no column stands over it, so that `start`
   *  and `end` answer for all events at once (-1: missing) but those that `slow` marks: they are
   *  for `find`. Undefined when all are. */
  scanned(batch: Batch, which: number): ScannedField | undefined {
    const key = this.keyOf[which]!;
    if (!this.isScanned || key < 0 || batch.hasNested) return undefined;
    if (batch.columns.length === layout.columnsMax) return undefined;
    if (this.column(batch, which) !== undefined) return undefined;
    const { results, slow } = this.scanner!;
    return { start: results[key]!.valueStart, end: results[key]!.valueEnd, slow };
  }

  /** Finds field number `which` of one event. */
  find(batch: Batch, index: number, which: number): boolean {
    // hot path
    const key = this.keyOf[which]!;
    // With all columns in use, edits go into roots.
    const isFull = batch.columns.length === layout.columnsMax;
    if (key < 0 || batch.hasNested || isFull) return this.locate(batch, index, which);
    const column = this.column(batch, which);
    if (column !== undefined) {
      const kind = column.kind[index]!;
      if (kind === valueKind.removed) return false;
      if (kind === valueKind.text || kind === valueKind.json) {
        this.bytes = batch.bytes;
        this.start = column.start[index]!;
        this.end = column.end[index]!;
        this.kind = kind;
        return true;
      }
      if (kind !== valueKind.absent) return this.locate(batch, index, which);
    }
    if (batch.rootKind[index] === 0) return false;
    if (!this.isScanned || this.scanner!.slow[index] === 1) return this.locate(batch, index, which);
    const result = this.scanner!.results[key]!;
    const start = result.valueStart[index]!;
    if (start < 0) return false;
    this.bytes = batch.bytes;
    this.start = start;
    this.end = result.valueEnd[index]!;
    this.kind = valueKind.json;
    return true;
  }

  /** True when the text of what was found stands in `bytes` as it is; then `start` and `end` are
   *  moved to it, inside the quotes of a string. */
  narrowToText(): boolean {
    // hot path
    if (this.kind === valueKind.text || this.bytes[this.start] !== 0x22) return true;
    for (let at = this.start + 1; at < this.end - 1; at++) {
      if (this.bytes[at] === 0x5c) return false;
    }
    this.start++;
    this.end--;
    this.kind = valueKind.text;
    return true;
  }

  /** What was found, as a string: text as it is, a JSON string unescaped, other JSON as written. */
  text(): string {
    const text = this.bytes.utf8Slice(this.start, this.end);
    if (this.kind === valueKind.text || text.charCodeAt(0) !== 0x22) return text;
    return text.includes('\\') ? (JSON.parse(text) as string) : text.slice(1, -1);
  }

  /** True when what was found is a string. */
  isString(): boolean {
    return this.kind === valueKind.text || this.bytes[this.start] === 0x22;
  }

  close(): void {
    this.scanner?.close();
    this.scanner = undefined;
  }

  private keyFor(field: Field): number {
    if (field.keys.length > 1) return -1;
    const name = field.keys[0]!;
    const known = this.names.indexOf(name);
    if (known >= 0 || this.names.length === scannedKeysMax) return known;
    return this.names.push(name) - 1;
  }

  /** Takes a value of the batch's bytes for the one found. */
  take(batch: Batch, start: number, end: number): void {
    this.bytes = batch.bytes;
    this.start = start;
    this.end = end;
    this.kind = valueKind.json;
  }

  private column(batch: Batch, which: number): Column | undefined {
    if (this.columnCount !== batch.columns.length) {
      for (let i = 0; i < this.fields.length; i++) {
        this.columns[i] = batch.findColumn(this.fields[i]!);
      }
      this.columnCount = batch.columns.length;
    }
    return this.columns[which];
  }

  private locate(batch: Batch, index: number, which: number): boolean {
    if (!batch.locate(index, this.fields[which]!)) return false;
    this.bytes = batch.foundBytes;
    this.start = batch.foundStart;
    this.end = batch.foundEnd;
    // `locate` gives text or json, no other kind.
    this.kind = batch.foundKind as 1 | 2;
    return true;
  }
}

export interface ScannedField {
  readonly start: Int32Array;
  readonly end: Int32Array;
  readonly slow: Uint8Array;
}

function hasRoot(batch: Batch, select: Uint8Array): boolean {
  for (let index = 0; index < batch.count; index++) {
    if (select[index] === 1 && batch.rootKind[index] !== 0) return true;
  }
  return false;
}
