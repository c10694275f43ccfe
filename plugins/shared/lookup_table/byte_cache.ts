/** Keeps values by the bytes of their keys, so that a hit makes no string: at least the newest half
 *  of `entriesMax`, never more than that many. Two halves take turns, as in `BoundedCache`. */
export class ByteCache<Value> {
  private readonly half: number;
  private young: Generation<Value>;
  private old: Generation<Value>;
  private hash = 0;

  constructor(entriesMax: number) {
    this.half = Math.max(1, Math.floor(entriesMax / 2));
    this.young = new Generation(this.half);
    this.old = new Generation(this.half);
  }

  /** The value of the key at this span. */
  find(bytes: Uint8Array, start: number, end: number): Value | undefined {
    // hot path
    const hash = hashOf(bytes, start, end);
    this.hash = hash;
    const value = this.young.find(hash, bytes, start, end);
    if (value !== undefined) return value;
    const older = this.old.find(hash, bytes, start, end);
    if (older !== undefined) this.keep(bytes, start, end, older);
    return older;
  }

  /** Keeps a value for the key that `find` was just asked for and did not have. */
  keep(bytes: Uint8Array, start: number, end: number, value: Value): void {
    if (end - start > keyBytesMax) return;
    if (this.young.isFull(end - start)) {
      const { old } = this;
      this.old = this.young;
      this.young = old;
      old.clear();
    }
    this.young.add(this.hash, bytes, start, end, value);
  }

  clear(): void {
    this.young.clear();
    this.old.clear();
  }

  get size(): number {
    return this.young.size + this.old.size;
  }
}

/** Longer keys are not kept. */
const keyBytesMax = 4096;
/** Bytes of keys that a generation has room for, an entry: enough for common keys. */
const keyBytesExpected = 192;
const entriesAtFirst = 256;

function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = end - start;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
  return hash ^ (hash >>> 15);
}

/** Entries in the order they came, and a table of their numbers by hash. */
class Generation<Value> {
  private readonly entriesMax: number;
  private readonly textBytesMax: number;
  private table = new Int32Array(0);
  private hashes = new Int32Array(0);
  /** Where each key ends in `texts`; it starts where the one before ends. */
  private ends = new Int32Array(0);
  private readonly values: Value[] = [];
  private texts = new Uint8Array(0);

  constructor(entriesMax: number) {
    this.entriesMax = entriesMax;
    this.textBytesMax = Math.max(keyBytesMax, entriesMax * keyBytesExpected);
  }

  get size(): number {
    return this.values.length;
  }

  isFull(bytes: number): boolean {
    const { length } = this.values;
    return length >= this.entriesMax || this.textsEnd() + bytes > this.textBytesMax;
  }

  find(hash: number, bytes: Uint8Array, start: number, end: number): Value | undefined {
    // hot path
    const { table, hashes, ends, texts } = this;
    if (table.length === 0) return undefined;
    const mask = table.length - 1;
    for (let slot = hash & mask; table[slot] !== 0; slot = (slot + 1) & mask) {
      const entry = table[slot]! - 1;
      if (hashes[entry] !== hash) continue;
      const from = entry === 0 ? 0 : ends[entry - 1]!;
      if (ends[entry]! - from !== end - start) continue;
      const shift = from - start;
      let at = start;
      while (at < end && texts[at + shift] === bytes[at]) at++;
      if (at === end) return this.values[entry];
    }
    return undefined;
  }

  add(hash: number, bytes: Uint8Array, start: number, end: number, value: Value): void {
    const entry = this.values.length;
    if (entry === this.hashes.length) this.growEntries();
    const from = this.textsEnd();
    if (from + end - start > this.texts.length) this.growTexts(from + end - start);
    for (let at = start; at < end; at++) this.texts[from + at - start] = bytes[at]!;
    this.hashes[entry] = hash;
    this.ends[entry] = from + end - start;
    this.values.push(value);
    this.place(entry, hash);
  }

  clear(): void {
    this.values.length = 0;
    this.table.fill(0);
  }

  private textsEnd(): number {
    const { length } = this.values;
    return length === 0 ? 0 : this.ends[length - 1]!;
  }

  private place(entry: number, hash: number): void {
    const mask = this.table.length - 1;
    let slot = hash & mask;
    while (this.table[slot] !== 0) slot = (slot + 1) & mask;
    this.table[slot] = entry + 1;
  }

  private growEntries(): void {
    const room = Math.max(entriesAtFirst, this.hashes.length * 2);
    const { hashes, ends } = this;
    this.hashes = new Int32Array(room);
    this.hashes.set(hashes);
    this.ends = new Int32Array(room);
    this.ends.set(ends);
    this.table = new Int32Array(room * 2);
    for (let entry = 0; entry < this.values.length; entry++) this.place(entry, hashes[entry]!);
  }

  private growTexts(needed: number): void {
    const texts = new Uint8Array(Math.max(needed, this.texts.length * 2, keyBytesMax));
    texts.set(this.texts);
    this.texts = texts;
  }
}
