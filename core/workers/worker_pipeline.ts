import type { FilterConfig, ResolvedConfig } from '../config/resolved.ts';
import type { Source, SourceLedger } from '../batch/source.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Output } from '../sdk/contracts.ts';
import { Health } from '../telemetry/health.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Clock } from '../time/clock.ts';
import { assemblePipeline } from '../topology/assemble_pipeline.ts';
import {
  ComponentFactory,
  type FactoryServices,
  type PluginSet,
} from '../topology/component_factory.ts';
import { FilterStage } from '../topology/filter_stage.ts';
import { openOrClose } from '../topology/open_or_close.ts';
import type { Pipeline } from '../topology/pipeline.ts';
import { BatchUnpacker } from './batch_cargo.ts';
import { GrowthMeter } from './counter_growth.ts';
import type { CounterGrowth, WorkerOrder } from './messages.ts';
import { type EncodedParcel, ParcelOutput, ParcelWriter } from './run_cargo.ts';

export interface WorkerServices {
  readonly clock: Clock;
  readonly kernel: Kernel | undefined;
  readonly baseDirectory: string;
  readonly logFor: FactoryServices['logFor'];
  readonly metrics: Metrics;
  setHealth(component: string, problem: string | undefined): void;
}

type BatchOrder = Extract<WorkerOrder, { kind: 'batch' }>;

/** Filters and encoders of one configuration in a worker thread. Its outputs are created for their
 *  encoders and never opened. */
export class WorkerPipeline {
  private readonly config: ResolvedConfig;
  private readonly factory: ComponentFactory;
  private readonly services: WorkerServices;
  private readonly filters: { readonly config: FilterConfig; readonly stage: FilterStage }[] = [];
  private readonly outputs: Output[] = [];
  private readonly writer = new ParcelWriter();
  private readonly unpacker: BatchUnpacker;
  private readonly source = new FarSource();
  private readonly growth: GrowthMeter;
  private readonly never = new AbortController().signal;
  private pipeline: Pipeline | undefined;

  constructor(config: ResolvedConfig, plugins: PluginSet, services: WorkerServices) {
    this.config = config;
    this.services = services;
    const { clock, kernel, baseDirectory, logFor, metrics } = services;
    const health = new ReportedHealth(clock, services.setHealth);
    this.factory = new ComponentFactory(config, plugins, {
      clock,
      kernel,
      baseDirectory,
      logFor,
      metrics,
      health,
    });
    this.unpacker = new BatchUnpacker(kernel);
    this.growth = new GrowthMeter(metrics);
  }

  /** Opens the filters. Throws what a filter that cannot be opened throws. */
  async open(): Promise<void> {
    const { factory, services } = this;
    const { metrics, logFor } = services;
    for (const config of this.config.filters) {
      const declared: string[] = [];
      const filter = factory.filter(config, declared);
      await openOrClose(filter);
      const stage = new FilterStage({
        id: config.id,
        filter,
        declared: [...declared],
        condition: factory.filterCondition(config),
        view: factory.eventView(),
        metrics: metrics.forComponent('filter', config.id),
        log: logFor(config.id, config.base.logLevel),
      });
      this.filters.push({ config, stage });
    }
    const outputs = this.config.outputs.map((config, number) => {
      const output = factory.output(config);
      this.outputs.push(output);
      const taken = metrics.forComponent('output', config.id).counter('sluice_records_in_total');
      const { encoder } = output;
      const stage = new ParcelOutput({
        id: config.id,
        number,
        encoder,
        writer: this.writer,
        taken,
      });
      return { config, stage };
    });
    this.pipeline = assemblePipeline(this.filters, outputs, factory, metrics);
  }

  /** Takes a batch through the filters and encodes it. One call at a time. */
  async run(
    order: BatchOrder,
    cargo: Buffer,
    results: Uint8Array,
  ): Promise<{ result: EncodedParcel; growth: CounterGrowth[] }> {
    const { source, startMarks } = order;
    const ids = this.config.outputs.map(({ id }) => id);
    const from = this.source.of(source, new Map(ids.map((id, i) => [id, startMarks[i] ?? 0])));
    const batch = this.unpacker.unpack(order.facts, from, cargo);
    this.writer.begin(results);
    await this.pipeline!.run(batch, this.never);
    return { result: this.writer.parcel, growth: this.growth.take() };
  }

  /** What filters counted outside of batches. */
  takeGrowth(): CounterGrowth[] {
    return this.growth.take();
  }

  async close(): Promise<void> {
    for (const { stage } of this.filters) await stage.close();
    for (const output of this.outputs) {
      await output.close?.();
      output.encoder.close?.();
    }
  }
}

/** The source of the batch in hand. Its ledger is the main thread's: here only marks of before the
 *  start are known. */
class FarSource {
  private readonly known = new Map<string, KnownSource>();

  of(
    { name, inputId, generation }: Omit<Source, 'ledger'>,
    marks: ReadonlyMap<string, number>,
  ): KnownSource {
    let source = this.known.get(generation);
    if (source === undefined) {
      if (this.known.size === sourcesKept) this.known.clear();
      source = { name, inputId, generation, ledger: new FarLedger() };
      this.known.set(generation, source);
    }
    source.ledger.marks = marks;
    return source;
  }
}

const sourcesKept = 1024;

interface KnownSource extends Source {
  readonly ledger: FarLedger;
}

class FarLedger implements SourceLedger {
  marks: ReadonlyMap<string, number> = new Map();
  readonly processedPosition = 0;

  startMark(outputId: string): number {
    return this.marks.get(outputId) ?? 0;
  }

  pend(): never {
    throw new Error('a worker settles nothing');
  }

  settle(): never {
    throw new Error('a worker settles nothing');
  }

  advance(): never {
    throw new Error('a worker settles nothing');
  }

  hold(): never {
    throw new Error('a filter that holds records back cannot run in a worker');
  }

  release(): never {
    throw new Error('a filter that holds records back cannot run in a worker');
  }
}

class ReportedHealth extends Health {
  private readonly report: (component: string, problem: string | undefined) => void;

  constructor(clock: Clock, report: (component: string, problem: string | undefined) => void) {
    super(clock);
    this.report = report;
  }

  override set(component: string, problem: string | undefined): void {
    const isNews = problem !== undefined || !this.isHealthy(component);
    super.set(component, problem);
    if (isNews) this.report(component, problem);
  }
}
