import type { Batch, Column } from './batch.ts';
import { valueKind } from './value_kind.ts';

/** Writes an object that a plugin was given, and has changed, as an event's root. Values that are
 *  what they were are copied from where they stand; the result is what `JSON.stringify` makes. */
export class ObjectRewriter {
  private batch: Batch | undefined;
  private index = -1;
  private count = 0;
  /** Of the columns that the object was made from: the key, the value given, and its bytes. */
  private readonly keys: string[] = [];
  private readonly prefixes: Buffer[] = [];
  private readonly values: unknown[] = [];
  private readonly starts: number[] = [];
  private readonly ends: number[] = [];
  /** Values of the object to write, in the order of its keys. */
  private readonly given: unknown[] = [];
  private readonly otherPrefixes = new Map<string, Buffer>();

  /** An object is made from this event, column by column. */
  begin(batch: Batch, index: number): void {
    this.batch = batch;
    this.index = index;
    this.count = 0;
  }

  /** What was noted is no longer of use. */
  forget(): void {
    this.batch = undefined;
  }

  note(column: Column, index: number, value: unknown): void {
    // hot path
    if (column.kind[index] !== valueKind.text || typeof value !== 'string') return;
    const at = this.count++;
    this.keys[at] = column.field.keys[0]!;
    this.prefixes[at] = column.field.memberPrefix;
    this.values[at] = value;
    this.starts[at] = column.start[index]!;
    this.ends[at] = column.end[index]!;
  }

  /** Gives the event a root of the object's members. False, and nothing is done, for an object that
   *  is not of the event noted last, or has other than plain members. */
  write(batch: Batch, index: number, object: Record<string, unknown>): boolean {
    // hot path
    if (this.batch !== batch || this.index !== index) return false;
    // Once: what was noted is no longer what the event has.
    this.batch = undefined;
    if (!isPlain(object)) return false;
    const keys = Object.keys(object);
    const most = this.bytesMost(keys, object);
    if (most < 0 || !batch.hasScratch(most)) return false;
    const start = batch.reserveScratch(most);
    const { bytes } = batch;
    let to = start;
    bytes[to++] = 0x7b;
    let place = 0;
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]!;
      const value = this.given[i];
      if (value === undefined) continue;
      if (to > start + 1) bytes[to++] = 0x2c;
      // Most members stand in the order in which they were given.
      while (place < this.count && this.keys[place] !== key) place++;
      if (place === this.count) place = this.keys.indexOf(key);
      if (place < 0 || place >= this.count) place = this.count;
      const isKnown = place < this.count;
      to = copied(isKnown ? this.prefixes[place]! : this.prefixOf(key), bytes, to);
      const same = isKnown && this.values[place] === value ? this.copyText(batch, place, to) : -1;
      to = same >= 0 ? same : to + bytes.utf8Write(JSON.stringify(value), to);
      if (!isKnown) place = 0;
    }
    bytes[to++] = 0x7d;
    batch.unreserveScratch(start + most - to);
    batch.setRoot(index, start, to);
    for (let i = 0; i < batch.columns.length; i++) batch.columns[i]!.kind[index] = valueKind.absent;
    return true;
  }

  /** Copies a text with quotes; -1 when it has anything that JSON escapes, or is not ASCII. */
  private copyText(batch: Batch, place: number, at: number): number {
    // hot path
    const { bytes } = batch;
    const end = this.ends[place]!;
    let to = at;
    bytes[to++] = 0x22;
    for (let from = this.starts[place]!; from < end; from++) {
      const byte = bytes[from]!;
      if (byte < 0x20 || byte > 0x7e || byte === 0x22 || byte === 0x5c) return -1;
      bytes[to++] = byte;
    }
    bytes[to++] = 0x22;
    return to;
  }

  /** More bytes than the members take; -1 when one is no text, number, boolean or null. */
  private bytesMost(keys: readonly string[], object: Record<string, unknown>): number {
    // hot path
    let most = 2;
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]!;
      // A getter could say something else the next time.
      const value = object[key];
      this.given[i] = value;
      switch (typeof value) {
        case 'string':
          most += value.length * 6;
          break;
        case 'number':
        case 'boolean':
        case 'undefined':
          most += 32;
          break;
        default:
          if (value !== null) return -1;
          most += 4;
      }
      most += key.length * 6 + 6;
    }
    return most;
  }

  private prefixOf(key: string): Buffer {
    let prefix = this.otherPrefixes.get(key);
    if (prefix === undefined) {
      prefix = Buffer.from(`${JSON.stringify(key)}:`);
      // Names built from data would fill the map: past the bound they are made anew.
      if (this.otherPrefixes.size < 1024) this.otherPrefixes.set(key, prefix);
    }
    return prefix;
  }
}

/** True for an object that `JSON.stringify` writes member by member. */
function isPlain(object: Record<string, unknown>): boolean {
  if (typeof object !== 'object' || object === null) return false;
  const prototype: unknown = Object.getPrototypeOf(object);
  if (prototype !== Object.prototype && prototype !== null) return false;
  return typeof object['toJSON'] !== 'function';
}

function copied(from: Uint8Array, into: Uint8Array, at: number): number {
  for (let i = 0; i < from.length; i++) into[at + i] = from[i]!;
  return at + from.length;
}
