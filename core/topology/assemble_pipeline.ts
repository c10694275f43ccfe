import type { FilterConfig, OutputConfig } from '../config/resolved.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { ComponentFactory } from './component_factory.ts';
import type { FilterStage } from './filter_stage.ts';
import { Pipeline, type Route } from './pipeline.ts';

interface ConfiguredFilter {
  readonly config: FilterConfig;
  readonly stage: FilterStage;
}

interface ConfiguredOutput {
  readonly config: OutputConfig;
  readonly stage: Route['stage'];
}

/** Puts filters and outputs together as the configuration says: an output's own filters stand before
 *  it, all others in the order of the file. */
export function assemblePipeline(
  filters: readonly ConfiguredFilter[],
  outputs: readonly ConfiguredOutput[],
  factory: ComponentFactory,
  metrics: Metrics,
): Pipeline {
  const common: FilterStage[] = [];
  const own = new Map<string, FilterStage[]>();
  for (const { config, stage } of filters) {
    const owner = config.base.processorOf;
    if (owner?.kind !== 'output') common.push(stage);
    else own.set(owner.id, [...(own.get(owner.id) ?? []), stage]);
  }
  const routes = outputs.map(({ config, stage }) => ({
    stage,
    condition: factory.outputCondition(config),
    processors: own.get(config.id) ?? [],
  }));
  return new Pipeline(common, routes, metrics);
}
