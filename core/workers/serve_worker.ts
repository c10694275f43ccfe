import type { MessagePort } from 'node:worker_threads';
import { messageOf, SluiceError } from '../errors/sluice_error.ts';
import { openKernel } from '../kernel/kernel.ts';
import type { Log } from '../sdk/contracts.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { systemClock } from '../time/clock.ts';
import type { PluginSet } from '../topology/component_factory.ts';
import { unpackConfig } from './config_cargo.ts';
import type { ResolvedConfig } from '../config/resolved.ts';
import type { PluginName, WorkerOrder, WorkerReport } from './messages.ts';
import { WorkerPipeline } from './worker_pipeline.ts';

/** Imports the plugins that a configuration needs in a worker. */
export type PluginLoader = (
  names: readonly PluginName[],
  config: ResolvedConfig,
) => Promise<PluginSet>;

/** How often counters that grow without batches are reported, in milliseconds. */
const reportMs = 1000;

/** Serves the main thread from a worker thread: what a worker program calls, once. */
export function serveWorker(port: MessagePort, loadPlugins: PluginLoader): void {
  const server = new WorkerServer(port, loadPlugins);
  let last: Promise<void> = Promise.resolve();
  port.on('message', (order: WorkerOrder) => {
    // One after the other: what counters grew by then belongs to one batch.
    last = last.then(() => server.take(order));
  });
  // What is thrown here ends the thread, and with it the agent.
  const timer = setInterval(() => {
    last = last.then(() => server.reportGrowth());
  }, reportMs);
  timer.unref();
}

interface Slot {
  readonly cargo: Buffer;
  readonly results: Uint8Array;
}

class WorkerServer {
  private readonly port: MessagePort;
  private readonly loadPlugins: PluginLoader;
  private readonly kernel = openKernel();
  private readonly pipelines = new Map<number, WorkerPipeline>();
  private readonly slots: Slot[] = [];

  constructor(port: MessagePort, loadPlugins: PluginLoader) {
    this.port = port;
    this.loadPlugins = loadPlugins;
  }

  async take(order: WorkerOrder): Promise<void> {
    switch (order.kind) {
      case 'slot':
        this.slots[order.slot] = {
          cargo: Buffer.from(order.cargo),
          results: new Uint8Array(order.results),
        };
        return;
      case 'batch':
        return await this.encode(order);
      case 'load':
        return await this.load(order);
      case 'forget': {
        const pipeline = this.pipelines.get(order.version);
        this.pipelines.delete(order.version);
        return await pipeline?.close();
      }
    }
  }

  reportGrowth(): void {
    for (const pipeline of this.pipelines.values()) {
      const growth = pipeline.takeGrowth();
      if (growth.length > 0) this.say({ kind: 'counted', growth });
    }
  }

  private say(report: WorkerReport, transfer: readonly ArrayBuffer[] = []): void {
    this.port.postMessage(report, transfer);
  }

  private async encode(order: Extract<WorkerOrder, { kind: 'batch' }>): Promise<void> {
    const { parcel } = order;
    try {
      const { cargo, results } = this.slots[order.slot]!;
      const pipeline = this.pipelines.get(order.version)!;
      const { result, growth } = await pipeline.run(order, cargo, results);
      this.say({ kind: 'encoded', parcel, result, growth }, result.spilled);
    } catch (error) {
      this.say({ kind: 'failed', parcel, message: messageOf(error) });
    }
  }

  private async load(order: Extract<WorkerOrder, { kind: 'load' }>): Promise<void> {
    const { version, baseDirectory } = order;
    const { kernel, reason } = this.kernel;
    try {
      if (order.hasKernel && kernel === undefined) {
        const message = `A worker thread has no kernel: ${reason} Set service.workers to 1.`;
        throw new SluiceError('SLUICE_CONFIG_INVALID', message);
      }
      const config = unpackConfig(order.config);
      const pipeline = new WorkerPipeline(config, await this.loadPlugins(order.plugins, config), {
        clock: systemClock,
        kernel: order.hasKernel ? kernel : undefined,
        baseDirectory,
        metrics: new Metrics(),
        logFor: (component) => this.logOf(component),
        setHealth: (component, problem) => this.say({ kind: 'health', component, problem }),
      });
      await pipeline.open();
      this.pipelines.set(version, pipeline);
      this.say({ kind: 'loaded', version });
    } catch (error) {
      const code = error instanceof SluiceError ? error.code : 'SLUICE_BUG';
      this.say({ kind: 'refused', version, code, message: messageOf(error) });
    }
  }

  /** Lines go to the main thread's log, one of a kind in a second: it leaves out more than that
   *  itself, and no message may cost one a record. */
  private logOf(component: string): Log {
    const quietUntil = new Map<string, number>();
    const write =
      (level: 'error' | 'warn' | 'info' | 'debug') =>
      (fields: Record<string, unknown>, message: string): void => {
        const now = systemClock.monotonicMs();
        if (now < (quietUntil.get(level + message) ?? 0)) return;
        if (quietUntil.size >= kindsKept) quietUntil.clear();
        quietUntil.set(level + message, now + 1000);
        this.say({ kind: 'log', component, level, fields: plain(fields), message });
      };
    return {
      error: write('error'),
      warn: write('warn'),
      info: write('info'),
      debug: write('debug'),
    };
  }
}

const kindsKept = 512;

/** Fields as a message can carry them. */
function plain(fields: Record<string, unknown>): Record<string, unknown> {
  // Written by JSON.stringify right here.
  return JSON.parse(JSON.stringify(fields)) as Record<string, unknown>;
}
