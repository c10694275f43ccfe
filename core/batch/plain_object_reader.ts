import type { Batch } from './batch.ts';
import { shortText } from './short_text.ts';
import { valueKind } from './value_kind.ts';

/** Most names of columns that are told apart. */
const placesMax = 24;
/** Most bytes from an event's first text to the end of its last. */
const lineBytesMax = 8192;
/** Longer texts are cut out of their line's string, which is cheaper than to look for them. */
const soughtBytesMax = 4;
/** How often the same fields came before objects of them have a form of their own. */
const formEventsMin = 8;
const formsMax = 4;

/** Objects with the same keys in the same order. */
interface Form {
  /** One bit for each place. */
  readonly mask: number;
  readonly keys: readonly string[];
  /** An object of that form; its values mean nothing. */
  readonly template: Record<string, unknown>;
  readonly number: number;
}

/** Makes plain objects of events that are nothing but columns of ASCII text and JSON. Values are
 *  cut from one string an event, and objects with the same keys share their layout: so most of
 *  what making an object costs falls away. */
export class PlainObjectReader {
  /** What the last object got, by place, and where those stand that are texts of the source; end 0
   *  for all others. */
  readonly values: unknown[] = new Array<unknown>(placesMax).fill('');
  readonly starts = new Int32Array(placesMax);
  readonly ends = new Int32Array(placesMax);
  /** A bit for each place that the last object has. */
  private mask = 0;
  /** Changes when places may be others. */
  round = 0;

  private readonly keys: string[] = [];
  private readonly placeByKey = new Map<string, number>();
  private batch!: Batch;
  private words: Int32Array = new Int32Array(0);
  /** Names of the columns as they were last, and the place of each; -1 when there is none left. */
  private names: string[] = [];
  private places: number[] = [];
  private canRead = false;
  private forms: Form[] = [];
  private readonly seen = new Map<number, number>();

  begin(batch: Batch): void {
    this.batch = batch;
    if (this.words.buffer !== batch.bytes.buffer) this.words = new Int32Array(batch.bytes.buffer);
    this.relate();
  }

  /** Place of the value of this name, or -1. */
  placeOf(key: string): number {
    return this.placeByKey.get(key) ?? -1;
  }

  /** True when the last object got this very value at the place, cut out of the source. */
  hasText(place: number, value: string): boolean {
    // hot path
    return (
      place >= 0 &&
      ((this.mask >>> place) & 1) === 1 &&
      this.values[place] === value &&
      this.ends[place] !== 0
    );
  }

  /** A place for which `hasText` is true, or -1. */
  placeOfText(value: string): number {
    for (let place = 0; place < this.keys.length; place++) {
      if (this.hasText(place, value)) return place;
    }
    return -1;
  }

  /** Undefined when the event is not that simple. */
  read(index: number): Record<string, unknown> | undefined {
    // hot path
    const { batch, places, starts, ends } = this;
    const { columns } = batch;
    if (columns.length !== places.length) this.relate();
    if (!this.canRead || batch.rootKind[index] !== 0) return undefined;
    let mask = 0;
    let from = 0x7fffffff;
    let to = 0;
    for (let i = 0; i < columns.length; i++) {
      const column = columns[i]!;
      const kind = column.kind[index]!;
      if (kind === valueKind.absent || kind === valueKind.removed) continue;
      if (kind > valueKind.json) return undefined;
      const place = this.places[i]!;
      mask |= 1 << place;
      const start = column.start[index]!;
      const end = column.end[index]!;
      if (kind === valueKind.json) {
        this.values[place] = batch.columnValue(column, index);
        ends[place] = 0;
        continue;
      }
      if (start >= batch.scratchStart) {
        this.values[place] = shortText(batch.bytes, start, end);
        ends[place] = 0;
        continue;
      }
      starts[place] = start;
      ends[place] = end;
      if (start < from) from = start;
      if (end > to) to = end;
    }
    this.mask = mask;
    const form = this.formOf(mask);
    if (form === undefined || !this.cut(mask, from, to)) return undefined;
    return filled(copyOf(form), mask, this.keys, this.values);
  }

  /** Cuts the texts of these places, which stand between `from` and `to`. */
  private cut(mask: number, from: number, to: number): boolean {
    // hot path
    if (to - from > lineBytesMax || to <= from || !this.isAscii(from, to)) return false;
    const { batch, values, starts, ends } = this;
    const { bytes } = batch;
    const line = bytes.latin1Slice(from, to);
    for (let place = 0, rest = mask; rest !== 0; place++, rest >>>= 1) {
      const end = ends[place]!;
      if ((rest & 1) === 0 || end === 0) continue;
      const start = starts[place]!;
      values[place] =
        end - start <= soughtBytesMax
          ? shortText(bytes, start, end)
          : line.slice(start - from, end - from);
    }
    return true;
  }

  /** Looks at whole words: what stands beside the span may make it false, too. */
  private isAscii(from: number, to: number): boolean {
    // hot path
    const { words } = this;
    let all = 0;
    const end = (to + 3) >> 2;
    for (let at = from >> 2; at < end; at++) all |= words[at]!;
    return (all & 0x80808080) === 0;
  }

  private formOf(mask: number): Form | undefined {
    const { forms } = this;
    for (let i = 0; i < forms.length; i++) if (forms[i]!.mask === mask) return forms[i];
    if (forms.length === formsMax) return undefined;
    const times = (this.seen.get(mask) ?? 0) + 1;
    if (times < formEventsMin) {
      if (this.seen.size < 256) this.seen.set(mask, times);
      return undefined;
    }
    const form = this.newForm(mask, forms.length);
    forms.push(form);
    return form;
  }

  private newForm(mask: number, number: number): Form {
    const keys = this.places
      .filter((place) => (mask & (1 << place)) !== 0)
      .map((place) => this.keys[place]!);
    // JSON.parse gives objects room for all their members at once.
    const json = `{${keys.map((key) => `${JSON.stringify(key)}:""`).join(',')}}`;
    const template = JSON.parse(json) as Record<string, unknown>;
    return { mask, keys, template, number };
  }

  /** Gives each column its place. */
  private relate(): void {
    const { columns, hasNested } = this.batch;
    const isSame =
      columns.length === this.names.length &&
      columns.every(({ field }, i) => field.name === this.names[i]);
    if (isSame && !hasNested) return;
    this.names = columns.map(({ field }) => field.name);
    this.places = columns.map(({ field }) => this.placeFor(field.keys[0]!));
    this.canRead = !hasNested && !this.places.includes(-1);
    this.round++;
    if (!this.canRead) return;
    const order = new Map(this.places.map((place, i) => [this.keys[place]!, i]));
    const isInOrder = ({ keys }: Form): boolean =>
      keys.every((key, i) => i === 0 || (order.get(key) ?? -1) > (order.get(keys[i - 1]!) ?? -1));
    if (!this.forms.every(isInOrder)) this.forms = [];
  }

  private placeFor(key: string): number {
    let place = this.placeByKey.get(key);
    if (place === undefined) {
      if (this.keys.length === placesMax || key === '__proto__') return -1;
      place = this.keys.push(key) - 1;
      this.placeByKey.set(key, place);
    }
    return place;
  }
}

/** A copy for each form, so that the engine remembers one layout at each. */
function copyOf({ number, template }: Form): Record<string, unknown> {
  switch (number) {
    case 0:
      return { ...template };
    case 1:
      return { ...template };
    case 2:
      return { ...template };
    default:
      return { ...template };
  }
}

/** Sets the members of the places in the mask. One statement a place: each remembers the key that
 *  it saw, which makes it a plain store. */
function filled(
  o: Record<string, unknown>,
  mask: number,
  k: readonly string[],
  v: readonly unknown[],
): Record<string, unknown> {
  // hot path
  if (mask & 0x1) o[k[0]!] = v[0];
  if (mask & 0x2) o[k[1]!] = v[1];
  if (mask & 0x4) o[k[2]!] = v[2];
  if (mask & 0x8) o[k[3]!] = v[3];
  if (mask & 0x10) o[k[4]!] = v[4];
  if (mask & 0x20) o[k[5]!] = v[5];
  if (mask & 0x40) o[k[6]!] = v[6];
  if (mask & 0x80) o[k[7]!] = v[7];
  if (mask & 0x100) o[k[8]!] = v[8];
  if (mask & 0x200) o[k[9]!] = v[9];
  if (mask & 0x400) o[k[10]!] = v[10];
  if (mask & 0x800) o[k[11]!] = v[11];
  if (mask & 0x1000) o[k[12]!] = v[12];
  if (mask & 0x2000) o[k[13]!] = v[13];
  if (mask & 0x4000) o[k[14]!] = v[14];
  if (mask & 0x8000) o[k[15]!] = v[15];
  if (mask & 0x10000) o[k[16]!] = v[16];
  if (mask & 0x20000) o[k[17]!] = v[17];
  if (mask & 0x40000) o[k[18]!] = v[18];
  if (mask & 0x80000) o[k[19]!] = v[19];
  if (mask & 0x100000) o[k[20]!] = v[20];
  if (mask & 0x200000) o[k[21]!] = v[21];
  if (mask & 0x400000) o[k[22]!] = v[22];
  if (mask & 0x800000) o[k[23]!] = v[23];
  return o;
}
