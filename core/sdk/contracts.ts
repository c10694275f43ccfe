import type { Batch } from '../batch/batch.ts';
import type { RecordHolding } from '../batch/holding.ts';
import type { EventView } from '../batch/event_view.ts';
import type { Source } from '../batch/source.ts';
import type { Chunk, EncodedRun } from '../chunk/chunk.ts';
import type { Field } from '../batch/field.ts';
import type { EncodePlace } from '../kernel/encode_options.ts';
import type { TlsOptions } from '../config/resolved.ts';
import type { Clock } from '../time/clock.ts';

/** Log levels by operator duty: error = data lost or a human needed; warn = odd, nothing lost;
 *  info = life cycle; debug never scales with records. Sentences with fields. */
export interface Log {
  error(fields: Record<string, unknown>, message: string): void;
  warn(fields: Record<string, unknown>, message: string): void;
  info(fields: Record<string, unknown>, message: string): void;
  debug(fields: Record<string, unknown>, message: string): void;
}

/** A number that only grows. Hot code keeps the object and adds once per batch. */
export interface Counter {
  value: number;
}

/** Metrics of one component. Names and labels stand in `core/telemetry/registry.ts`. */
export interface ComponentMetrics {
  counter(name: string, labels?: Record<string, string>): Counter;
  gauge(name: string, read: () => number, labels?: Record<string, string>): void;
  /** Sum of a metric's series of this component. */
  total?(name: string): number;
}

/** What every plugin instance gets. Nothing here does I/O. */
export interface PluginContext {
  /** Alias, or plugin name and position: `tail.0`. */
  readonly id: string;
  readonly log: Log;
  readonly clock: Clock;
  readonly metrics: ComponentMetrics;
  /** Directory that relative paths in options refer to: the pipeline file's. */
  readonly baseDirectory: string;
  readonly service: ServiceFacts;
  /** Turns a field reference (`a`, `$a['b']`, `[a][b]`, `a.b`) into a field. */
  field(reference: string): Field;
  /** Says that the plugin may add this field. Fields that filters add stand in records in the
   *  order in which `field` and `declare` named them when the filters were made and opened; those
   *  that were never named stand behind them, by name. */
  declare(field: Field): Field;
  /** A variable of the pipeline file's `env:`, else of the process' environment. */
  environment(name: string): string | undefined;
  /** A parser by name: built in, or defined under `parsers:`. Throws SLUICE_OPTION_INVALID. */
  parser(name: string): Parser;
  /** A multiline parser by name: built in, or defined under `multiline_parsers:`. */
  multilineRules(name: string): MultilineDefinition;
  /** The SIMD kernel; undefined where it cannot run. What it speeds up works without it. */
  readonly kernel: import('../kernel/kernel.ts').Kernel | undefined;
  /** Says that the component works or, with a reason, that it does not; `/readyz` shows it. */
  setHealth(problem: string | undefined): void;
}

export interface ServiceFacts {
  readonly eventBytesMax: number;
  readonly flushMs: number;
  readonly multilineBufferLimitBytes: number;
  readonly hostName: string;
  /** Root of the agent's own files. */
  readonly storagePath: string;
}

// ── inputs ──────────────────────────────────────────────────────────────────────────────────

/** Life: create (pure) → open → run → close. `close` is safe without `open`, and twice. */
export interface Input {
  /** Takes what it needs (listens, looks files up). Throws when it cannot start. `sluice check`
   *  opens and closes it too, to see whether it would. */
  open?(): Promise<void>;
  /** Emits batches until there is no more, or until the signal asks it to stop; then resolves.
   *  On the signal it reads no more and emits what it holds (an unfinished last line). */
  run(emitter: BatchEmitter, signal: AbortSignal): Promise<void>;
  /** Resolves once `run`, which goes on, has emitted all that the source had when this was called, or
   *  when the signal comes. Asked before the agent stops, of an input that has it. */
  caughtUp?(limit: AbortSignal): Promise<void>;
  close?(): Promise<void>;
}

export interface BatchEmitter {
  /** An empty batch of the source; waits while all are in use, which is the backpressure.
   *  `dataBytes` above a slot's size gives a heap batch. */
  batch(source: Source, tag: string, dataBytes?: number): Promise<Batch>;
  /** Sends a batch through the filters into the outputs' chunks; resolves when that is done and
   *  the batch is free again. The batch must not be used after the call. */
  emit(batch: Batch): Promise<void>;
  /** Gives a batch back unused. */
  discard(batch: Batch): void;
  /** True while a batch may bring events of several sources at once (`Batch.addStretch`). */
  readonly mixesSources?: boolean;
}

export interface InputContext extends PluginContext {
  /** The configured tag; the plugin's name and position (`tail.0`) when there is none. */
  readonly tag: string;
  readonly sources: SourceRegistry;
}

export interface SourceOptions {
  readonly name: string;
  /** Set for a source that is resumed after a restart: the key of its checkpoint. */
  readonly checkpointKey?: string;
  /** Generation of a checkpoint that this source continues. Left out: a new one. */
  readonly generation?: string;
  /** Position per output from the checkpoint that this source continues. */
  readonly positions?: Readonly<Record<string, number>>;
  /** Whether records that were not settled when the agent ended are read or sent again; left out:
   *  what the plugin says (`replayable`, `refusable`). */
  readonly comesAgain?: boolean;
  /** Where reading starts for outputs without a position. */
  readonly startPosition?: number;
  /** What to store beside a position so that the source is known again; asked when a checkpoint
   *  is written. */
  identity?(position: number): Promise<unknown>;
  /** Called when everything below `position` is settled for every output. */
  onSettled?(position: number): void;
}

export interface SourceRegistry {
  /** Opens a source. With a checkpoint key it resolves when the generation is durable. */
  open(options: SourceOptions): Promise<OpenSource>;
  /** Checkpoints of this input from earlier runs, by key. */
  checkpoints(): ReadonlyMap<string, StoredCheckpoint>;
  /** Removes a checkpoint whose source is gone for good. */
  forget(checkpointKey: string): void;
}

export interface StoredCheckpoint {
  readonly generation: string;
  readonly positions: Readonly<Record<string, number>>;
  readonly identity: unknown;
  readonly updatedAtMs: number;
}

export interface OpenSource extends Source {
  /** Where to begin reading: the smallest position that some output still needs. */
  readonly resumePosition: number;
  /** Everything below is settled for every output. */
  settledPosition(): number;
  /** Ends the source. Its checkpoint stays until `forget`. */
  close(): void;
}

// ── parsers ─────────────────────────────────────────────────────────────────────────────────

/** Turns a text into fields. */
export interface Parser {
  readonly name: string;
  /** Fills `into` and returns true, or returns false when the text does not fit. */
  parse(text: string, into: ParsedFields): boolean;
  /** The text is itself the event: a JSON object that becomes the root without being parsed. */
  readonly wholeObject?: boolean;
  /** Field that holds the event's time, and how to read it. */
  readonly time?: ParserTime;
}

export interface ParserTime {
  readonly field: Field;
  readonly keep: boolean;
  /** Returns true and leaves `seconds` and `nanos`, or returns false. */
  readonly reader: { parse(text: string): boolean; seconds: number; nanos: number };
}

/** Fields in the order in which a parser found them; reused from text to text. */
export class ParsedFields {
  count = 0;
  readonly keys: string[] = [];
  readonly values: unknown[] = [];

  clear(): void {
    this.count = 0;
  }

  set(key: string, value: unknown): void {
    this.keys[this.count] = key;
    this.values[this.count++] = value;
  }
}

export interface MultilineDefinition {
  readonly name: string;
  readonly type: 'regex' | 'endswith' | 'equal';
  readonly matchString?: string;
  readonly negate?: boolean;
  readonly flushTimeoutMs: number;
  readonly keyContent?: string;
  readonly keyGroup?: string;
  readonly keyPattern?: string;
  readonly parser?: string;
  readonly rules: readonly {
    readonly state: string;
    readonly regex: string;
    readonly nextState: string;
  }[];
}

// ── filters ─────────────────────────────────────────────────────────────────────────────────

/** Works on whole batches: the events with `select[i] === 1`. Must leave the others alone.
 *  What it drops it marks in `dropped` with a reason. */
export interface BatchFilter {
  open?(): Promise<void>;
  process(batch: Batch, emitter: DerivedEmitter): void | Promise<void>;
  /** True for a filter that holds records beyond their batch: it gets batches without any record
   *  for it, too, so that it can pass on what is due. */
  readonly holdsRecords?: boolean;
  /** True for a filter that takes events of several sources in one batch, which costs less where
   *  many files bring a few lines each. It must not look at `batch.source`, nor derive events. */
  readonly mixesSources?: boolean;
  close?(): Promise<void>;
}

/** Works on one event at a time. */
export interface EventFilter {
  open?(): Promise<void>;
  filter(event: EventView): void;
  close?(): Promise<void>;
}

/** How a filter adds events. */
export interface DerivedEmitter {
  /** An empty batch of the same source, for up to `events` events of `dataBytes` in all. Fill it
   *  with `addDerived`, which gives events the origin and the place of the one they come from. */
  derive(from: Batch, events: number, dataBytes: number): Batch;
  /** Sends derived events on: with the rest of their batch to the filter behind this one, each
   *  behind the event it comes from; or first once more through all filters up to this one. */
  forward(batch: Batch, to: 'next' | 'first'): void;
  /** Where records can be held beyond the batch. Those held leave as derived events of a later one,
   *  with the parent -1: before all others. */
  readonly holding?: RecordHolding | undefined;
}

// ── outputs ─────────────────────────────────────────────────────────────────────────────────

/** What became of a chunk. Records that an outcome does not name were accepted. */
export type DeliveryOutcome =
  | { readonly kind: 'accepted' }
  /** Nothing of it was taken, or it cannot be known: the same again later. */
  | {
      readonly kind: 'retry';
      readonly reason: string;
      readonly afterMs?: number;
      readonly status?: number;
    }
  /** All of it is refused for good. */
  | { readonly kind: 'rejected'; readonly reason: string; readonly status?: number }
  /** Too large as a whole: send its halves. */
  | { readonly kind: 'split'; readonly reason: string }
  | {
      readonly kind: 'partial';
      /** Indices to send again, ascending. */
      readonly retry: readonly number[];
      readonly rejected: readonly RejectedRecord[];
      readonly reason: string;
      readonly afterMs?: number;
    };

export interface RejectedRecord {
  readonly index: number;
  readonly reason: string;
  readonly code?: string;
  readonly status?: number;
}

/** Writes records as the bytes that go over the wire. */
export interface RecordEncoder {
  /** Changes when the bytes would: stored chunks remember it. */
  readonly fingerprint: string;
  /** Encodes the events with `select[i] === 1`, in order. */
  encode(batch: Batch, select: Uint8Array, sink: RecordSink): void;
  /** True for an encoder that takes events of several sources in one call. Others are called for
   *  each source, which is then the batch's. */
  readonly mixesSources?: boolean;
  /** A record's JSON object out of its wire bytes and the section it was in. */
  recordJson(record: Buffer, sectionKey?: string): string;
  /** Gives back what the encoder holds of the kernel's memory. */
  close?(): void;
}

export interface RecordSink {
  /** Where the section's next records of the batch may be written so that `appendRun`, given them
   *  as they stand there, need not copy them. */
  place?(sectionKey: string, batch: Batch): EncodePlace | undefined;
  appendRun(sectionKey: string, run: EncodedRun): void;
  /** Sends one event to the dead letters: it cannot be encoded. */
  reject(batch: Batch, index: number, reason: string): void;
}

/** Batching, retries, concurrency, acknowledgement, dead letters and buffering are the
 *  engine's; an output encodes and delivers. */
export interface Output {
  readonly encoder: RecordEncoder;
  open?(): Promise<void>;
  /** Throws what would keep `open` from its work, and changes nothing: what `sluice check` calls.
   *  An output without it is opened and closed there, which suits one whose `open` leaves nothing. */
  check?(): Promise<void>;
  /** Sends a chunk. May throw: that is `retry` with the error's message. Must stop soon after
   *  the signal aborts. */
  deliver(chunk: Chunk, delivery: Delivery): Promise<DeliveryOutcome>;
  /** Gives up what only one instance can hold, such as a port, so that its successor can take it;
   *  `deliver` goes on working. When the reload fails, `open` is called again. */
  release?(): Promise<void>;
  /** Connects without sending records, for `sluice check --probe`, which opens the output before.
   *  Throws what is wrong. */
  probe?(signal: AbortSignal): Promise<void>;
  /** Answers a query over what was delivered: for destinations inside the process. */
  query?(sql: string): Promise<QueryResult>;
  close?(): Promise<void>;
}

export interface QueryResult {
  readonly columns: readonly string[];
  /** Values as JSON has them; integers past 2^53 as strings. */
  readonly rows: readonly (readonly unknown[])[];
}

export interface Delivery {
  readonly signal: AbortSignal;
  /** 1 for the first try. */
  readonly attempt: number;
}

export interface OutputContext extends PluginContext {
  /** The output's name in Fluent Bit's terms: what chunks and dead letters are filed under. */
  readonly outputId: string;
  /** The `tls.*` options, which all outputs have. */
  readonly tls: TlsOptions;
}

/** Where a check found something, below the plugin's options. */
export interface OptionProblem {
  /** Path of keys, such as `['rename', 'a']`. */
  readonly path: readonly string[];
  readonly message: string;
}
