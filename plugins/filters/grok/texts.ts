import { isAscii } from 'node:buffer';
import { type Batch, type Column, valueKind } from '../../../core/sdk/index.ts';
import type { TextSource } from '../../shared/parsing/raw_line.ts';
import { eventState } from './event_state.ts';

/** The texts that a field has in the events of a batch: one each, or one a round where the field
 *  is a list. What is no text is matched as it is written in JSON, what is missing as nothing. */
export class Texts {
  count = 0;
  /** Per text: its event, and what has become of it (`eventState`). */
  events = new Int32Array(0);
  states = new Uint8Array(0);
  /** The column that holds most of the texts, for the kernel; undefined in later rounds. */
  column: Column | undefined;
  /** Set by `read`: where the text stands in the batch's bytes if it does so a byte a character,
   *  else -1; and whether it is ASCII without a line feed. */
  readStart = -1;
  readIsPlain = false;

  private readonly source: TextSource;
  /** Where a text stands in the batch's bytes; a start of -1 when it is in `odd`. */
  private starts = new Int32Array(0);
  private ends = new Int32Array(0);
  /** Per text: 1 when it is the value of `column`. */
  private inColumn = new Uint8Array(0);
  private readonly odd: string[] = [];
  /** Lists by event. */
  private readonly lists = new Map<number, readonly string[]>();
  private batchIsAscii = false;

  constructor(source: TextSource) {
    this.source = source;
  }

  /** Collects the texts of the events whose state is pending, or matched when `again` says so. */
  collect(batch: Batch, states: Uint8Array, again: boolean): void {
    // hot path
    this.begin(batch);
    this.column = this.findColumn(batch);
    const { column } = this;
    const isFirst = column?.field.name === this.source.fields[0]!.name;
    for (let index = 0; index < batch.count; index++) {
      const state = states[index]!;
      if (state !== eventState.pending && !(again && state === eventState.matched)) continue;
      // Where the event has a root, an earlier key could stand there.
      const isThere =
        column !== undefined &&
        column.kind[index] === valueKind.text &&
        (isFirst || batch.rootKind[index] === 0);
      if (isThere) this.add(index, column.start[index]!, column.end[index]!, 1);
      else this.addLocated(batch, index);
    }
    this.findAscii(batch);
  }

  /** Moves on to the next elements of lists; false when there are none. */
  collectNext(batch: Batch, states: Uint8Array, round: number): boolean {
    if (this.lists.size === 0) return false;
    this.count = 0;
    this.odd.length = 0;
    this.column = undefined;
    for (const [index, list] of this.lists) {
      if (states[index] === eventState.timedOut) continue;
      const text = list[round];
      if (text !== undefined) this.addOdd(index, text);
    }
    this.findAscii(batch);
    return this.count > 0;
  }

  /** Forgets what was collected. */
  end(): void {
    this.count = 0;
    this.odd.length = 0;
    this.lists.clear();
    this.column = undefined;
  }

  /** Reads a text; `readStart` and `readIsPlain` then say what it is. */
  read(batch: Batch, item: number): string {
    // hot path
    const start = this.starts[item]!;
    if (start < 0) {
      const text = this.odd[item]!;
      this.readStart = -1;
      this.readIsPlain = Buffer.byteLength(text) === text.length && !text.includes('\n');
      return text;
    }
    const end = this.ends[item]!;
    if (this.batchIsAscii) {
      const text = batch.bytes.latin1Slice(start, end);
      this.readStart = start;
      this.readIsPlain = !text.includes('\n');
      return text;
    }
    const text = batch.bytes.utf8Slice(start, end);
    // As many characters as bytes: one each. A replaced byte was none.
    const isAsciiText = text.length === end - start && !text.includes('\ufffd');
    this.readStart = isAsciiText ? start : -1;
    this.readIsPlain = isAsciiText && !text.includes('\n');
    return text;
  }

  /** Most characters that a pending text can have. */
  longest(): number {
    let longest = 0;
    for (let item = 0; item < this.count; item++) {
      if (this.states[item] !== eventState.pending) continue;
      const start = this.starts[item]!;
      const length = start < 0 ? this.odd[item]!.length : this.ends[item]! - start;
      if (length > longest) longest = length;
    }
    return longest;
  }

  /** Marks in `select`, by event, the pending texts that stand in `column`. */
  selectColumn(select: Uint8Array, eventCount: number): number {
    select.fill(0, 0, eventCount);
    let selected = 0;
    for (let item = 0; item < this.count; item++) {
      if (this.inColumn[item] !== 1 || this.states[item] !== eventState.pending) continue;
      select[this.events[item]!] = 1;
      selected++;
    }
    return selected;
  }

  private begin(batch: Batch): void {
    this.end();
    if (this.events.length >= batch.capacity) return;
    this.events = new Int32Array(batch.capacity);
    this.starts = new Int32Array(batch.capacity);
    this.ends = new Int32Array(batch.capacity);
    this.states = new Uint8Array(batch.capacity);
    this.inColumn = new Uint8Array(batch.capacity);
  }

  /** The column of the first of the source's fields that has one. */
  findColumn(batch: Batch): Column | undefined {
    for (const field of this.source.fields) {
      if (field.keys.length > 1) return undefined;
      const column = batch.findColumn(field);
      if (column !== undefined) return column;
    }
    return undefined;
  }

  private add(index: number, start: number, end: number, inColumn: 0 | 1): void {
    const item = this.count++;
    this.events[item] = index;
    this.starts[item] = start;
    this.ends[item] = end;
    this.states[item] = eventState.pending;
    this.inColumn[item] = inColumn;
  }

  private addOdd(index: number, text: string): void {
    this.odd[this.count] = text;
    this.add(index, -1, -1, 0);
  }

  private addLocated(batch: Batch, index: number): void {
    if (this.source.locate(batch, index) === undefined) {
      this.addOdd(index, '');
      return;
    }
    const { foundBytes, foundStart, foundEnd } = batch;
    if (batch.foundKind === valueKind.text) {
      if (foundBytes === batch.bytes) this.add(index, foundStart, foundEnd, 0);
      else this.addOdd(index, batch.foundText());
      return;
    }
    if (foundBytes[foundStart] === 0x22) {
      const isPlaced = foundBytes === batch.bytes && !hasEscape(foundBytes, foundStart, foundEnd);
      if (isPlaced) this.add(index, foundStart + 1, foundEnd - 1, 0);
      else this.addOdd(index, batch.foundText());
      return;
    }
    const token = foundBytes.utf8Slice(foundStart, foundEnd).trim();
    if (!token.startsWith('[')) {
      this.addOdd(index, token === 'null' ? '' : token);
      return;
    }
    const list = (JSON.parse(token) as unknown[]).map(textOfElement);
    this.lists.set(index, list);
    if (list.length > 0) this.addOdd(index, list[0]!);
  }

  private findAscii(batch: Batch): void {
    let from = Number.MAX_SAFE_INTEGER;
    let end = 0;
    for (let item = 0; item < this.count; item++) {
      const start = this.starts[item]!;
      if (start < 0) continue;
      if (start < from) from = start;
      if (this.ends[item]! > end) end = this.ends[item]!;
    }
    this.batchIsAscii = from < end && isAscii(batch.bytes.subarray(from, end));
  }
}

function hasEscape(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (bytes[at] === 0x5c) return true;
  return false;
}

function textOfElement(element: unknown): string {
  if (typeof element === 'string') return element;
  return element === null ? '' : JSON.stringify(element);
}
