import {
  type Batch,
  type BatchFilter,
  type Counter,
  type DerivedEmitter,
  dropReason,
  type Field,
  type PluginContext,
  type Source,
} from '../../../core/sdk/index.ts';
import {
  type AssembledRecord,
  type LineAt,
  MultilineAssembler,
  type MultilineRules,
  namedRules,
} from '../../shared/multiline/index.ts';
import { FieldFinder } from '../../shared/values/field_finder.ts';
import type { Options } from './config.ts';
import { holdEvent, JoinedContent, type LeavingEvent, sendOn } from './held_event.ts';
import type { Joiner } from './joiner.ts';
import { PartialJoiner } from './partial_joiner.ts';
import { SourceStreams, type Stream } from './source_streams.ts';

/** Joins records that are lines of one message: the first gets the whole text, the others count as
 *  merged. What is unfinished at the end of a batch is held, unacknowledged, until a later batch
 *  of its source completes it or brings the time at which it is due. */
export class MultilineFilter implements BatchFilter {
  readonly holdsRecords = true;
  private readonly options: Options;
  private readonly context: PluginContext;
  private readonly content: Field;
  private readonly finder: FieldFinder;
  private readonly which: number;
  private readonly partial: PartialFields | undefined;
  private readonly rules: readonly MultilineRules[];
  /** Shares the rules' expressions with all others; holds nothing. */
  private readonly assembler: MultilineAssembler | undefined;
  private readonly cuts: Counter;
  private readonly timeouts: Counter;
  private readonly sources = new WeakMap<Source, SourceStreams<Joiner>>();
  private heldBytes = 0;
  /** Number of the first record of the next batch. */
  private nextNumber = 0;

  constructor(options: Options, context: PluginContext) {
    this.options = options;
    this.context = context;
    this.content = context.declare(context.field(options['multiline.key_content']));
    this.finder = new FieldFinder(context.kernel);
    this.which = this.finder.add(this.content);
    this.partial = options.mode === 'parser' ? undefined : new PartialFields(context, this.finder);
    const flushTimeoutMs = options.flush_ms;
    this.rules = (options['multiline.parser'] ?? []).map((name) => {
      return { ...namedRules(name, context), flushTimeoutMs };
    });
    this.cuts = context.metrics.counter('sluice_multiline_limit_total');
    this.timeouts = context.metrics.counter('sluice_multiline_timeouts_total');
    const joiner = this.joiner();
    this.assembler = joiner instanceof MultilineAssembler ? joiner : undefined;
  }

  process(batch: Batch, emitter: DerivedEmitter): void | Promise<void> {
    this.finder.begin(batch);
    const texts = this.watchedTexts(batch);
    if (texts.length === 0) {
      this.join(batch, emitter);
      return;
    }
    return this.joinWatched(texts, batch, emitter);
  }

  async close(): Promise<void> {
    this.finder.close();
  }

  /** Tries the rules on long texts first, under the watchdog. */
  private async joinWatched(
    texts: readonly string[],
    batch: Batch,
    emitter: DerivedEmitter,
  ): Promise<void> {
    const select = Uint8Array.from(batch.select.subarray(0, batch.count));
    await this.assembler?.prepare(texts);
    // Other batches came by in the meantime.
    batch.select.set(select);
    this.finder.begin(batch);
    this.join(batch, emitter);
  }

  private watchedTexts(batch: Batch): string[] {
    const texts: string[] = [];
    const watchedBytesMin = this.assembler?.watchedBytesMin ?? Number.POSITIVE_INFINITY;
    if (watchedBytesMin === Number.POSITIVE_INFINITY) return texts;
    const { finder } = this;
    for (let index = 0; index < batch.count; index++) {
      if (batch.select[index] !== 1 || !finder.find(batch, index, this.which)) continue;
      if (finder.end - finder.start >= watchedBytesMin && finder.isString()) {
        texts.push(finder.text());
      }
    }
    return texts;
  }

  private join(batch: Batch, emitter: DerivedEmitter): void {
    const { holding } = emitter;
    const source = holding === undefined ? this.passingSource() : this.sourceOf(batch.source);
    const mustLeave = holding === undefined || holding.isLast || !this.options.buffer;
    const run = new Joining(batch, this.nextNumber, this.content, this.partial?.fields ?? []);
    this.nextNumber += batch.count;
    const nowMs = this.context.clock.monotonicMs();
    this.pushAll(batch, source, run, nowMs);
    for (const stream of source.takeOthers()) run.flush(stream);
    for (const stream of source.all()) {
      if (mustLeave) run.flush(stream);
      else if (stream.joiner.nextDeadlineMs() <= nowMs) run.flushDue(stream, nowMs);
    }
    if (this.isOverLimit(source)) for (const stream of source.all()) run.flush(stream);
    for (const stream of source.all()) run.keepUnfinished(stream);
    run.dropJoined();
    sendOn(run.leaving, this.content, batch, emitter);
    this.account(source);
    this.timeouts.value += this.assembler?.settle() ?? 0;
    if (holding === undefined) return;
    const before = source.holder;
    source.holder = undefined;
    const { offset, dueMs } = oldestOf(source);
    if (offset < Number.POSITIVE_INFINITY) {
      source.holder = {};
      holding.hold(source.holder, offset, dueMs);
    }
    if (before !== undefined) holding.release(before);
  }

  private pushAll(batch: Batch, source: SourceStreams<Joiner>, run: Joining, nowMs: number): void {
    // hot path
    const { finder, which, partial } = this;
    let tag = -1;
    let stream: Stream<Joiner> | undefined;
    for (let index = 0; index < batch.count; index++) {
      if (batch.select[index] !== 1) continue;
      const mark = partial?.of(batch, index);
      if (!finder.find(batch, index, which) || !finder.isString()) continue;
      if (stream === undefined || tag !== batch.tag[index]) {
        tag = batch.tag[index]!;
        stream = source.of(batch.tagName(index));
      }
      const { joiner } = stream;
      if (mark !== undefined && joiner instanceof PartialJoiner) joiner.mark = mark;
      run.push(stream, index, finder, nowMs);
    }
  }

  private isOverLimit(source: SourceStreams<Joiner>): boolean {
    const bytes = this.heldBytes - source.bytes + source.heldBytes();
    if (bytes <= this.options.emitter_mem_buf_limit) return false;
    this.cuts.value++;
    return true;
  }

  private account(source: SourceStreams<Joiner>): void {
    const bytes = source.heldBytes();
    this.heldBytes += bytes - source.bytes;
    source.bytes = bytes;
  }

  private sourceOf(source: Source): SourceStreams<Joiner> {
    let streams = this.sources.get(source);
    if (streams === undefined) {
      streams = this.passingSource();
      this.sources.set(source, streams);
    }
    return streams;
  }

  private passingSource(): SourceStreams<Joiner> {
    return new SourceStreams(() => this.joiner());
  }

  private joiner(): Joiner {
    const { multilineBufferLimitBytes } = this.context.service;
    const bytesMax = Math.min(multilineBufferLimitBytes, this.options.emitter_mem_buf_limit);
    const onCut = (): void => {
      this.cuts.value++;
    };
    return this.partial === undefined
      ? new MultilineAssembler(this.rules, { bytesMax, onCut })
      : new PartialJoiner({ bytesMax, onCut, flushMs: this.options.flush_ms });
  }
}

/** Where the oldest record held of a source begins, and when the next is due. */
function oldestOf(source: SourceStreams<Joiner>): { offset: number; dueMs: number } {
  let offset = Number.POSITIVE_INFINITY;
  let dueMs = Number.POSITIVE_INFINITY;
  for (const { joiner, held } of source.all()) {
    for (const event of held.values()) offset = Math.min(offset, event.offset);
    dueMs = Math.min(dueMs, joiner.nextDeadlineMs());
  }
  return { offset, dueMs };
}

/** One batch on its way through the joiners. */
class Joining {
  readonly leaving: LeavingEvent[] = [];
  private readonly batch: Batch;
  private readonly firstNumber: number;
  private readonly content: Field;
  private readonly removed: readonly Field[];
  /** Per event: 1 when a joiner took it, 2 when it stays as the first of what is joined. */
  private readonly state: Uint8Array;
  private readonly line: LineAt = {
    bytes: Buffer.alloc(0),
    start: 0,
    end: 0,
    offset: 0,
    offsetEnd: 0,
  };
  private stream: Stream<Joiner> | undefined;

  constructor(batch: Batch, firstNumber: number, content: Field, removed: readonly Field[]) {
    this.batch = batch;
    this.firstNumber = firstNumber;
    this.content = content;
    this.removed = removed;
    this.state = new Uint8Array(batch.count);
  }

  push(stream: Stream<Joiner>, index: number, finder: FieldFinder, nowMs: number): void {
    // hot path
    const { line } = this;
    if (finder.narrowToText()) {
      line.bytes = finder.bytes;
      line.start = finder.start;
      line.end = finder.end;
    } else {
      line.bytes = Buffer.from(finder.text());
      line.start = 0;
      line.end = line.bytes.length;
    }
    line.offset = this.firstNumber + index;
    line.offsetEnd = line.offset + 1;
    this.state[index] = 1;
    this.stream = stream;
    stream.joiner.push(line, nowMs, this.receive);
  }

  flush(stream: Stream<Joiner>): void {
    this.stream = stream;
    stream.joiner.flushAll(this.receive);
  }

  flushDue(stream: Stream<Joiner>, nowMs: number): void {
    this.stream = stream;
    stream.joiner.flushDue(nowMs, this.receive, Number.POSITIVE_INFINITY);
  }

  /** Copies the first records of what is unfinished, and notes how far each goes. */
  keepUnfinished(stream: Stream<Joiner>): void {
    stream.joiner.forEachHeld((first, behind) => {
      const index = first - this.firstNumber;
      if (index >= 0) stream.held.set(first, holdEvent(this.batch, index));
      const last = behind - 1 - this.firstNumber;
      if (last >= 0) stream.held.get(first)!.offsetEnd = this.batch.offsetEnd[last]!;
    });
  }

  /** Takes out the records that are part of another now, or held. */
  dropJoined(): void {
    const { batch, state } = this;
    for (let index = 0; index < state.length; index++) {
      if (state[index] === 1) batch.dropped[index] = dropReason.merged;
    }
  }

  private readonly receive = (record: AssembledRecord): void => {
    const { batch } = this;
    const first = record.offset - this.firstNumber;
    const last = record.offsetEnd - 1 - this.firstNumber;
    if (first < 0) {
      const { held } = this.stream!;
      const event = held.get(record.offset)!;
      held.delete(record.offset);
      if (last >= 0) event.offsetEnd = batch.offsetEnd[last]!;
      this.leaving.push({ event, content: new JoinedContent(record, this.removed) });
      return;
    }
    this.state[first] = 2;
    // A record of its own stays as it is, unless it has marks of a part to lose.
    const isWhole = this.removed.length === 0 || record.bytes === this.line.bytes;
    if (first === last && record.format === 'text' && isWhole) return;
    new JoinedContent(record, this.removed).writeTo(batch, first, this.content);
    batch.offsetEnd[first] = batch.offsetEnd[last]!;
  };
}

/** The fields by which container runtimes say what belongs together. */
class PartialFields {
  readonly fields: readonly Field[];
  private readonly finder: FieldFinder;
  private readonly which: readonly number[];

  constructor(context: PluginContext, finder: FieldFinder) {
    this.fields = ['partial_message', 'partial_id', 'partial_last', 'partial_ordinal'].map((key) =>
      context.field(key),
    );
    this.finder = finder;
    this.which = this.fields.map((field) => finder.add(field));
  }

  of(batch: Batch, index: number): { id: string | undefined; isLast: boolean } {
    const [message, id, last] = this.which;
    if (this.text(batch, index, message!) !== 'true') return { id: undefined, isLast: false };
    return {
      id: this.text(batch, index, id!) ?? '',
      isLast: this.text(batch, index, last!) === 'true',
    };
  }

  private text(batch: Batch, index: number, which: number): string | undefined {
    return this.finder.find(batch, index, which) ? this.finder.text().slice(0, 256) : undefined;
  }
}
