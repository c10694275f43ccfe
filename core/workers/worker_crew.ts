import type { Batch } from '../batch/batch.ts';
import type { Source } from '../batch/source.ts';
import type { ResolvedConfig } from '../config/resolved.ts';
import type { OutputStage } from '../deliver/output_stage.ts';
import { SluiceError } from '../errors/sluice_error.ts';
import type { Counter, Log } from '../sdk/contracts.ts';
import type { Health } from '../telemetry/health.ts';
import type { LogLevel } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Clock } from '../time/clock.ts';
import type { PluginSet } from '../topology/component_factory.ts';
import { type BatchFacts, cargoBytes, factsOf, packBatch } from './batch_cargo.ts';
import { packConfig } from './config_cargo.ts';
import { GrowthBook } from './counter_growth.ts';
import type { CounterGrowth, WorkerReport } from './messages.ts';
import type { EncodedParcel } from './run_cargo.ts';
import { WorkerLane } from './worker_lane.ts';
import { WorkerSlot } from './worker_slots.ts';
import { type WorkerProgram, WorkerThread } from './worker_thread.ts';

/** Batches of one worker: one that it works on, one that waits for it, one that comes back. */
const slotsPerWorker = 3;

export interface CrewOptions {
  readonly program: WorkerProgram;
  readonly count: number;
  readonly baseDirectory: string;
  readonly hasKernel: boolean;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly log: Log;
  readonly logFor: (component: string, level?: LogLevel) => Log;
}

/** Part of an output that takes what workers encoded. */
export type ParcelTaker = Pick<
  OutputStage,
  'id' | 'hasRoom' | 'room' | 'takeBatch' | 'appendRun' | 'keepRejected'
>;

/** What came back of a batch. */
export interface Answer {
  readonly result: EncodedParcel;
  readonly growth: readonly CounterGrowth[];
}

/** A batch on its way to a worker and back. */
export interface Parcel {
  readonly number: number;
  readonly slot: WorkerSlot;
  readonly facts: BatchFacts;
  readonly source: Source;
  /** Of the configuration that it went out under last. */
  version: number;
  take(answer: Answer): void;
  fail(error: Error): void;
}

/** The outputs of a configuration, in its order. */
interface ActiveVersion {
  readonly number: number;
  readonly outputs: readonly ParcelTaker[];
}

/** The worker threads of an agent, and the memory that batches go to them in. Bounded: each batch
 *  under way has a slot, and there are `slotsPerWorker` for each worker and one for each input. */
export class WorkerCrew {
  readonly growth: GrowthBook;
  private readonly options: CrewOptions;
  private readonly threads: WorkerThread[] = [];
  private readonly batches: Counter[] = [];
  private readonly idle: WorkerSlot[] = [];
  private readonly slots: WorkerSlot[] = [];
  private readonly waiters: (() => void)[] = [];
  private readonly underWay = new Map<number, { parcel: Parcel; thread: WorkerThread }>();
  private readonly problems = new Map<string, Map<number, string>>();
  private readonly deathWatch: ((error: Error) => void)[] = [];
  private active: ActiveVersion = { number: 0, outputs: [] };
  private lastVersion = 0;
  private lastParcel = 0;
  private turn = 0;
  private death: Error | undefined;

  constructor(options: CrewOptions) {
    this.options = options;
    this.growth = new GrowthBook(options.metrics);
    for (let number = 1; number <= options.count; number++) {
      const thread = new WorkerThread(number, options.program, {
        onReport: (report) => this.hear(thread, report),
        onDeath: (reason) => this.die(number, reason),
      });
      this.threads.push(thread);
      const worker = String(number);
      const labels = { component: 'agent', kind: 'agent', worker };
      this.batches.push(options.metrics.counter('sluice_worker_batches_total', labels));
    }
    for (let k = 0; k < options.count * slotsPerWorker; k++) this.idle.push(this.newSlot(false));
  }

  /** Why the crew takes no more batches. */
  get failure(): Error | undefined {
    return this.death;
  }

  /** True when a thread ended by itself. */
  get hasDied(): boolean {
    return this.death instanceof SluiceError && this.death.code === 'SLUICE_WORKER_DIED';
  }

  /** Calls back when a thread dies. */
  onFailure(watch: (error: Error) => void): void {
    this.deathWatch.push(watch);
  }

  // ── configurations ──────────────────────────────────────────────────────────────────────────

  /** Has all workers make their filters and encoders; resolves with the version that `activate`
   *  takes. Rejects with what the first worker says that cannot. */
  async prepare(config: ResolvedConfig, plugins: PluginSet): Promise<number> {
    if (this.death !== undefined) throw this.death;
    const version = ++this.lastVersion;
    const order = {
      kind: 'load',
      version,
      config: packConfig(config),
      plugins: plugins.plugins
        .filter(({ kind }) => kind !== 'input')
        .map(({ kind, name }) => ({ kind, name })),
      baseDirectory: this.options.baseDirectory,
      hasKernel: this.options.hasKernel,
    } as const;
    const ready = this.threads.map((thread) => thread.prepare(order));
    const outcomes = await Promise.allSettled(ready);
    const refused = outcomes.find((outcome) => outcome.status === 'rejected');
    if (refused === undefined) return version;
    this.forget(version);
    throw refused.reason;
  }

  /** Makes a prepared configuration the one that batches go through from now on. */
  activate(version: number, outputs: readonly ParcelTaker[]): void {
    this.growth.begin();
    const old = this.active.number;
    this.active = { number: version, outputs };
    if (old !== 0 && old !== version) this.forget(old);
  }

  forget(version: number): void {
    for (const thread of this.threads) thread.send({ kind: 'forget', version });
  }

  get version(): number {
    return this.active.number;
  }

  get outputs(): readonly ParcelTaker[] {
    return this.active.outputs;
  }

  // ── batches ─────────────────────────────────────────────────────────────────────────────────

  newSlot(isReserve: boolean): WorkerSlot {
    const slot = new WorkerSlot(this.slots.length, isReserve);
    this.slots.push(slot);
    this.announce(slot);
    return slot;
  }

  /** A free slot, or undefined while all are under way. `isNext`: the caller has waited; others let
   *  those before them. */
  freeSlot(isNext: boolean): WorkerSlot | undefined {
    return this.waiters.length > 0 && !isNext ? undefined : this.idle.pop();
  }

  /** Resolves when a slot may be free, when `waiter.wake` is called, when the signal aborts or when
   *  the crew takes no more. */
  slotFreed(waiter: { wake: (() => void) | undefined }, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        const at = this.waiters.indexOf(wake);
        if (at >= 0) this.waiters.splice(at, 1);
        signal.removeEventListener('abort', wake);
        waiter.wake = undefined;
        resolve();
      };
      signal.addEventListener('abort', wake, { once: true });
      waiter.wake = wake;
      this.waiters.push(wake);
    });
  }

  giveBack(slot: WorkerSlot): void {
    this.idle.push(slot);
    this.wakeNext();
  }

  /** Wakes who waits longest, where there is a slot for him. */
  wakeNext(): void {
    if (this.idle.length > 0) this.waiters[0]?.();
  }

  /** Packs a batch into a slot; the batch is free again. */
  pack(batch: Batch, slot: WorkerSlot): BatchFacts {
    const facts = factsOf(batch);
    if (slot.fit(cargoBytes(batch, facts))) this.announce(slot);
    packBatch(batch, facts, slot.cargoBytes);
    return facts;
  }

  nextParcel(): number {
    return ++this.lastParcel;
  }

  /** Gives a packed batch to the worker that has the least to do. */
  dispatch(parcel: Parcel): void {
    if (this.death !== undefined) {
      parcel.fail(this.death);
      return;
    }
    const thread = this.leastBusy();
    const { facts, source, slot, number } = parcel;
    parcel.version = this.active.number;
    thread.load++;
    this.batches[thread.number - 1]!.value++;
    this.underWay.set(number, { parcel, thread });
    thread.send({
      kind: 'batch',
      parcel: number,
      slot: slot.number,
      version: parcel.version,
      facts,
      source: {
        name: source.name,
        inputId: source.inputId,
        generation: source.generation,
      },
      startMarks: this.active.outputs.map(({ id }) => source.ledger.startMark(id)),
    });
  }

  /** A way for one input's batches. `signal` ends waiting for room. */
  lane(clock: Clock, signal: AbortSignal): WorkerLane {
    return new WorkerLane(this, clock, signal);
  }

  /** Ends the threads. What they have is not settled and comes again. */
  async close(): Promise<void> {
    this.fail(new SluiceError('SLUICE_SHUTDOWN', 'The agent is stopping.'));
    await Promise.all(this.threads.map((thread) => thread.end()));
  }

  private announce(slot: WorkerSlot): void {
    const { number, cargo, results } = slot;
    for (const thread of this.threads) thread.send({ kind: 'slot', slot: number, cargo, results });
  }

  private leastBusy(): WorkerThread {
    let best = this.threads[this.turn++ % this.threads.length]!;
    for (const thread of this.threads) if (thread.load < best.load) best = thread;
    return best;
  }

  private hear(thread: WorkerThread, report: WorkerReport): void {
    switch (report.kind) {
      case 'encoded':
        this.finish(report.parcel)?.take(report);
        return;
      case 'failed':
        this.finish(report.parcel)?.fail(new Error(report.message));
        return;
      case 'counted':
        this.growth.add(report.growth);
        return;
      case 'health':
        this.noteHealth(thread.number, report.component, report.problem);
        return;
      case 'log':
        this.options.logFor(report.component)[report.level](report.fields, report.message);
        return;
    }
  }

  private finish(number: number): Parcel | undefined {
    const entry = this.underWay.get(number);
    if (entry === undefined) return undefined;
    this.underWay.delete(number);
    entry.thread.load--;
    return entry.parcel;
  }

  /** A component is well when it is so in every worker. */
  private noteHealth(worker: number, component: string, problem: string | undefined): void {
    const known = this.problems.get(component) ?? new Map<number, string>();
    if (problem === undefined) known.delete(worker);
    else known.set(worker, problem);
    this.problems.set(component, known);
    const [first] = known.values();
    this.options.health.set(component, first);
  }

  private die(number: number, reason: string): void {
    if (this.death !== undefined) return;
    const message = `Worker thread ${number} died: ${reason}. The agent ends; what was not acknowledged is read again at the next start.`;
    const error = new SluiceError('SLUICE_WORKER_DIED', message);
    this.options.health.set('workers', message);
    this.options.log.error({ worker: number, reason }, message);
    this.fail(error);
    for (const watch of this.deathWatch) watch(error);
  }

  private fail(error: Error): void {
    this.death ??= error;
    const parcels = [...this.underWay.values()];
    this.underWay.clear();
    for (const { parcel } of parcels) parcel.fail(error);
    for (const wake of [...this.waiters]) wake();
  }
}
