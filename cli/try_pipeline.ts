import { systemClock } from '../core/time/clock.ts';
import { Health } from '../core/telemetry/health.ts';
import { silentLog } from '../core/telemetry/log.ts';
import { Metrics } from '../core/telemetry/metrics.ts';
import { ComponentFactory } from '../core/topology/component_factory.ts';
import type { SourceRegistry } from '../core/sdk/contracts.ts';
import type { LoadedPipeline } from './pipeline_config.ts';

const probeTimeoutMs = 15_000;

/** Creates every component as `run` would, and opens the filters: what a plugin refuses then is
 *  refused here. With `probe`, destinations are connected to as well. */
export async function tryPipeline(pipeline: LoadedPipeline, probe: boolean): Promise<void> {
  const factory = new ComponentFactory(pipeline.config, pipeline.plugins, {
    clock: systemClock,
    metrics: new Metrics(),
    health: new Health(systemClock),
    kernel: undefined,
    baseDirectory: pipeline.baseDirectory,
    logFor: () => silentLog,
  });
  for (const input of pipeline.config.inputs) factory.input(input, noSources);
  for (const config of pipeline.config.filters) {
    const filter = factory.filter(config);
    factory.filterCondition(config);
    // Look-up tables, databases and pattern files are read when a filter opens.
    await filter.open?.();
    await filter.close?.();
  }
  for (const config of pipeline.config.outputs) {
    const output = factory.output(config);
    factory.outputCondition(config);
    try {
      if (probe && output.probe !== undefined) {
        await output.open?.();
        await output.probe(AbortSignal.timeout(probeTimeoutMs));
      }
    } finally {
      await output.close?.();
    }
  }
}

const noSources: SourceRegistry = {
  open: () => Promise.reject(new Error('sources are not opened by a check')),
  checkpoints: () => new Map(),
  forget() {},
};
