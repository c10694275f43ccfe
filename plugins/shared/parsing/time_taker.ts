import {
  type Batch,
  JsonScanner,
  type ParsedFields,
  type ParserTime,
  type PluginContext,
} from '../../../core/sdk/index.ts';

/** A reader that can also read bytes. */
interface BytesReader {
  parseBytes(bytes: Uint8Array, start: number, end: number): boolean;
}

/** Takes the time of events out of the field that a parser names. */
export class TimeTaker {
  /** Key of the field when it is of the top level. */
  readonly key: string | undefined;
  /** Where `takeFromFields` found the field; -1 when it did not. */
  position = -1;
  private readonly time: ParserTime;
  private readonly bytesReader: BytesReader | undefined;
  private scanner: JsonScanner | undefined;

  constructor(time: ParserTime) {
    this.time = time;
    const { keys, literal } = time.field;
    this.key = literal ?? (keys.length === 1 ? keys[0] : undefined);
    this.bytesReader = hasBytesReader(time.reader) ? time.reader : undefined;
  }

  /** The field may stand below the top level. */
  get isNested(): boolean {
    return this.time.field.keys.length > 1;
  }

  get keeps(): boolean {
    return this.time.keep;
  }

  /** Takes the time from parsed fields. 1: taken, 0: no such field, -1: unreadable. */
  takeFromFields(batch: Batch, index: number, fields: ParsedFields): number {
    this.position = -1;
    for (let i = fields.count - 1; i >= 0; i--) {
      if (fields.keys[i] !== this.key) continue;
      const value = fields.values[i];
      const text = typeof value === 'string' ? value : JSON.stringify(value);
      this.position = i;
      return this.finish(batch, index, text !== undefined && this.time.reader.parse(text));
    }
    return 0;
  }

  /** Takes the time of the selected events from their roots, and hides the field there; gives
   *  each event whose time is unreadable to `fail`. */
  takeFromRoots(
    batch: Batch,
    kernel: PluginContext['kernel'],
    fail: (index: number) => void,
  ): void {
    const { field } = this.time;
    if (field.keys.length > 1) {
      for (let index = 0; index < batch.count; index++) {
        if (batch.select[index] === 1 && this.takeLocated(batch, index) < 0) fail(index);
      }
      return;
    }
    this.scanner ??= new JsonScanner(kernel, [Buffer.from(field.keys[0]!)]);
    const scanner = this.scanner;
    scanner.scan(batch);
    const { valueStart, valueEnd } = scanner.results[0]!;
    for (let index = 0; index < batch.count; index++) {
      if (batch.select[index] !== 1) continue;
      let taken = 0;
      if (scanner.slow[index] === 1) taken = this.takeLocated(batch, index);
      else if (valueStart[index]! >= 0) {
        taken = this.takeToken(batch, index, batch.bytes, valueStart[index]!, valueEnd[index]!);
        if (taken > 0 && !this.time.keep) batch.removeField(index, field);
      }
      if (taken < 0) fail(index);
    }
  }

  /** Takes the time of one event from wherever its field stands. Result as of `takeFromFields`. */
  takeLocated(batch: Batch, index: number): number {
    const { field, keep, reader } = this.time;
    if (!batch.locate(index, field)) return 0;
    const taken = this.finish(batch, index, reader.parse(batch.foundText()));
    if (taken > 0 && !keep) batch.removeField(index, field);
    return taken;
  }

  close(): void {
    this.scanner?.close();
    this.scanner = undefined;
  }

  private takeToken(
    batch: Batch,
    index: number,
    bytes: Buffer,
    start: number,
    end: number,
  ): number {
    // hot path
    const { bytesReader } = this;
    if (bytesReader === undefined) return this.takeText(batch, index, bytes, start, end);
    if (bytes[start] !== 0x22) {
      return this.finish(batch, index, bytesReader.parseBytes(bytes, start, end));
    }
    for (let at = start + 1; at < end - 1; at++) {
      if (bytes[at] === 0x5c) return this.takeText(batch, index, bytes, start, end);
    }
    return this.finish(batch, index, bytesReader.parseBytes(bytes, start + 1, end - 1));
  }

  private takeText(batch: Batch, index: number, bytes: Buffer, start: number, end: number): number {
    const token = bytes.utf8Slice(start, end);
    // The token stands in a valid root.
    const text = token[0] === '"' ? (JSON.parse(token) as string) : token;
    return this.finish(batch, index, this.time.reader.parse(text));
  }

  private finish(batch: Batch, index: number, read: boolean): number {
    if (!read) return -1;
    batch.seconds[index] = this.time.reader.seconds;
    batch.nanos[index] = this.time.reader.nanos;
    return 1;
  }
}

function hasBytesReader(
  reader: ParserTime['reader'],
): reader is ParserTime['reader'] & BytesReader {
  return 'parseBytes' in reader && typeof reader.parseBytes === 'function';
}
