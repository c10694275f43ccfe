import {
  type Batch,
  type CompiledRegex,
  type Counter,
  type PluginContext,
  RegexBudgetError,
  runGuarded,
} from '../../../core/sdk/index.ts';
import type { Grok } from '../../shared/grok/grok.ts';
import type { TextSource } from '../../shared/parsing/raw_line.ts';
import { CaptureWriter, type RawMatch } from './capture_writer.ts';
import { eventState } from './event_state.ts';
import { KernelStage } from './kernel_stage.ts';
import { Texts } from './texts.ts';
import type { TimeoutWatch } from './timeout_watch.ts';

export interface FieldMatcherOptions {
  readonly source: TextSource;
  readonly overwrite: readonly string[];
  readonly target: readonly string[];
  readonly timeoutMs: number;
  readonly kernel: PluginContext['kernel'];
  /** Counts the texts that the kernel left to the regular expression. */
  readonly fallbacks: Counter;
  readonly watch: TimeoutWatch;
  /** Told of all fields that the patterns fill. */
  readonly declare: PluginContext['declare'];
}

/** Texts of a batch that a pattern is given up on before it is not tried any more on texts as long. */
const givenUpMax = 5;

/** One field's patterns, run over the events of a batch one pattern after the other: first in the
 *  kernel, which is quick and answers what it is sure of, then as a regular expression. */
export class FieldMatcher {
  private readonly grok: Grok;
  private readonly options: FieldMatcherOptions;
  private readonly texts: Texts;
  private readonly writers: readonly CaptureWriter[];
  private readonly matches: (RawMatch | null)[] = [];
  /** Per pattern: its expression was run under the watchdog. */
  private readonly hasRun: boolean[] = [];
  /** Made with the first batch; its memory is given back by `close`. */
  private kernelStage: KernelStage | undefined;

  constructor(grok: Grok, options: FieldMatcherOptions) {
    this.grok = grok;
    this.options = options;
    this.texts = new Texts(options.source);
    const { overwrite, target } = options;
    this.writers = grok.patterns.map(
      ({ captures }) =>
        new CaptureWriter(captures, { overwrite, target, keepEmpty: grok.keepEmptyCaptures }),
    );
    for (const { fields } of this.writers) for (const field of fields) options.declare(field);
  }

  /** Matches the events that are pending (all that are not aside when patterns do not break on a
   *  match) and moves their states on. Yields when others should have their turn: no other batch may
   *  come in between. */
  *run(batch: Batch, states: Uint8Array): Generator<void, void> {
    for (const writer of this.writers) writer.begin(batch);
    const { texts } = this;
    texts.collect(batch, states, !this.grok.breakOnMatch);
    for (let round = 1; ; round++) {
      yield* this.runRound(batch);
      for (let item = 0; item < texts.count; item++) {
        const state = texts.states[item]!;
        const isAnswer = state === eventState.matched || state === eventState.timedOut;
        if (isAnswer) states[texts.events[item]!] = state;
      }
      if (!texts.collectNext(batch, states, round)) break;
    }
    texts.end();
  }

  /** The kernel's answers for the events that a batch selects: how many it matched, and which;
   *  undefined when it did not run. The rest are for `run`, which begins with the first pattern
   *  again. */
  runSelected(batch: Batch): { readonly matched: number; readonly result: Uint8Array } | undefined {
    const stage = this.grok.breakOnMatch ? this.stage() : undefined;
    const column = this.texts.findColumn(batch);
    if (stage === undefined || column === undefined) return undefined;
    this.writers[0]!.begin(batch);
    const matched = stage.runSelected(batch, column);
    return matched < 0 ? undefined : { matched, result: stage.result };
  }

  private stage(): KernelStage | undefined {
    const { kernel } = this.options;
    if (kernel === undefined) return undefined;
    this.kernelStage ??= new KernelStage(kernel, this.grok, this.writers);
    return this.kernelStage;
  }

  close(): void {
    this.kernelStage?.close();
    this.kernelStage = undefined;
  }

  private *runRound(batch: Batch): Generator<void, void> {
    const { kernel, fallbacks } = this.options;
    const stage = this.stage();
    const { states } = this.texts;
    for (let pattern = 0; pattern < this.writers.length; pattern++) {
      // Without `break_on_match` the last pattern decides, as in Logstash.
      if (pattern > 0 && !this.grok.breakOnMatch) this.forgetMatches();
      let left = this.texts.count;
      if (stage?.run(batch, pattern, this.texts) === true) {
        left = 0;
        for (let item = 0; item < this.texts.count; item++) {
          if (states[item] === eventState.pending) left++;
        }
      }
      if (kernel !== undefined && pattern === 0) fallbacks.value += left;
      if (left > 0) yield* this.runScript(batch, pattern);
    }
  }

  private forgetMatches(): void {
    const { states, count } = this.texts;
    for (let item = 0; item < count; item++) {
      if (states[item] === eventState.matched) states[item] = eventState.pending;
    }
  }

  private *runScript(batch: Batch, pattern: number): Generator<void, void> {
    const { regex } = this.grok.patterns[pattern]!;
    if (!this.hasCandidate(batch, regex)) return;
    if (regex.needsGuard(this.texts.longest())) yield* this.runWatched(batch, pattern);
    else this.runPlain(batch, pattern);
  }

  /** False when every text lacks what a match must contain: then the watchdog, which costs more
   *  than many matches, need not be called. */
  private hasCandidate(batch: Batch, regex: CompiledRegex): boolean {
    const { texts } = this;
    for (let item = 0; item < texts.count; item++) {
      if (texts.states[item] !== eventState.pending) continue;
      if (regex.mayMatch(texts.read(batch, item))) return true;
    }
    return false;
  }

  private runPlain(batch: Batch, pattern: number): void {
    const { count } = this.texts;
    let item = 0;
    while (item < count) {
      try {
        for (; item < count; item++) this.matchItem(batch, pattern, item);
      } catch (error) {
        if (!(error instanceof RegexBudgetError)) throw error;
        this.giveUp(pattern, item++);
      }
    }
  }

  private matchItem(batch: Batch, pattern: number, item: number): void {
    // hot path
    const { texts } = this;
    if (texts.states[item] !== eventState.pending) return;
    const text = texts.read(batch, item);
    const match = this.grok.patterns[pattern]!.regex.execRaw(text, 0, texts.readIsPlain);
    if (match !== null) this.write(batch, pattern, item, match, text);
  }

  private write(batch: Batch, pattern: number, item: number, match: RawMatch, text: string): void {
    const { texts } = this;
    const writer = this.writers[pattern]!;
    const isWritten = writer.write(batch, texts.events[item]!, match, text, texts.readStart);
    texts.states[item] = isWritten ? eventState.matched : eventState.aside;
  }

  /** Matches all texts under the watchdog before anything is written: it may stop the work at any
   *  place. After each text that is given up others get their turn; after some, texts as long as
   *  the shortest of these are not tried any more. */
  private *runWatched(batch: Batch, pattern: number): Generator<void, void> {
    const { texts, matches } = this;
    const { regex, source } = this.grok.patterns[pattern]!;
    let triedLengthMax = Number.POSITIVE_INFINITY;
    let shortestGivenUp = Number.POSITIVE_INFINITY;
    let givenUp = 0;
    const work = {
      count: texts.count,
      progress: 0,
      step: (item: number) => {
        matches[item] = null;
        if (texts.states[item] !== eventState.pending) return;
        const text = texts.read(batch, item);
        if (!regex.mayMatch(text)) return;
        if (text.length >= triedLengthMax) throw new RegexBudgetError(0);
        matches[item] = regex.execRaw(text, 0, texts.readIsPlain);
      },
    };
    for (;;) {
      const limit = {
        givenUpMax: triedLengthMax === Number.POSITIVE_INFINITY ? 1 : texts.count,
        isCold: this.hasRun[pattern] !== true,
      };
      this.hasRun[pattern] = true;
      for (const item of runGuarded(work, this.options.timeoutMs, limit).timedOut) {
        matches[item] = null;
        this.giveUp(pattern, item, source);
        shortestGivenUp = Math.min(shortestGivenUp, texts.read(batch, item).length);
        if (++givenUp >= givenUpMax) triedLengthMax = shortestGivenUp;
      }
      if (work.progress >= work.count) break;
      yield;
    }
    for (let item = 0; item < texts.count; item++) {
      const match = matches[item];
      if (match) this.write(batch, pattern, item, match, texts.read(batch, item));
    }
    matches.length = 0;
  }

  private giveUp(
    pattern: number,
    item: number,
    source = this.grok.patterns[pattern]!.source,
  ): void {
    this.texts.states[item] = eventState.timedOut;
    this.options.watch.count(source);
  }
}
