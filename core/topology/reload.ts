import type {
  FilterConfig,
  InputConfig,
  OutputConfig,
  ResolvedConfig,
} from '../config/resolved.ts';
import { type ConfigDiff, diffConfigs } from '../config/diff.ts';
import { messageOf } from '../errors/sluice_error.ts';
import {
  type Agent,
  closeStorage,
  type RunningFilter,
  type RunningInput,
  type RunningOutput,
} from './agent.ts';
import { ComponentFactory, type PluginSet } from './component_factory.ts';
import { storageFingerprint } from './output_assembly.ts';

export type ReloadResult =
  | { readonly ok: true; readonly changed: number; readonly message: string }
  | { readonly ok: false; readonly message: string };

/** Replaces what differs and leaves the rest alone: offsets, sockets and buffers stay.
 *
 *  New filters and outputs are opened before anything is touched. An input that changed is
 *  stopped before its successor opens (both may want the same port or file); when that fails,
 *  it is started again as it was. */
export async function reloadAgent(
  agent: Agent,
  next: ResolvedConfig,
  plugins: PluginSet,
): Promise<ReloadResult> {
  const diff = diffConfigs(agent.config, next);
  if (diff.isEmpty) return { ok: true, changed: 0, message: 'Nothing changed.' };
  const refusal = refusedChange(agent, next, diff);
  if (refusal !== undefined) return { ok: false, message: refusal };
  const factory = new ComponentFactory(next, plugins, agent.services);
  const opened = new Opened();
  try {
    const outputs = await openOutputs(agent, next, diff, factory, opened);
    const filters = await openFilters(agent, next, diff, factory, opened);
    const workers = await agent.prepareWorkers(next, plugins);
    opened.add(async () => agent.forgetWorkers(workers));
    const inputs = await swapInputs(agent, next, diff, factory);
    await commit(agent, next, factory, { inputs, filters, outputs, workers });
    const changed = diff.added.length + diff.removed.length + diff.changed.length;
    return { ok: true, changed, message: `Reloaded: ${changed} components changed.` };
  } catch (error) {
    await opened.undo();
    const message = `Reload failed, the old configuration runs on: ${messageOf(error)}`;
    agent.log.error({ error: messageOf(error) }, 'Reload failed; the old configuration runs on.');
    return { ok: false, message };
  }
}

/** What was opened for a reload that then failed. */
class Opened {
  private readonly closers: (() => Promise<unknown> | undefined)[] = [];

  add(close: () => Promise<unknown> | undefined): void {
    this.closers.push(close);
  }

  async undo(): Promise<void> {
    for (const close of this.closers.reverse()) await close()?.catch(() => undefined);
  }
}

function refusedChange(agent: Agent, next: ResolvedConfig, diff: ConfigDiff): string | undefined {
  if (next.service.storagePath !== agent.config.service.storagePath) {
    return 'storage.path cannot change while the agent runs: restart it.';
  }
  if (next.service.workers !== agent.config.service.workers) {
    return 'service.workers cannot change while the agent runs: restart it.';
  }
  for (const { from, to } of diff.changed) {
    if (from.kind !== 'output' || to.kind !== 'output') continue;
    if (storageFingerprint(from) !== storageFingerprint(to)) {
      return `storage.type and storage.path of output "${to.id}" cannot change while the agent runs: restart it.`;
    }
  }
  return undefined;
}

async function openOutputs(
  agent: Agent,
  next: ResolvedConfig,
  diff: ConfigDiff,
  factory: ComponentFactory,
  opened: Opened,
): Promise<RunningOutput[]> {
  const outputs: RunningOutput[] = [];
  for (const config of next.outputs) {
    const running = agent.outputs.find((output) => output.config.id === config.id);
    if (running !== undefined && !isChanged(diff, config)) {
      outputs.push({ ...running, config });
      continue;
    }
    const made = await agent.openOutput(config, running?.storage, factory);
    opened.add(async () => {
      await made.stage.close();
      if (running === undefined) await closeStorage(made.storage);
    });
    outputs.push(made);
  }
  return outputs;
}

async function openFilters(
  agent: Agent,
  next: ResolvedConfig,
  diff: ConfigDiff,
  factory: ComponentFactory,
  opened: Opened,
): Promise<RunningFilter[]> {
  const filters: RunningFilter[] = [];
  for (const config of next.filters) {
    const running = agent.filters.find((filter) => filter.config.id === config.id);
    if (running !== undefined && !isChanged(diff, config)) {
      filters.push({ ...running, config });
      continue;
    }
    const made = await agent.openFilter(config, factory);
    opened.add(() => made.stage.filter.close?.());
    filters.push(made);
  }
  return filters;
}

async function swapInputs(
  agent: Agent,
  next: ResolvedConfig,
  diff: ConfigDiff,
  factory: ComponentFactory,
): Promise<RunningInput[]> {
  const inputs: RunningInput[] = [];
  const swapped: { old: RunningInput; now: RunningInput | undefined }[] = [];
  try {
    for (const config of next.inputs) {
      const running = agent.inputs.find((input) => input.config.id === config.id);
      if (running !== undefined && !isChanged(diff, config)) {
        inputs.push({ ...running, config });
        continue;
      }
      if (running !== undefined) {
        await running.stage.close();
        swapped.push({ old: running, now: undefined });
      }
      const made = await agent.openInput(config, factory);
      if (running !== undefined) swapped[swapped.length - 1]!.now = made;
      else swapped.push({ old: made, now: made });
      inputs.push(made);
    }
    return inputs;
  } catch (error) {
    await restoreInputs(agent, swapped);
    throw error;
  }
}

async function restoreInputs(
  agent: Agent,
  swapped: readonly { old: RunningInput; now: RunningInput | undefined }[],
): Promise<void> {
  for (const { old, now } of swapped) {
    await now?.stage.close();
    if (now === old) continue;
    const again = await agent.openInput(old.config);
    agent.inputs = agent.inputs.map((input) => (input === old ? again : input));
    agent.startInput(again.stage);
  }
}

interface NextComponents {
  readonly inputs: RunningInput[];
  readonly filters: RunningFilter[];
  readonly outputs: RunningOutput[];
  /** What the worker threads have of it. */
  readonly workers: number | undefined;
}

async function commit(
  agent: Agent,
  next: ResolvedConfig,
  factory: ComponentFactory,
  components: NextComponents,
): Promise<void> {
  const stagesOf = (running: readonly { stage: unknown }[]) =>
    new Set(running.map((one) => one.stage));
  const old = { inputs: agent.inputs, filters: agent.filters, outputs: agent.outputs };
  agent.config = next;
  agent.factory = factory;
  agent.inputs = components.inputs;
  agent.filters = components.filters;
  agent.outputs = components.outputs;
  agent.setPipeline(components.workers);
  for (const { config, storage } of components.outputs) storage.setLimits(config);
  const oldOutputs = stagesOf(old.outputs);
  for (const { stage } of components.outputs) if (!oldOutputs.has(stage)) stage.start();
  const keptInputs = stagesOf(components.inputs);
  const oldInputs = stagesOf(old.inputs);
  for (const { config, stage } of old.inputs) {
    if (keptInputs.has(stage)) continue;
    await stage.close();
    forget(agent, 'input', config, components.inputs);
  }
  for (const { stage } of components.inputs) if (!oldInputs.has(stage)) agent.startInput(stage);
  const keptFilters = stagesOf(components.filters);
  for (const { config, stage } of old.filters) {
    if (keptFilters.has(stage)) continue;
    await stage.filter.close?.();
    forget(agent, 'filter', config, components.filters);
  }
  const keptOutputs = stagesOf(components.outputs);
  for (const output of old.outputs) {
    if (!keptOutputs.has(output.stage)) retireOutput(agent, output, components.outputs);
  }
}

/** The old instance brings away what it encoded, in its own time, then closes. */
function retireOutput(
  agent: Agent,
  output: RunningOutput,
  outputs: readonly RunningOutput[],
): void {
  const storageStays = outputs.some((other) => other.storage === output.storage);
  const deadline = new AbortController();
  const cancel = agent.options.clock.after(60_000, () => deadline.abort());
  output.stage
    .drain(deadline.signal)
    .then(() => output.stage.close())
    .then(async () => {
      cancel();
      if (storageStays) return;
      await closeStorage(output.storage);
      forget(agent, 'output', output.config, outputs);
    })
    .catch((error) => {
      agent.log.error({ error: messageOf(error) }, 'A replaced output did not close cleanly.');
    });
}

function forget(
  agent: Agent,
  kind: string,
  config: InputConfig | FilterConfig | OutputConfig,
  remaining: readonly { config: { id: string } }[],
): void {
  if (remaining.some((other) => other.config.id === config.id)) return;
  agent.health.remove(`${kind} ${config.id}`);
  if (kind === 'output') {
    for (const store of ['buffer', 'dead_letters']) agent.health.remove(`${store} ${config.id}`);
  }
  agent.metrics.removeComponent(kind, config.id);
}

function isChanged(diff: ConfigDiff, config: InputConfig | FilterConfig | OutputConfig): boolean {
  return diff.changed.some(({ to }) => to.kind === config.kind && to.id === config.id);
}
