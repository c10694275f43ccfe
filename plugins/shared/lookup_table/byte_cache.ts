export interface ByteCacheOptions {
  /** Keys that differ in ASCII digits alone are one. */
  readonly digitsAlike?: boolean;
}

/** Keeps values by the bytes of their keys, so that a hit makes no string: at least the newest half
 *  of `entriesMax`, never more than that many. Two halves take turns, as in `BoundedCache`. */
export class ByteCache<Value> {
  private readonly half: number;
  private readonly key: Key;
  private young: Generation<Value>;
  private old: Generation<Value>;

  constructor(entriesMax: number, options: ByteCacheOptions = {}) {
    this.half = Math.max(1, Math.floor(entriesMax / 2));
    this.key = new Key(options.digitsAlike === true);
    this.young = new Generation(this.half);
    this.old = new Generation(this.half);
  }

  /** The value of the key at this span. */
  find(bytes: Uint8Array, start: number, end: number): Value | undefined {
    // hot path
    const { key } = this;
    if (!key.read(bytes, start, end)) return undefined;
    const value = this.young.find(key);
    if (value !== undefined) return value;
    const older = this.old.find(key);
    if (older !== undefined) this.add(older);
    return older;
  }

  /** Keeps a value for the key that `find` was just asked for and did not have. */
  keep(value: Value): void {
    if (this.key.count > 0) this.add(value);
  }

  clear(): void {
    this.young.clear();
    this.old.clear();
  }

  get size(): number {
    return this.young.size + this.old.size;
  }

  private add(value: Value): void {
    if (this.young.isFull(this.key.count)) {
      const { old } = this;
      this.old = this.young;
      this.young = old;
      old.clear();
    }
    this.young.add(this.key, value);
  }
}

/** Longer keys are not kept. */
const keyBytesMax = 4096;
/** Words of keys that a generation has room for, an entry: enough for common keys. */
const keyWordsExpected = 48;
const entriesAtFirst = 256;

/** A key as words of four bytes, the last one filled up with zeros, and its length behind them. */
class Key {
  readonly words = new Int32Array((keyBytesMax >> 2) + 2);
  /** 0 for a key that is too long. */
  count = 0;
  hash = 0;
  private readonly digitsAlike: boolean;
  private view = new DataView<ArrayBufferLike>(new ArrayBuffer(0));

  constructor(digitsAlike: boolean) {
    this.digitsAlike = digitsAlike;
  }

  /** False for a key that is too long. */
  read(bytes: Uint8Array, start: number, end: number): boolean {
    // hot path
    this.count = 0;
    if (end - start > keyBytesMax) return false;
    if (this.view.buffer !== bytes.buffer) this.view = new DataView(bytes.buffer);
    const { view, words, digitsAlike } = this;
    const last = bytes.byteOffset + end;
    let at = bytes.byteOffset + start;
    let hash = end - start;
    let count = 0;
    for (; at + 4 <= last; at += 4) {
      const word = view.getInt32(at, true);
      const masked = digitsAlike ? withZeros(word) : word;
      words[count++] = masked;
      hash = Math.imul(hash ^ masked, 0x01000193);
      hash ^= hash >>> 15;
    }
    let rest = 0;
    for (let shift = 0; at < last; at++, shift += 8) rest |= view.getUint8(at) << shift;
    if (digitsAlike) rest = withZeros(rest);
    words[count++] = rest;
    words[count++] = end - start;
    hash = Math.imul(hash ^ rest, 0x01000193);
    this.count = count;
    this.hash = hash ^ (hash >>> 15);
    return true;
  }
}

/** A word of four bytes with every ASCII digit as `0`. */
function withZeros(word: number): number {
  const turned = word ^ 0x30303030;
  // The highest bit of each byte that is none of 0x30 to 0x39.
  const others = (((turned & 0x7f7f7f7f) + 0x76767676) | turned) & 0x80808080;
  return word & ~Math.imul((others ^ 0x80808080) >>> 7, 15);
}

/** Entries in the order they came, and a table of their numbers by hash. */
class Generation<Value> {
  private readonly entriesMax: number;
  private readonly wordsMax: number;
  private table = new Int32Array(0);
  private hashes = new Int32Array(0);
  /** Where each key ends in `words`; it starts where the one before ends. */
  private ends = new Int32Array(0);
  private readonly values: Value[] = [];
  private words = new Int32Array(0);

  constructor(entriesMax: number) {
    this.entriesMax = entriesMax;
    this.wordsMax = Math.max(keyBytesMax, entriesMax * keyWordsExpected);
  }

  get size(): number {
    return this.values.length;
  }

  isFull(words: number): boolean {
    const { length } = this.values;
    return length >= this.entriesMax || this.wordsEnd() + words > this.wordsMax;
  }

  find(key: Key): Value | undefined {
    // hot path
    const { table, hashes, ends, words } = this;
    if (table.length === 0) return undefined;
    const { hash, count } = key;
    const wanted = key.words;
    const mask = table.length - 1;
    for (let slot = hash & mask; table[slot] !== 0; slot = (slot + 1) & mask) {
      const entry = table[slot]! - 1;
      if (hashes[entry] !== hash) continue;
      const from = entry === 0 ? 0 : ends[entry - 1]!;
      if (ends[entry]! - from !== count) continue;
      let at = 0;
      while (at < count && words[from + at] === wanted[at]) at++;
      if (at === count) return this.values[entry];
    }
    return undefined;
  }

  add(key: Key, value: Value): void {
    const entry = this.values.length;
    if (entry === this.hashes.length) this.growEntries();
    const from = this.wordsEnd();
    if (from + key.count > this.words.length) this.growWords(from + key.count);
    for (let at = 0; at < key.count; at++) this.words[from + at] = key.words[at]!;
    this.hashes[entry] = key.hash;
    this.ends[entry] = from + key.count;
    this.values.push(value);
    this.place(entry, key.hash);
  }

  clear(): void {
    this.values.length = 0;
    this.table.fill(0);
  }

  private wordsEnd(): number {
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

  private growWords(needed: number): void {
    const words = new Int32Array(Math.max(needed, this.words.length * 2, keyBytesMax));
    words.set(this.words);
    this.words = words;
  }
}
