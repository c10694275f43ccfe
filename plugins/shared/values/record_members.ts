import { type Batch, ByteWriter, JsonEventEncoder, MemberCursor } from '../../../core/sdk/index.ts';

/** The top-level members of one event as they would be written: for filters that choose fields by
 *  pattern. Of a key that stands there several times, the last counts. */
export class RecordMembers {
  /** Spans of `bytes` per member: the key with its quotes, the value. */
  readonly keys: string[] = [];
  readonly memberStart: number[] = [];
  readonly valueStart: number[] = [];
  readonly valueEnd: number[] = [];
  private readonly writer = new ByteWriter(4096);
  private readonly encoder = new JsonEventEncoder();
  private readonly cursor = new MemberCursor();
  private readonly out = new ByteWriter(4096);

  get count(): number {
    return this.keys.length;
  }

  get bytes(): Buffer {
    return this.writer.buffer;
  }

  /** Reads an event. */
  load(batch: Batch, index: number): void {
    this.writer.clear();
    this.encoder.write(batch, index, this.writer);
    this.readObject(this.writer.buffer, 0);
  }

  /** Reads the object in these bytes; they are copied. */
  loadObject(bytes: Buffer, start: number, end: number): void {
    this.writer.clear();
    this.writer.bytes(bytes, start, end);
    this.readObject(this.writer.buffer, 0);
  }

  /** Where a key stands, or -1. */
  indexOf(key: string): number {
    return this.keys.lastIndexOf(key);
  }

  /** A member's value as a string: JSON strings unescaped, other JSON as written. */
  textAt(member: number): string {
    const text = this.bytes.utf8Slice(this.valueStart[member]!, this.valueEnd[member]!);
    return text.charCodeAt(0) === 0x22 ? (JSON.parse(text) as string) : text;
  }

  /** Starts a new object, which `add`, `addAs` and `addRaw` fill and `take` returns. */
  start(): void {
    this.out.clear();
    this.out.byte(0x7b);
  }

  /** Adds a member as it stands. */
  add(member: number): void {
    this.comma();
    this.out.bytes(this.bytes, this.memberStart[member]!, this.valueEnd[member]!);
  }

  /** Adds a member under another key. */
  addAs(key: string, member: number): void {
    this.addRaw(key, this.bytes, this.valueStart[member]!, this.valueEnd[member]!);
  }

  /** Adds a key with a value given as JSON. */
  addRaw(key: string, json: Buffer, start = 0, end = json.length): void {
    this.comma();
    this.out.text(JSON.stringify(key));
    this.out.byte(0x3a);
    this.out.bytes(json, start, end);
  }

  /** The object that was built, in bytes of its own. */
  take(): Buffer {
    this.out.byte(0x7d);
    return Buffer.from(this.out.view());
  }

  private comma(): void {
    if (this.out.length > 1) this.out.byte(0x2c);
  }

  private readObject(bytes: Buffer, start: number): void {
    this.keys.length = 0;
    this.memberStart.length = 0;
    this.valueStart.length = 0;
    this.valueEnd.length = 0;
    const cursor = this.cursor;
    cursor.start(bytes, start);
    while (cursor.next()) {
      this.keys.push(cursor.keyText());
      this.memberStart.push(cursor.keyStart - 1);
      this.valueStart.push(cursor.valueStart);
      this.valueEnd.push(cursor.valueEnd);
    }
  }
}
