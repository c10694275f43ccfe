import {
  type Batch,
  type Column,
  type Counter,
  countMarked,
  dropReason,
  type Field,
  type Parser,
  type PluginContext,
  valueKind,
} from '../../../core/sdk/index.ts';
import { EventRewriter, type RewriteOptions } from './event_rewriter.ts';
import type { ParserHints } from './field_parser.ts';
import { JsonColumnValidator, Selection } from './json_column.ts';
import { TextSource } from './raw_line.ts';
import { TextChoice, TextChooser } from './text_choice.ts';
import { TimeTaker } from './time_taker.ts';

export interface ParseStageOptions extends RewriteOptions {
  /** Tried in order until one takes the text; at least one. */
  readonly parsers: readonly Parser[];
  /** The field to parse; the raw line when undefined. */
  readonly field: Field | undefined;
  /** Marks of events that no parser takes. */
  readonly failureMarks: readonly string[];
}

/** Mark of an event whose time could not be read; it keeps the one it had. */
export const timeFailureMark = '_dateparsefailure';

/** Texts whose parsing is watched together: the watch costs about as much as 50 lines. */
const watchedTogether = 256;

const state = { untried: 0, done: 1, notFirst: 2 } as const;

/** Applies parsers to the selected events of whole batches: what the `parser` filter does, and
 *  inputs that parse what they read.
 *
 *  An event whose field is missing or no text is left alone. One that no parser takes is left as
 *  it is, marked, and counted. */
export class ParseStage {
  private readonly options: ParseStageOptions;
  private readonly context: PluginContext;
  private readonly source: TextSource;
  private readonly times: readonly (TimeTaker | undefined)[];
  private readonly rewriter: EventRewriter;
  private readonly chooser: TextChooser;
  private readonly choices: TextChoice[] = [];
  private readonly selection = new Selection();
  private readonly failures: Counter;
  private readonly timeFailures: Counter;
  private validator: JsonColumnValidator | undefined;
  private states = new Uint8Array(0);

  constructor(options: ParseStageOptions, context: PluginContext) {
    this.options = options;
    this.context = context;
    this.source = new TextSource(options.field);
    this.times = options.parsers.map(({ time }) =>
      time === undefined ? undefined : new TimeTaker(time),
    );
    this.chooser = new TextChooser(options.parsers);
    this.rewriter = new EventRewriter(options);
    this.failures = context.metrics.counter('sluice_parse_failures_total');
    this.timeFailures = context.metrics.counter('sluice_date_failures_total');
  }

  process(batch: Batch): void {
    if (this.states.length < batch.capacity) this.states = new Uint8Array(batch.capacity);
    this.states.fill(state.untried, 0, batch.count);
    this.rewriter.begin();
    if (this.options.parsers[0]!.wholeObject === true) this.takeObjects(batch);
    this.takeTexts(batch);
  }

  close(): void {
    this.validator?.close();
    this.validator = undefined;
    for (const time of this.times) time?.close();
  }

  /** The short way: texts of one column that are themselves events, without an object each. */
  private takeObjects(batch: Batch): void {
    const column = this.sourceColumn(batch);
    if (column === undefined) return;
    this.selection.save(batch);
    try {
      if (this.selectTexts(batch, column)) this.takeValidObjects(batch, column);
    } finally {
      this.selection.restore(batch);
    }
  }

  private takeValidObjects(batch: Batch, column: Column): void {
    // hot path
    this.validator ??= new JsonColumnValidator(this.context.kernel);
    const valid = this.validator.validateJsonColumn(batch, column);
    const lists = this.validator.memberLists;
    const { start, end, field } = column;
    const { count } = batch;
    // When every event becomes its object, nothing else of them stays.
    if (this.rewriter.isPlain && countMarked(valid, count) === count && areAll(batch)) {
      this.states.fill(state.done, 0, count);
      batch.rootStart.set(start.subarray(0, count));
      batch.rootEnd.set(end.subarray(0, count));
      batch.rootKind.fill(1, 0, count);
      batch.memberLists.set(lists.subarray(0, count));
      for (const { kind } of batch.columns) kind.fill(valueKind.absent, 0, count);
      this.takeTimes(batch);
      return;
    }
    for (let index = 0; index < batch.count; index++) {
      if (batch.select[index] !== 1) continue;
      if (valid[index] === 1) {
        this.states[index] = state.done;
        const at = start[index]!;
        this.rewriter.setObject(batch, index, field, batch.bytes, at, end[index]!);
        if (batch.rootKind[index] === 1 && batch.rootStart[index] === at) {
          batch.memberLists[index] = lists[index]!;
        }
      } else {
        this.states[index] = state.notFirst;
        batch.select[index] = 0;
      }
    }
    this.takeTimes(batch);
  }

  private takeTimes(batch: Batch): void {
    this.times[0]?.takeFromRoots(batch, this.context.kernel, (index) =>
      this.failTime(batch, index),
    );
  }

  /** The column that holds the texts, when one does for the events at large. */
  private sourceColumn(batch: Batch): Column | undefined {
    for (const field of this.source.fields) {
      if (field.keys.length > 1) return undefined;
      const column = batch.findColumn(field);
      if (column !== undefined) return column;
    }
    return this.source.isRawLine && batch.columns.length === 1 ? batch.columns[0] : undefined;
  }

  /** Narrows the selection to events whose text is in this column and in the batch's bytes. */
  private selectTexts(batch: Batch, column: Column): boolean {
    // hot path
    const isFirst = column.field.name === this.source.fields[0]!.name;
    let some = false;
    for (let index = 0; index < batch.count; index++) {
      if (batch.select[index] !== 1) continue;
      // With a root, an earlier key could stand there.
      const eligible =
        column.kind[index] === valueKind.text && (isFirst || batch.rootKind[index] === 0);
      if (eligible) some = true;
      else batch.select[index] = 0;
    }
    return some;
  }

  /** Takes the events that are left, some at a time: their texts are parsed first, so that a
   *  parser which is stopped leaves no event half written. */
  private takeTexts(batch: Batch): void {
    const most = this.chooser.mayNeedGuard ? watchedTogether : 1;
    let count = 0;
    for (let index = 0; index < batch.count; index++) {
      if (batch.select[index] !== 1 || this.states[index] === state.done) continue;
      const field = this.source.locate(batch, index);
      if (field === undefined || !isText(batch)) continue;
      const choice = (this.choices[count] ??= new TextChoice());
      choice.moveTo(batch, index, field, this.states[index] === state.notFirst ? 1 : 0);
      if (++count === most) {
        this.takeChoices(batch, count);
        count = 0;
      }
    }
    this.takeChoices(batch, count);
  }

  private takeChoices(batch: Batch, count: number): void {
    if (count === 1) this.chooser.choose(batch, this.choices[0]!);
    else this.chooser.chooseAll(batch, this.choices, count);
    for (let i = 0; i < count; i++) this.write(batch, this.choices[i]!);
  }

  private write(batch: Batch, choice: TextChoice): void {
    const parser = this.options.parsers[choice.parser];
    if (parser === undefined) this.fail(batch, choice.index);
    else if (choice.consumed) batch.dropped[choice.index] = dropReason.filtered;
    else if (parser.wholeObject === true) this.writeObject(batch, choice);
    else this.writeFields(batch, choice, parser);
  }

  private writeObject(batch: Batch, choice: TextChoice): void {
    const { index, field, start } = choice;
    const bytes = start >= 0 ? batch.bytes : Buffer.from(choice.text);
    const end = start >= 0 ? choice.end : bytes.length;
    this.rewriter.setObject(batch, index, field, bytes, Math.max(start, 0), end);
    const time = this.times[choice.parser];
    if (time !== undefined && time.takeLocated(batch, index) < 0) this.failTime(batch, index);
  }

  private writeFields(batch: Batch, choice: TextChoice, parser: Parser & ParserHints): void {
    // hot path
    const { index, fields, text, start } = choice;
    const time = this.times[choice.parser];
    let skip = -1;
    let taken = 0;
    if (time?.key !== undefined) {
      taken = time.takeFromFields(batch, index, fields);
      if (taken > 0 && !time.keeps) skip = time.position;
    }
    // As many characters as bytes: one each, so that positions agree. A replaced byte was none.
    const isAscii = start >= 0 && text.length === choice.end - start && !text.includes('\ufffd');
    this.rewriter.setFields(batch, choice, skip, isAscii, parser.fixedKeys === true);
    if (time !== undefined && taken === 0 && time.isNested) taken = time.takeLocated(batch, index);
    if (taken < 0) this.failTime(batch, index);
  }

  private fail(batch: Batch, index: number): void {
    this.failures.value++;
    for (const mark of this.options.failureMarks) batch.addMark(index, mark);
  }

  private failTime(batch: Batch, index: number): void {
    this.timeFailures.value++;
    batch.addMark(index, timeFailureMark);
  }
}

/** True when a batch's selection has all of its events. */
function areAll(batch: Batch): boolean {
  return countMarked(batch.select, batch.count) === batch.count;
}

/** True when what was located is a string. */
function isText(batch: Batch): boolean {
  return batch.foundKind === valueKind.text || batch.foundBytes[batch.foundStart] === 0x22;
}
