import { join } from 'node:path';
import { BatchPool } from '../batch/batch_pool.ts';
import { type DirectoryLock, lockDirectory } from '../buffer/directory_lock.ts';
import { type FileSystem, nodeFileSystem } from '../buffer/file_system.ts';
import { storageFailed } from '../buffer/storage_error.ts';
import { openCheckpointStore } from '../checkpoint/checkpoint_store.ts';
import { CheckpointWriter } from '../checkpoint/checkpoint_writer.ts';
import type {
  FilterConfig,
  InputConfig,
  OutputConfig,
  ResolvedConfig,
} from '../config/resolved.ts';
import { ChunkMemory } from '../chunk/chunk_memory.ts';
import { SecretMask } from '../config/secret_mask.ts';
import { MemoryBudget } from '../deliver/memory_budget.ts';
import type { OutputStage } from '../deliver/output_stage.ts';
import { messageOf, SluiceError } from '../errors/sluice_error.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Log } from '../sdk/contracts.ts';
import { Health } from '../telemetry/health.ts';
import type { LogLevel } from '../telemetry/log.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { type Clock, pause } from '../time/clock.ts';
import { ComponentFactory, type FactoryServices, type PluginSet } from './component_factory.ts';
import { FilterStage } from './filter_stage.ts';
import { type HomeSigns, settleHome } from './home.ts';
import { InputStage } from './input_stage.ts';
import { reportOrphans } from './orphans.ts';
import { openOrClose, withDeadline } from './open_or_close.ts';
import { addAgentGauges } from './agent_gauges.ts';
import {
  assembleOutput,
  closeStorage,
  type OutputStorage,
  openOutputStorage,
} from './output_assembly.ts';
import { assemblePipeline } from './assemble_pipeline.ts';
import { Pipeline } from './pipeline.ts';
import { type Problem, readinessProblems, wedgedInputs } from './readiness.ts';
import { readOn } from './read_on.ts';
import { type ReloadResult, reloadAgent } from './reload.ts';
import type { WorkerCrew } from '../workers/worker_crew.ts';
import type { WorkerProgram } from '../workers/worker_thread.ts';
import { aborted, stopController } from '../time/stop_controller.ts';
import { OpenSources, sourceRegistry } from './source_registry.ts';
import { type StopReport, sayStopped, sayUnmatched, stopReport } from './stop_report.ts';

export interface AgentOptions {
  readonly config: ResolvedConfig;
  readonly plugins: PluginSet;
  readonly clock: Clock;
  readonly kernel: Kernel | undefined;
  /** Directory that relative paths in the pipeline file refer to. */
  readonly baseDirectory: string;
  readonly logFor: (component: string, level?: LogLevel) => Log;
  readonly metrics?: Metrics;
  /** What hides secrets in reasons; the one that the log hides them with, if it does. */
  readonly mask?: SecretMask;
  /** The disk that buffers, checkpoints and dead letters are kept on; the machine's when absent. */
  readonly fileSystem?: FileSystem;
  /** What threads run where `service.workers` is more than 1. */
  readonly workerProgram?: WorkerProgram;
  /** What tells storage that was copied from storage that stayed; the machine's own when absent. */
  readonly homeSigns?: (directory: string) => Promise<HomeSigns>;
}

export interface RunningInput {
  readonly config: InputConfig;
  readonly stage: InputStage;
}

export interface RunningFilter {
  readonly config: FilterConfig;
  readonly stage: FilterStage;
}

export interface RunningOutput {
  readonly config: OutputConfig;
  readonly stage: OutputStage;
  readonly storage: OutputStorage;
}

/** One running pipeline: everything between the pipeline file and the process. */
export class Agent {
  config: ResolvedConfig;
  factory: ComponentFactory;
  inputs: RunningInput[] = [];
  filters: RunningFilter[] = [];
  outputs: RunningOutput[] = [];
  /** Outputs that a reload replaced or removed, which still bring away what they hold. */
  readonly retired = new Set<RunningOutput>();
  /** Filters and outputs, `KIND ID`, that the reload in progress wants. */
  readonly wanted = new Set<string>();
  /** Storages that a reload in progress hands on. */
  readonly claimedStorage = new Set<OutputStorage>();
  /** Storages of removed outputs that are being closed, by the outputs' ids. */
  readonly closingStorage = new Map<string, Promise<void>>();
  readonly metrics: Metrics;
  readonly health: Health;
  readonly mask: SecretMask;
  readonly services: FactoryServices;
  readonly budget: MemoryBudget;
  private readonly chunkMemory: ChunkMemory;
  readonly sources = new OpenSources();
  readonly log: Log;
  readonly options: AgentOptions;
  readonly startedAtMs: number;
  private readonly pool: BatchPool;
  private readonly hardStop = stopController();
  private pipeline: Pipeline;
  /** Resolves when no batch is in a pipeline that was replaced. */
  replacedIdle: Promise<unknown> = Promise.resolve();
  private checkpoints!: CheckpointWriter;
  private lock: DirectoryLock | undefined;
  private reloading: Promise<unknown> = Promise.resolve();
  private stopping: Promise<StopReport> | undefined;
  private wakeFinished: (() => void) | undefined;
  private crew: WorkerCrew | undefined;

  private constructor(options: AgentOptions) {
    this.options = options;
    this.config = options.config;
    this.metrics = options.metrics ?? new Metrics();
    this.mask = options.mask ?? new SecretMask();
    this.mask.learn(options.config);
    this.health = new Health(options.clock, (text) => this.mask.text(text));
    this.log = options.logFor('agent');
    this.startedAtMs = options.clock.monotonicMs();
    this.services = {
      clock: options.clock,
      metrics: this.metrics,
      health: this.health,
      kernel: options.kernel,
      baseDirectory: options.baseDirectory,
      ...(options.fileSystem === undefined ? {} : { fileSystem: options.fileSystem }),
      logFor: options.logFor,
      conceal: (text) => this.mask.text(text),
    };
    this.factory = new ComponentFactory(this.config, options.plugins, this.services);
    this.budget = new MemoryBudget(this.config.service.memoryLimitBytes);
    this.chunkMemory = new ChunkMemory(options.kernel);
    this.pool = new BatchPool(options.kernel);
    this.pipeline = new Pipeline([], [], this.metrics);
  }

  /** Creates every component, opens it, then starts all. When something cannot be opened, what
   *  was opened is closed again and the error is thrown. */
  static async start(options: AgentOptions): Promise<Agent> {
    const agent = new Agent(options);
    try {
      await agent.open();
    } catch (error) {
      await agent.closeAll();
      throw error;
    }
    agent.run();
    return agent;
  }

  private async open(): Promise<void> {
    const { service } = this.config;
    const fileSystem = this.services.fileSystem ?? nodeFileSystem();
    await fileSystem.makeDirectory(service.storagePath).catch((error: unknown) => {
      throw storageFailed(`create the directory ${service.storagePath}`, error);
    });
    this.lock = await lockDirectory(fileSystem, service.storagePath);
    const agentMetrics = this.metrics.forComponent('agent', 'agent');
    const store = await openCheckpointStore({
      path: join(service.storagePath, 'checkpoints'),
      fileSystem,
      log: this.options.logFor('checkpoints'),
    });
    const damaged = agentMetrics.counter('sluice_checkpoint_damaged_lines_total');
    damaged.value += store.damagedLines;
    this.checkpoints = new CheckpointWriter({
      store,
      clock: this.options.clock,
      log: this.options.logFor('checkpoints'),
      writes: agentMetrics.counter('sluice_checkpoint_writes_total'),
      failures: agentMetrics.counter('sluice_checkpoint_failures_total'),
      setHealth: (problem) => this.health.set('checkpoints', problem),
    });
    addAgentGauges(this);
    for (const config of this.config.outputs) this.outputs.push(await this.openOutput(config));
    await settleHome({
      fileSystem,
      directory: service.storagePath,
      checkpoints: this.checkpoints,
      log: this.log,
      signs: this.options.homeSigns,
    });
    for (const config of this.config.filters) this.filters.push(await this.openFilter(config));
    this.crew = await this.openCrew();
    this.setPipeline(await this.prepareWorkers(this.config, this.options.plugins));
    for (const config of this.config.inputs) this.inputs.push(await this.openInput(config));
    await reportOrphans(this.config, this.health, this.log);
  }

  private async openCrew(): Promise<WorkerCrew | undefined> {
    const { workers } = this.config.service;
    if (workers === 1) return undefined;
    const program = this.options.workerProgram;
    if (program === undefined) {
      throw new SluiceError(
        'SLUICE_CONFIG_INVALID',
        'service.workers above 1 is not available here.',
      );
    }
    const { WorkerCrew } = await import('../workers/worker_crew.ts');
    return new WorkerCrew({
      program,
      count: workers,
      baseDirectory: this.options.baseDirectory,
      hasKernel: this.options.kernel !== undefined,
      metrics: this.metrics,
      health: this.health,
      log: this.log,
      logFor: this.options.logFor,
    });
  }

  /** Has the workers make what a configuration needs; resolves with what `setPipeline` takes. */
  async prepareWorkers(config: ResolvedConfig, plugins: PluginSet): Promise<number | undefined> {
    return await this.crew?.prepare(config, plugins);
  }

  /** Takes back what `prepareWorkers` did. */
  forgetWorkers(version: number | undefined): void {
    if (version !== undefined) this.crew?.forget(version);
  }

  private exportHealth(kind: string, id: string): void {
    this.metrics
      .forComponent(kind, id)
      .gauge('sluice_component_healthy', () => (this.health.isHealthy(`${kind} ${id}`) ? 1 : 0));
  }

  /** Creates and opens an output with its storage (or with one it takes over). */
  async openOutput(
    config: OutputConfig,
    takenOver?: OutputStorage,
    factory = this.factory,
  ): Promise<RunningOutput> {
    const output = factory.output(config);
    this.exportHealth('output', config.id);
    const noteVouched = () => this.checkpoints.flush();
    const storage =
      takenOver ?? (await openOutputStorage(config, this.config, this.services, noteVouched));
    this.sources.noteStored(config.id, storage.vouched);
    this.checkpoints.raise(config.id, storage.vouched);
    try {
      await output.open?.();
    } catch (error) {
      await output.close?.().catch(() => undefined);
      if (takenOver === undefined) await closeStorage(storage);
      throw error;
    }
    const stage = assembleOutput({
      config,
      output,
      storage,
      factory,
      services: this.services,
      budget: this.budget,
      memory: this.chunkMemory,
    });
    return { config, stage, storage };
  }

  async openFilter(config: FilterConfig, factory = this.factory): Promise<RunningFilter> {
    const declared: string[] = [];
    const filter = factory.filter(config, declared);
    this.exportHealth('filter', config.id);
    await openOrClose(filter);
    const stage = new FilterStage({
      id: config.id,
      filter,
      // A copy: fields that scripts name while they run do not count.
      declared: [...declared],
      condition: factory.filterCondition(config),
      view: factory.eventView(),
      metrics: this.metrics.forComponent('filter', config.id),
      log: this.services.logFor(config.id, config.base.logLevel),
    });
    return { config, stage };
  }

  async openInput(config: InputConfig, factory = this.factory): Promise<RunningInput> {
    const stopping = stopController();
    const registry = sourceRegistry({
      inputId: config.id,
      open: this.sources,
      checkpoints: this.checkpoints,
      clock: this.options.clock,
      comesAgain: factory.givesBack(config),
      stopping: stopping.signal,
    });
    const input = factory.input(config, registry);
    this.exportHealth('input', config.id);
    await openOrClose(input);
    const stage = new InputStage({
      id: config.id,
      input,
      pool: this.pool,
      pipeline: () => this.pipeline,
      metrics: this.metrics.forComponent('input', config.id),
      log: this.services.logFor(config.id, config.base.logLevel),
      hardStop: this.hardStop.signal,
      crew: this.crew,
      readsAhead: factory.inputPlugin(config).replayable === true,
      clock: this.options.clock,
      comesAgain: factory.givesBack(config),
      stopping,
      setHealth: (problem) => this.health.set(`input ${config.id}`, problem),
      beforeClose: async () => {
        await this.settled(config.id);
        await this.checkpoints.flush();
      },
    });
    return { config, stage };
  }

  /** Makes the filters and outputs of the moment the pipeline of all further batches; `version` is
   *  what the workers have of it. */
  setPipeline(version: number | undefined): void {
    const replaced = this.pipeline;
    this.replacedIdle = this.replacedIdle.then(() => replaced.idle());
    this.sources.setOutputs(this.outputs.map(({ config }) => config.id));
    this.pipeline = assemblePipeline(this.filters, this.outputs, this.factory, this.metrics);
    if (version === undefined) return;
    this.crew?.activate(
      version,
      this.outputs.map(({ stage }) => stage),
    );
  }

  private run(): void {
    this.checkpoints.start();
    for (const { stage } of this.outputs) stage.start();
    for (const { stage } of this.inputs) this.startInput(stage);
    this.log.info(
      {
        inputs: this.inputs.length,
        filters: this.filters.length,
        outputs: this.outputs.length,
        kernel: this.options.kernel !== undefined,
        workers: this.config.service.workers,
      },
      'The agent started.',
    );
  }

  /** Writes the positions of all sources now rather than within a second. */
  flushCheckpoints(): Promise<void> {
    return this.checkpoints.flush();
  }

  startInput(stage: InputStage): void {
    stage.start();
    stage.finished().then(() => this.wakeFinished?.());
  }

  /** Waits a moment until nothing of an input is owed any more: what is owed when it closes is read
   *  again by its successor. */
  private async settled(inputId: string): Promise<void> {
    const { clock } = this.options;
    const endMs = clock.monotonicMs() + settleMsMax;
    while (this.sources.isPending(inputId) && clock.monotonicMs() < endMs) {
      if (this.hardStop.signal.aborted) return;
      for (const { stage } of this.outputs) stage.seal();
      await pause(clock, 10, this.hardStop.signal);
    }
  }

  /** Resolves when every input has ended by itself and all its records are settled. */
  async finished(): Promise<void> {
    const died = new Promise<void>((resolve) => this.crew?.onFailure(() => resolve()));
    for (;;) {
      const inputs = [...this.inputs];
      const ended = Promise.all(inputs.map(({ stage }) => stage.finished()));
      await (this.crew === undefined ? ended : Promise.race([ended, died]));
      if (this.crew?.hasDied === true) return;
      if (this.inputs.every(({ stage }) => stage.hasFinished)) break;
    }
    await Promise.all(this.outputs.map(({ stage }) => stage.drain(this.hardStop.signal)));
  }

  get isStopping(): boolean {
    return this.stopping !== undefined;
  }

  /** True when an input ended because it failed, or a worker thread died. */
  get hasFailed(): boolean {
    if (this.crew?.hasDied === true) return true;
    return this.inputs.some(({ stage }) => stage.hasFailed);
  }

  /** Puts a new configuration in place by difference. Serialised; a failure leaves the old one
   *  running and says why. `plugins` are those that the new configuration names. */
  reload(config: ResolvedConfig, plugins = this.options.plugins): Promise<ReloadResult> {
    const result = this.reloading.then(() => reloadAgent(this, config, plugins));
    this.reloading = result.catch(() => undefined);
    return result.then((outcome) => {
      const labels = { component: 'agent', kind: 'agent', result: outcome.ok ? 'ok' : 'failed' };
      this.metrics.counter('sluice_reloads_total', labels).value++;
      return outcome;
    });
  }

  /** Ends in order: inputs, filters, outputs, checkpoints; within `graceMs`. Later calls get the
   *  first one's report. */
  stop(graceMs = this.config.service.graceMs): Promise<StopReport> {
    this.stopping ??= this.shutDown(graceMs);
    return this.stopping;
  }

  private async shutDown(graceMs: number): Promise<StopReport> {
    await this.reloading;
    // Room for the last checkpoint and for closing.
    const reserveMs = Math.min(2000, graceMs / 2);
    const cancel = this.options.clock.after(graceMs - reserveMs, () => this.hardStop.abort());
    await this.stopInputs((graceMs - reserveMs) / 2);
    const inputsDone = Promise.all(this.inputs.map(({ stage }) => stage.finished()));
    await Promise.race([inputsDone, aborted(this.hardStop.signal)]);
    const outputs = [...this.outputs, ...this.retired];
    await Promise.all(outputs.map(({ stage }) => stage.drain(this.hardStop.signal)));
    cancel();
    this.hardStop.abort();
    const report = stopReport(this);
    await this.closeAll();
    sayUnmatched(this);
    sayStopped(this, report);
    return report;
  }

  /** Sources that are still being written are read on for `limitMs` at most: the rest of the time is
   *  for the outputs. */
  private async stopInputs(limitMs: number): Promise<void> {
    const stages = this.inputs.map(({ stage }) => stage);
    for (const stage of stages) if (!stage.canCatchUp) stage.stop();
    const { clock } = this.options;
    const followed = stages.filter((stage) => stage.canCatchUp);
    await readOn(followed, { clock, limitMs, signal: this.hardStop.signal });
    for (const stage of followed) stage.stop();
  }

  /** Ends at once: nothing is drained; what is not settled comes again from its source. */
  abort(): void {
    this.hardStop.abort();
  }

  private async closeAll(): Promise<void> {
    const attempt = async (what: string, work: () => Promise<unknown> | undefined) => {
      try {
        // A plugin that never ends must not keep the process.
        await withDeadline(this.options.clock, closeDeadlineMs, work());
      } catch (error) {
        this.log.error({ error: messageOf(error) }, `${what} did not close cleanly.`);
      }
    };
    this.hardStop.abort();
    for (const { config, stage } of this.inputs) await attempt(config.id, () => stage.close());
    await attempt('the workers', () => this.crew?.close());
    for (const { config, stage } of this.filters) {
      await attempt(config.id, () => stage.close());
    }
    const outputs = [...this.outputs, ...this.retired];
    const storages = new Map(outputs.map(({ config, storage }) => [storage, config.id]));
    for (const { config, stage } of outputs) await attempt(config.id, () => stage.close());
    for (const [storage, id] of storages) await attempt(id, () => closeStorage(storage));
    await attempt('the checkpoint store', () => this.checkpoints?.close());
    await attempt('the storage lock', () => this.lock?.release());
  }

  uptimeSeconds(): number {
    return (this.options.clock.monotonicMs() - this.startedAtMs) / 1000;
  }

  /** Inputs that only a restart mends; see `readiness.ts`. */
  wedged(afterMs?: number): readonly Problem[] {
    return wedgedInputs(this, afterMs);
  }

  /** Why the agent is not ready; empty when it is. */
  problems(): readonly Problem[] {
    return readinessProblems(this);
  }
}

/** Time that an input's records get to settle before it is closed. */
const settleMsMax = 5000;

/** Time that one component gets to close. */
const closeDeadlineMs = 5000;
