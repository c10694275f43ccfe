import { setTimeout as wait } from 'node:timers/promises';
import { resolve } from 'node:path';
import {
  type Batch,
  type BatchFilter,
  type Counter,
  countMarked,
  type PluginContext,
  tagsField,
  valueKind,
} from '../../../core/sdk/index.ts';
import { compileGrok, type GrokOptions } from '../../shared/grok/grok.ts';
import {
  definitionsEndingInBlanks,
  loadPatternFiles,
  type PatternFile,
} from '../../shared/grok/pattern_files.ts';
import { TextSource } from '../../shared/parsing/raw_line.ts';
import { fieldPatterns, type Options } from './config.ts';
import { eventState } from './event_state.ts';
import { FieldMatcher } from './field_matcher.ts';
import { knownPatternsOf } from './known_patterns.ts';
import { SuccessEdits } from './success_edits.ts';
import { TimeoutWatch } from './timeout_watch.ts';

const blankEndsMessage = 'Grok patterns end in blanks, which then must be in the text, too.';

/** Matches one field after the other against its patterns; events come out as Logstash's. */
export class GrokFilter implements BatchFilter {
  readonly mixesSources = true;
  private readonly options: Options;
  private readonly context: PluginContext;
  private readonly edits: SuccessEdits;
  private readonly failureMarks: readonly string[];
  private readonly failureTags: Buffer;
  private readonly timeoutMark: string;
  private readonly failures: Counter;
  private readonly timeouts: Counter;
  /** Undefined until the pattern files are read. */
  private matchers: readonly FieldMatcher[] | undefined;
  private states = new Uint8Array(0);
  /** Resolves when no batch is in the middle of its patterns; undefined when none is. */
  private busy: Promise<void> | undefined;

  constructor(options: Options, context: PluginContext) {
    this.options = options;
    this.context = context;
    this.edits = new SuccessEdits(options, context);
    this.failureMarks = [...new Set(options.tag_on_failure ?? ['_grokparsefailure'])];
    this.failureTags = Buffer.from(JSON.stringify(this.failureMarks));
    this.timeoutMark = options.tag_on_timeout ?? '_groktimeout';
    this.failures = context.metrics.counter('sluice_parse_failures_total');
    this.timeouts = context.metrics.counter('sluice_grok_timeouts_total');
    if ((options.patterns_dir ?? []).length === 0) this.matchers = this.compile([]);
  }

  async open(): Promise<void> {
    if (this.matchers !== undefined) return;
    const { baseDirectory, log } = this.context;
    const paths = (this.options.patterns_dir ?? []).map((path) => resolve(baseDirectory, path));
    const files = await loadPatternFiles(paths, this.options.patterns_files_glob);
    const patterns = definitionsEndingInBlanks(files);
    if (patterns.length > 0) log.warn({ patterns }, blankEndsMessage);
    this.matchers = this.compile(files);
  }

  process(batch: Batch): void | Promise<void> {
    // hot path
    if (this.busy === undefined) {
      const work = this.steps(batch);
      if (work.next().done === true) return;
      return this.follow(goOn(work));
    }
    // The matchers are in the middle of another batch.
    return this.follow(this.busy.then(() => goOn(this.steps(batch))));
  }

  private follow(work: Promise<void>): Promise<void> {
    const busy: Promise<void> = work
      .catch(() => undefined)
      .then(() => {
        if (this.busy === busy) this.busy = undefined;
      });
    this.busy = busy;
    return work;
  }

  private *steps(batch: Batch): Generator<void, void> {
    // hot path
    const matchers = this.matchers!;
    const answers = matchers.length === 1 ? matchers[0]!.runSelected(batch) : undefined;
    if (answers !== undefined && answers.matched === countMarked(batch.select, batch.count)) {
      this.edits.applySelected(batch);
      return;
    }
    if (this.states.length < batch.capacity) this.states = new Uint8Array(batch.capacity);
    const { states } = this;
    for (let index = 0; index < batch.count; index++) {
      if (batch.select[index] !== 1) states[index] = eventState.aside;
      else states[index] = answers?.result[index] === 1 ? eventState.matched : eventState.pending;
    }
    for (const matcher of matchers) yield* matcher.run(batch, states);
    this.finish(batch);
  }

  async close(): Promise<void> {
    for (const matcher of this.matchers ?? []) matcher.close();
  }

  private compile(patternFiles: readonly PatternFile[]): readonly FieldMatcher[] {
    const { options, context } = this;
    const watch = new TimeoutWatch(context);
    const known = knownPatternsOf(options);
    return fieldPatterns(options).map(({ field, patterns }) => {
      const grok = compileGrok({ ...grokOptions(options), patterns, patternFiles }, known);
      return new FieldMatcher(grok, {
        source: new TextSource(field === undefined ? undefined : context.field(field)),
        overwrite: options.overwrite ?? [],
        target: options.target === undefined ? [] : context.field(options.target).keys,
        timeoutMs: options.timeout_millis ?? 20,
        kernel: context.kernel,
        fallbacks: context.metrics.counter('sluice_grok_fallback_total'),
        watch,
        declare: context.declare,
      });
    });
  }

  private finish(batch: Batch): void {
    // hot path
    const { states, edits } = this;
    const edit = !edits.isEmpty;
    if (edit) edits.begin(batch);
    for (let index = 0; index < batch.count; index++) {
      const state = states[index];
      if (state === eventState.matched) {
        if (edit) edits.apply(batch, index);
      } else if (state === eventState.pending) this.markFailed(batch, index);
      else if (state === eventState.timedOut) {
        this.timeouts.value++;
        if (this.timeoutMark !== '') batch.addMark(index, this.timeoutMark);
      }
    }
  }

  private markFailed(batch: Batch, index: number): void {
    this.failures.value++;
    if (this.failureMarks.length === 0) return;
    if (!batch.locate(index, tagsField)) {
      batch.setField(index, tagsField, this.failureTags, valueKind.json);
      return;
    }
    for (const mark of this.failureMarks) batch.addMark(index, mark);
  }
}

/** What the options say to the grok compiler, besides patterns and files. */
export function grokOptions(options: Options): Omit<GrokOptions, 'patterns'> {
  return {
    patternDefinitions: options.pattern_definitions,
    ecsCompatibility: options.ecs_compatibility,
    namedCapturesOnly: options.named_captures_only,
    keepEmptyCaptures: options.keep_empty_captures,
    breakOnMatch: options.break_on_match,
  };
}

/** As long as a text may take, so that others get at least half of the time. */
const restMs = 20;

/** Takes the next steps, with a rest before each. */
async function goOn(work: Generator<void, void>): Promise<void> {
  do await wait(restMs);
  while (work.next().done !== true);
}
