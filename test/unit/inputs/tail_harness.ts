import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { heapBatch } from '../../../core/batch/batch.ts';
import { eachSource } from '../../../core/batch/stretch.ts';
import {
  type Batch,
  type BatchEmitter,
  ByteWriter,
  fieldOf,
  type Input,
  type InputContext,
  JsonEventEncoder,
  type OpenSource,
  type Source,
  type SourceOptions,
  type SourceRegistry,
  type StoredCheckpoint,
  systemClock,
} from '../../../core/sdk/index.ts';
import type { TailOptions } from '../../../plugins/inputs/tail/config.ts';
import { plugin } from '../../../plugins/inputs/tail/index.ts';
import { TailInput } from '../../../plugins/inputs/tail/tail_input.ts';

/** What a run of the input sent, in order. */
export interface SentRecord {
  readonly record: Record<string, unknown>;
  readonly tag: string;
  readonly seconds: number;
  readonly nanos: number;
  readonly generation: string;
  readonly offset: number;
  readonly offsetEnd: number;
}

interface Opened {
  readonly options: SourceOptions;
  readonly source: OpenSource;
  settled: number;
}

/** A checkpoint store in memory that outlives the runs of a test. */
export class MemoryCheckpoints {
  readonly stored = new Map<string, StoredCheckpoint>();
}

/** Settles what was emitted at once. `save` writes the checkpoints that a crash would leave. */
class MemorySources implements SourceRegistry {
  readonly opened = new Set<Opened>();
  private readonly checkpointStore: MemoryCheckpoints;

  constructor(checkpointStore: MemoryCheckpoints) {
    this.checkpointStore = checkpointStore;
  }

  async open(options: SourceOptions): Promise<OpenSource> {
    const positions = Object.values(options.positions ?? {});
    const resumePosition =
      positions.length > 0 ? Math.min(...positions) : (options.startPosition ?? 0);
    const opened: Opened = {
      options,
      settled: resumePosition,
      source: {
        name: options.name,
        inputId: 'test',
        generation: options.generation ?? randomBytes(16).toString('hex'),
        ledger: noLedger,
        resumePosition,
        settledPosition: () => opened.settled,
        close: () => {
          this.opened.delete(opened);
        },
      },
    };
    this.opened.add(opened);
    await this.store(opened);
    return opened.source;
  }

  checkpoints(): ReadonlyMap<string, StoredCheckpoint> {
    return new Map(this.checkpointStore.stored);
  }

  forget(key: string): void {
    this.checkpointStore.stored.delete(key);
  }

  settle(source: Source, position: number): void {
    for (const opened of this.opened) {
      if (opened.source === source) opened.settled = Math.max(opened.settled, position);
    }
  }

  async save(): Promise<void> {
    for (const opened of this.opened) await this.store(opened);
  }

  private async store(opened: Opened): Promise<void> {
    const { checkpointKey, identity } = opened.options;
    if (checkpointKey === undefined) return;
    const position = opened.settled;
    const known = JSON.parse(JSON.stringify((await identity?.(position)) ?? null)) as unknown;
    this.checkpointStore.stored.set(checkpointKey, {
      generation: opened.source.generation,
      positions: { out: position },
      identity: known,
      updatedAtMs: Date.now(),
    });
  }
}

const logField = fieldOf(['log']);
const noLedger: Source['ledger'] = {
  startMark: () => 0,
  processedPosition: 0,
  pend: () => {},
  settle: () => {},
  advance: () => {},
  hold: () => {},
  release: () => {},
};

/** What a run has instead of the real thing. */
export type Surroundings = Partial<InputContext> & {
  readonly eventsMax?: number;
  /** Takes each line instead of `sent`, where there are too many to keep. */
  readonly onLine?: (line: string, generation: string, offset: number) => void;
  /** The test says when the input looks and reads. */
  readonly isStepped?: boolean;
  /** False: as behind a filter that wants batches of one source. */
  readonly mixesSources?: boolean;
  /** Makes another input than tail. */
  readonly makeInput?: (context: InputContext) => Input;
};

/** One run of a tail input on a directory of its own. */
export class TailRun implements BatchEmitter {
  readonly sent: SentRecord[] = [];
  readonly counters = new Map<string, { value: number }>();
  private readonly gauges = new Map<string, () => number>();
  readonly warnings: string[] = [];
  readonly warningFields: Record<string, unknown>[] = [];
  readonly mixesSources: boolean;
  largestBatchBytes = 0;
  failure: unknown;
  private readonly sources: MemorySources;
  private readonly input: Input;
  private readonly stopper = new AbortController();
  private readonly done: Promise<void>;
  private readonly encoder = new JsonEventEncoder();
  private readonly out = new ByteWriter();
  private readonly pool: Batch[] = [];
  private gate: Promise<void> | undefined;
  private openGate: () => void = () => {};
  private readonly eventsMax: number;
  private readonly onLine: Surroundings['onLine'];
  isOver = false;

  constructor(
    directory: string,
    checkpoints: MemoryCheckpoints,
    options: Partial<TailOptions>,
    surroundings: Surroundings = {},
  ) {
    this.sources = new MemorySources(checkpoints);
    this.eventsMax = surroundings.eventsMax ?? 2048;
    this.mixesSources = surroundings.mixesSources ?? true;
    const context = this.context(directory, surroundings);
    this.onLine = surroundings.onLine;
    this.input = surroundings.makeInput?.(context) ?? plugin.create(tailOptions(options), context);
    const isStepped = surroundings.isStepped ?? false;
    this.done = (isStepped ? this.begin() : this.input.run(this, this.stopper.signal))
      .catch((error: unknown) => {
        this.failure = error;
      })
      .finally(() => {
        this.isOver = true;
      });
  }

  /** The input, for a test that sets the pace. */
  get stepped(): TailInput {
    assert.ok(this.input instanceof TailInput);
    return this.input;
  }

  /** Waits for the first look of a stepped run. */
  async begun(): Promise<void> {
    await this.done;
  }

  private async begin(): Promise<void> {
    this.stepped.readInto(this);
    await this.stepped.discovery.start();
  }

  /** Looks at the directories once, as discovery does. */
  async look(): Promise<void> {
    const { discovery } = this.stepped;
    await discovery.apply(await discovery.look(), false);
    await discovery.reconsider();
  }

  /** Reads what there is, as the reader does. */
  async read(): Promise<void> {
    await this.stepped.readAvailable(this.stopper.signal);
  }

  get lines(): string[] {
    return this.sent.map(({ record }) => String(record['log']));
  }

  gauge(name: string): number {
    return this.gauges.get(name)?.() ?? 0;
  }

  counter(name: string): number {
    return this.counters.get(name)?.value ?? 0;
  }

  /** Stops handing out batches, as when all outputs are full. */
  pauseOutput(): void {
    this.gate = new Promise((resolve) => {
      this.openGate = resolve;
    });
  }

  resumeOutput(): void {
    this.gate = undefined;
    this.openGate();
  }

  /** Waits until the condition holds; fails with what was sent when it does not. */
  async until(condition: () => boolean, what = String(condition)): Promise<void> {
    const deadline = Date.now() + 20_000;
    while (!condition()) {
      if (this.failure !== undefined) throw this.failure;
      if (Date.now() > deadline) {
        const last = JSON.stringify(this.sent.slice(-20).map(({ record }) => record));
        throw new Error(`Waited in vain for ${what}; ${this.sent.length} sent, last ${last}.`);
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** Waits for the end of an input with `exit_on_eof`, then closes it. */
  async ended(): Promise<this> {
    await this.until(() => this.isOver, 'the end of the input');
    await this.close(true);
    return this;
  }

  /** Stops in order: what is held goes out, checkpoints are written. */
  async stop(): Promise<this> {
    this.stopper.abort();
    await this.done;
    await this.close(true);
    return this;
  }

  /** Stops like a killed process: checkpoints stay as `save` last wrote them. */
  async kill(): Promise<this> {
    const { length } = this.sent;
    this.stopper.abort();
    await this.done;
    this.sent.length = length;
    await this.close(false);
    return this;
  }

  /** Ends whatever the test left. */
  async abandon(): Promise<void> {
    this.resumeOutput();
    this.stopper.abort();
    await this.done;
    await this.input.close?.();
  }

  /** Sources that the input has opened. */
  get sourceCount(): number {
    return this.sources.opened.size;
  }

  async save(): Promise<void> {
    await this.sources.save();
  }

  async batch(source: Source, tag: string, dataBytes = 0): Promise<Batch> {
    while (this.gate !== undefined) await this.gate;
    const slotBytes = 512 * 1024;
    this.largestBatchBytes = Math.max(this.largestBatchBytes, dataBytes);
    const batch =
      dataBytes > slotBytes
        ? heapBatch(dataBytes, 16)
        : (this.pool.pop() ?? heapBatch(slotBytes, this.eventsMax));
    batch.reset(source, tag);
    return batch;
  }

  async emit(batch: Batch): Promise<void> {
    eachSource(batch, (from, end) => this.take(batch, from, end));
    const { stretches } = batch;
    if (stretches.length === 0) this.sources.settle(batch.source, batch.positionEnd);
    for (const { source, positionEnd } of stretches) this.sources.settle(source, positionEnd);
    this.discard(batch);
  }

  private take(batch: Batch, from: number, end: number): void {
    for (let i = from; i < end; i++) {
      if (this.onLine !== undefined) {
        const line = batch.textAt(i, logField) ?? '';
        this.onLine(line, batch.source.generation, batch.offset[i]!);
        continue;
      }
      this.out.clear();
      this.encoder.write(batch, i, this.out);
      this.sent.push({
        record: JSON.parse(this.out.view().toString()) as Record<string, unknown>,
        tag: batch.tagName(i),
        seconds: batch.seconds[i]!,
        nanos: batch.nanos[i]!,
        generation: batch.source.generation,
        offset: batch.offset[i]!,
        offsetEnd: batch.offsetEnd[i]!,
      });
    }
  }

  discard(batch: Batch): void {
    if (batch.capacity === this.eventsMax) this.pool.push(batch);
  }

  private async close(isSaved: boolean): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    if (isSaved) await this.sources.save();
    await this.input.close?.();
  }

  private context(directory: string, surroundings: Partial<InputContext>): InputContext {
    const say = (fields: Record<string, unknown>, message: string) => {
      this.warnings.push(message);
      this.warningFields.push(fields);
    };
    return {
      id: 'tail.0',
      tag: 'tail.0',
      log: { error: say, warn: say, info: () => {}, debug: () => {} },
      clock: systemClock,
      metrics: {
        counter: (name) => {
          const counter = this.counters.get(name) ?? { value: 0 };
          this.counters.set(name, counter);
          return counter;
        },
        gauge: (name, read) => void this.gauges.set(name, read),
      },
      baseDirectory: directory,
      service: {
        eventBytesMax: 16 * 1024 * 1024,
        flushMs: 1000,
        hostName: 'host',
        storagePath: directory,
      },
      declare: (field) => field,
      environment: (name) => process.env[name],
      field: (reference) => fieldOf([reference]),
      parser: (name) => {
        throw new Error(`no parser ${name}`);
      },
      multilineRules: (name) => {
        throw new Error(`no multiline parser ${name}`);
      },
      kernel: undefined,
      setHealth: () => {},
      sources: this.sources,
      ...surroundings,
    } as InputContext;
  }
}

function tailOptions(options: Partial<TailOptions>): TailOptions {
  return {
    path: ['*.log'],
    key: 'log',
    read_from_head: true,
    read_newly_discovered_files_from_head: true,
    refresh_interval: 1000,
    rotate_wait: 300,
    ignore_older: 0,
    ignore_active_older_files: false,
    skip_long_lines: false,
    truncate_long_lines: false,
    skip_empty_lines: false,
    unfinished_line_timeout: 60_000,
    exit_on_eof: false,
    open_files_max: 4096,
    multiline_buffer_limit: 2_000_000,
    multiline: false,
    multiline_flush: 4000,
    docker_mode: false,
    docker_mode_flush: 4000,
    ...options,
  };
}

/** A directory and its checkpoints; removed with the test. */
export class TailPlace {
  readonly directory: string;
  readonly checkpoints = new MemoryCheckpoints();
  private readonly runs: TailRun[] = [];

  constructor(parent = tmpdir()) {
    this.directory = mkdtempSync(path.join(parent, 'tail-'));
  }

  run(options: Partial<TailOptions> = {}, surroundings: Surroundings = {}): TailRun {
    const run = new TailRun(this.directory, this.checkpoints, options, surroundings);
    this.runs.push(run);
    return run;
  }

  /** Reads all that is there, from the beginning or from where the last run ended. */
  async readAll(
    options: Partial<TailOptions> = {},
    surroundings: Surroundings = {},
  ): Promise<TailRun> {
    return this.run({ exit_on_eof: true, ...options }, surroundings).ended();
  }

  at(name: string): string {
    return path.join(this.directory, name);
  }

  write(name: string, content: string | Buffer): void {
    writeFileSync(this.at(name), content);
  }

  append(name: string, content: string | Buffer): void {
    appendFileSync(this.at(name), content);
  }

  async remove(): Promise<void> {
    for (const run of this.runs) await run.abandon();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Runs a test in a place of its own. */
export async function inPlace(
  work: (place: TailPlace) => Promise<void>,
  parent?: string,
): Promise<void> {
  const place = new TailPlace(parent);
  try {
    await work(place);
  } finally {
    await place.remove();
  }
}
