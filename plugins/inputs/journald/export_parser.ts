/** A field of an entry. Names may come several times. */
export interface JournalField {
  readonly name: string;
  readonly value: Buffer;
  /** Bytes of the value that were cut off. */
  readonly cutBytes: number;
}

export interface JournalEntry {
  readonly fields: readonly JournalField[];
  /** Fields beyond the limit. */
  readonly droppedFields: number;
}

export interface ExportLimits {
  readonly fieldBytesMax: number;
  readonly fieldsMax: number;
  /** Of all values together; what is beyond is cut. */
  readonly entryBytesMax: number;
}

const newline = 0x0a;
const equals = 0x3d;
const nameBytesMax = 1024;

/** Reads the journal's export format piece by piece, holding one entry at most (systemd: Journal
 *  Export Formats). A field is `NAME=value` and a line end, or, for a value with line ends or
 *  control characters, `NAME`, a line end, the value's length as 64 bits little endian, the value,
 *  a line end. An empty line ends an entry. */
export class ExportParser {
  private readonly limits: ExportLimits;
  private readonly onEntry: (entry: JournalEntry) => void;
  private state: 'line' | 'length' | 'data' | 'data_end' = 'line';
  private pieces: Buffer[] = [];
  private heldBytes = 0;
  private skippedBytes = 0;
  private readonly length = Buffer.alloc(8);
  private lengthBytes = 0;
  private dataLeft = 0;
  private dataName = '';
  private fields: JournalField[] = [];
  private droppedFields = 0;
  private entryBytes = 0;

  constructor(limits: ExportLimits, onEntry: (entry: JournalEntry) => void) {
    this.limits = limits;
    this.onEntry = onEntry;
  }

  /** Errors: RangeError for bytes that are not the format. */
  push(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; ) {
      if (this.state === 'line') at = this.readLine(chunk, at);
      else if (this.state === 'length') at = this.readLength(chunk, at);
      else if (this.state === 'data') at = this.readData(chunk, at);
      else {
        if (chunk[at] !== newline) throw new RangeError('a value is longer than its length says');
        at++;
        this.state = 'line';
      }
    }
  }

  private readLine(chunk: Buffer, at: number): number {
    const found = chunk.indexOf(newline, at);
    const end = found < 0 ? chunk.length : found;
    this.hold(chunk, at, end, nameBytesMax + 1 + this.limits.fieldBytesMax);
    if (found < 0) return chunk.length;
    const skipped = this.skippedBytes;
    const line = this.take();
    if (line.length === 0) this.endEntry();
    else {
      const sign = line.indexOf(equals);
      if (sign >= 0) this.add(line.toString('latin1', 0, sign), line.subarray(sign + 1), skipped);
      else {
        if (line.length > nameBytesMax) throw new RangeError('a line is no field');
        this.dataName = line.toString('latin1');
        this.lengthBytes = 0;
        this.state = 'length';
      }
    }
    return found + 1;
  }

  private readLength(chunk: Buffer, at: number): number {
    const count = Math.min(8 - this.lengthBytes, chunk.length - at);
    chunk.copy(this.length, this.lengthBytes, at, at + count);
    this.lengthBytes += count;
    if (this.lengthBytes === 8) {
      const bytes = this.length.readBigUInt64LE();
      if (bytes > 1n << 40n) throw new RangeError(`a value has ${bytes} bytes`);
      this.dataLeft = Number(bytes);
      this.state = 'data';
      if (bytes === 0n) this.endData();
    }
    return at + count;
  }

  private readData(chunk: Buffer, at: number): number {
    const end = at + Math.min(this.dataLeft, chunk.length - at);
    // With room for the end of a character, so that a cut one is seen.
    this.hold(chunk, at, end, this.limits.fieldBytesMax + 4);
    this.dataLeft -= end - at;
    if (this.dataLeft === 0) this.endData();
    return end;
  }

  private endData(): void {
    const skipped = this.skippedBytes;
    this.add(this.dataName, this.take(), skipped);
    this.state = 'data_end';
  }

  private add(name: string, value: Buffer, skippedBytes: number): void {
    const { fieldBytesMax, fieldsMax, entryBytesMax } = this.limits;
    if (this.fields.length >= fieldsMax) {
      this.droppedFields++;
      return;
    }
    const room = Math.min(fieldBytesMax, entryBytesMax - this.entryBytes);
    // The beginning of a character that is cut does not stay.
    const end = value.length <= room ? value.length : characterStart(value, Math.max(room, 0));
    this.entryBytes += end;
    const cutBytes = skippedBytes + value.length - end;
    this.fields.push({ name, value: value.subarray(0, end), cutBytes });
  }

  private endEntry(): void {
    const { fields, droppedFields } = this;
    this.fields = [];
    this.droppedFields = 0;
    this.entryBytes = 0;
    // There may be empty lines before the first entry.
    if (fields.length > 0) this.onEntry({ fields, droppedFields });
  }

  private hold(chunk: Buffer, start: number, end: number, bytesMax: number): void {
    const kept = Math.min(end - start, bytesMax - this.heldBytes);
    this.skippedBytes += end - start - kept;
    if (kept === 0) return;
    this.pieces.push(chunk.subarray(start, start + kept));
    this.heldBytes += kept;
  }

  private take(): Buffer {
    const held = this.pieces.length === 1 ? this.pieces[0]! : Buffer.concat(this.pieces);
    this.pieces = [];
    this.heldBytes = 0;
    this.skippedBytes = 0;
    return held;
  }
}

/** The beginning of the UTF-8 character that `at` is in. */
function characterStart(bytes: Buffer, at: number): number {
  let start = at;
  while (start > 0 && at - start < 4 && (bytes[start]! & 0xc0) === 0x80) start--;
  return start;
}
