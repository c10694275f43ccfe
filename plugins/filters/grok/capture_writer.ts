import {
  type Batch,
  type Column,
  type CompiledRegex,
  type Field,
  fieldOf,
  valueKind,
} from '../../../core/sdk/index.ts';
import {
  type CaptureSpec,
  convertCapture,
  fieldPath,
  type GrokType,
  type GrokValue,
} from '../../shared/grok/captures.ts';
import { EventSnapshot } from '../../shared/values/event_snapshot.ts';
import { joinValue } from './join_value.ts';

export type RawMatch = NonNullable<ReturnType<CompiledRegex['execRaw']>>;

export interface CaptureOptions {
  /** Fields whose value a capture replaces. */
  readonly overwrite: readonly string[];
  /** Keys under which all captures go. */
  readonly target: readonly string[];
  readonly keepEmpty: boolean;
}

/** Puts what a pattern captured into events. */
export class CaptureWriter {
  /** The fields that the pattern fills, each once. */
  readonly fields: readonly Field[];
  /** Per capture: its field's place in `fields`. */
  readonly places: readonly number[];
  /** Per field: whether a capture replaces what is there. */
  readonly overwrites: readonly boolean[];
  /** Some fields lie within others, so that they cannot all be columns at once. */
  readonly overlaps: boolean;

  private readonly captures: readonly CaptureSpec[];
  private readonly slots: readonly number[];
  private readonly isText: readonly boolean[];
  private readonly keepEmpty: boolean;
  private readonly names: ReadonlySet<string>;
  private readonly tops: ReadonlySet<string>;
  /** Per field: the fields on the way to it. */
  private readonly parents: readonly (readonly Field[])[];
  /** Some field lies within an object, where something else may be in its place. */
  private readonly canFail: boolean;
  private readonly before = new EventSnapshot();
  private readonly columns: (Column | undefined)[];
  private columnCount = -1;
  private rivals: Column[] = [];

  constructor(captures: readonly CaptureSpec[], options: CaptureOptions) {
    const fields: Field[] = [];
    const overwrites: boolean[] = [];
    this.places = captures.map(({ path }) => {
      const field = fieldOf([...options.target, ...path]);
      const known = fields.findIndex((one) => one.name === field.name);
      if (known >= 0) return known;
      const own = fieldOf(path).name;
      overwrites.push(options.overwrite.some((name) => fieldOf(fieldPath(name)).name === own));
      return fields.push(field) - 1;
    });
    this.fields = fields;
    this.overwrites = overwrites;
    this.captures = captures;
    this.slots = captures.map(({ slot }) => slot);
    this.isText = captures.map(({ type }) => type === 'string');
    this.keepEmpty = options.keepEmpty;
    this.names = new Set(fields.map(({ name }) => name));
    this.tops = new Set(fields.map(({ keys }) => keys[0]!));
    this.parents = fields.map(({ keys }) =>
      keys.slice(1).map((_, depth) => fieldOf(keys.slice(0, depth + 1))),
    );
    this.overlaps = this.parents.some((list) => list.some(({ name }) => this.names.has(name)));
    this.canFail = this.parents.some((list) => list.length > 0);
    this.columns = fields.map(() => undefined);
  }

  /** Looks at a new batch. */
  begin(batch: Batch): void {
    this.columnCount = -1;
    this.rivals.length = 0;
    for (let i = 0; i < this.fields.length; i++) {
      this.columns[i] = batch.findColumn(this.fields[i]!);
    }
  }

  /** The columns of all fields, made where they are missing; undefined when there is no room, or
   *  something in the batch stands in their way. */
  allColumns(batch: Batch): readonly Column[] | undefined {
    if (this.overlaps || this.findRivals(batch).length > 0) return undefined;
    for (let i = 0; i < this.fields.length; i++) {
      if ((this.columns[i] ?? this.makeColumn(batch, i)) === undefined) return undefined;
    }
    // None is missing: the loop would have returned.
    return this.columns as Column[];
  }

  /** Writes a match into an event. `textStart` is where the text stands in the batch's bytes, if
   *  it does so a byte a character, else -1. False, with nothing written, when a field lies within
   *  something that is no object. */
  write(batch: Batch, index: number, match: RawMatch, text: string, textStart: number): boolean {
    // hot path
    const isDirect = this.isDirect(batch, index);
    if (isDirect || !this.canFail) {
      return this.writeAll(batch, index, match, text, textStart, isDirect);
    }
    this.before.save(batch, index);
    if (this.writeAll(batch, index, match, text, textStart, false)) return true;
    this.before.restore(batch, index);
    return false;
  }

  private writeAll(
    batch: Batch,
    index: number,
    match: RawMatch,
    text: string,
    textStart: number,
    isDirect: boolean,
  ): boolean {
    // hot path
    let from = 0;
    for (let i = 0; i < this.slots.length; i++) {
      const value = match[this.slots[i]!];
      if (value === undefined || value === '') {
        if (!this.keepEmpty) continue;
        if (!this.writeEmpty(batch, index, i, value)) return false;
        continue;
      }
      const place = this.places[i]!;
      const column = isDirect ? (this.columns[place] ?? this.makeColumn(batch, place)) : undefined;
      const isFree =
        column !== undefined &&
        (column.kind[index] === valueKind.absent || this.overwrites[place] === true);
      if (!isFree) {
        const converted = convertCapture(value, this.captures[i]!.type);
        if (!this.writeJoined(batch, index, place, converted)) return false;
        continue;
      }
      const json = this.isText[i] ? undefined : numberJson(value, this.captures[i]!.type);
      if (json !== undefined && json !== value) {
        batch.setBytes(column, index, Buffer.from(json), valueKind.json);
        continue;
      }
      const kind = json === undefined ? valueKind.text : valueKind.json;
      if (textStart < 0) {
        if (kind === valueKind.text) batch.setText(column, index, value);
        else batch.setBytes(column, index, Buffer.from(value), kind);
        continue;
      }
      // The same characters anywhere in the text are as good as those that were captured.
      let at = text.indexOf(value, from);
      if (at < 0) at = text.indexOf(value);
      else from = at;
      column.start[index] = textStart + at;
      column.end[index] = textStart + at + value.length;
      column.kind[index] = kind;
    }
    return true;
  }

  /** True when nothing of the event but these fields' own columns can be in the way. */
  private isDirect(batch: Batch, index: number): boolean {
    if (this.overlaps || batch.rootKind[index] !== 0) return false;
    const rivals = this.findRivals(batch);
    for (let i = 0; i < rivals.length; i++) {
      if (rivals[i]!.kind[index] !== valueKind.absent) return false;
    }
    return true;
  }

  /** Columns over or under the fields that are not theirs. */
  private findRivals(batch: Batch): readonly Column[] {
    if (this.columnCount === batch.columns.length) return this.rivals;
    this.columnCount = batch.columns.length;
    this.rivals = batch.columns.filter(
      ({ field }) => this.tops.has(field.keys[0]!) && !this.names.has(field.name),
    );
    return this.rivals;
  }

  private makeColumn(batch: Batch, place: number): Column | undefined {
    const isCounted = this.columnCount === batch.columns.length;
    const column = batch.column(this.fields[place]!);
    this.columns[place] = column;
    // A column of our own is no rival.
    if (isCounted) this.columnCount = batch.columns.length;
    return column;
  }

  private writeEmpty(batch: Batch, index: number, i: number, value: string | undefined): boolean {
    const converted = value === undefined ? null : convertCapture(value, this.captures[i]!.type);
    return this.writeJoined(batch, index, this.places[i]!, converted);
  }

  /** Writes a value where there may be one already. */
  private writeJoined(batch: Batch, index: number, place: number, value: GrokValue): boolean {
    const field = this.fields[place]!;
    let json = typeof value === 'string' ? JSON.stringify(value) : String(value);
    const replaces = this.overwrites[place]! || !batch.locate(index, field);
    if (!replaces) {
      const joined = joinValue(batch, json, 'texts');
      if (joined === undefined) return true;
      json = joined;
    } else if (!this.parentsAreObjects(batch, index, place)) return false;
    if (replaces && typeof value === 'string') {
      batch.setField(index, field, Buffer.from(value), valueKind.text);
    } else batch.setField(index, field, Buffer.from(json), valueKind.json);
    return true;
  }

  private parentsAreObjects(batch: Batch, index: number, place: number): boolean {
    for (const parent of this.parents[place]!) {
      if (!batch.locate(index, parent)) return true;
      if (batch.foundKind === valueKind.text) return false;
      const value = batch.foundBytes.utf8Slice(batch.foundStart, batch.foundEnd).trimStart();
      if (value.startsWith('null')) return true;
      if (!value.startsWith('{')) return false;
    }
    return true;
  }
}

/** A converted capture as JSON; not for strings. */
function numberJson(text: string, type: GrokType): string {
  // Most numbers are written as JSON has them, and then nothing needs converting.
  return type !== 'boolean' && isPlainInteger(text) ? text : String(convertCapture(text, type));
}

function isPlainInteger(text: string): boolean {
  const { length } = text;
  if (length > 15 || (length > 1 && text.charCodeAt(0) === 0x30)) return false;
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x30 || code > 0x39) return false;
  }
  return true;
}
