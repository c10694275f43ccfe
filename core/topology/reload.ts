import type {
  FilterConfig,
  InputConfig,
  OutputConfig,
  ResolvedConfig,
} from '../config/resolved.ts';
import { type ConfigDiff, diffConfigs } from '../config/diff.ts';
import { messageOf } from '../errors/sluice_error.ts';
import type { Agent, RunningFilter, RunningInput, RunningOutput } from './agent.ts';
import { ComponentFactory, type PluginSet } from './component_factory.ts';
import { lateSettings } from './late_settings.ts';
import { closeStorage, type OutputStorage, storageFingerprint } from './output_assembly.ts';

export type ReloadResult =
  | { readonly ok: true; readonly changed: number; readonly message: string }
  | { readonly ok: false; readonly message: string };

/** Replaces what differs and leaves the rest alone: offsets, sockets and buffers stay.
 *
 *  New filters and outputs are opened before anything is stopped; outputs that change or go only
 *  give up their ports before. Inputs that change or go are stopped before any opens, since ports
 *  and files may go from one to another. When something cannot be opened, all is taken up again as
 *  it was. */
export async function reloadAgent(
  agent: Agent,
  next: ResolvedConfig,
  plugins: PluginSet,
): Promise<ReloadResult> {
  const before = agent.config.service;
  const diff = diffConfigs(agent.config, next);
  if (diff.isEmpty) return { ok: true, changed: 0, message: 'Nothing changed.' };
  const refusal = refusedChange(agent, next, diff);
  if (refusal !== undefined) return { ok: false, message: refusal };
  agent.mask.learn(next);
  const factory = new ComponentFactory(next, plugins, agent.services);
  const opened = new Opened();
  for (const { kind, id } of [...next.filters, ...next.outputs]) agent.wanted.add(`${kind} ${id}`);
  try {
    const filters = await openFilters(agent, next, diff, factory, opened);
    const outputs = await openOutputs(agent, next, diff, factory, opened);
    const workers = await agent.prepareWorkers(next, plugins);
    opened.add(async () => agent.forgetWorkers(workers));
    const inputs = await swapInputs(agent, next, diff, factory);
    await commit(agent, next, factory, { inputs, filters, outputs, workers });
    const changed = diff.added.length + diff.removed.length + diff.changed.length;
    const late = lateSettings(before, next.service);
    const message = `Reloaded: ${changed} components changed.${late === undefined ? '' : ` ${late}`}`;
    return { ok: true, changed, message };
  } catch (error) {
    agent.wanted.clear();
    await opened.undo();
    const reason = agent.mask.text(messageOf(error));
    const message = `Reload failed, the old configuration runs on: ${reason}`;
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
  for (const { to } of diff.changed) {
    const earlier = [...agent.retired].filter(({ config }) => config.id === to.id).length;
    if (to.kind !== 'output' || earlier < retiredMax) continue;
    return `output "${to.id}" was changed ${earlier} times while it could not deliver: reload once it has, or restart.`;
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
  await releaseOutputs(agent, next, diff, opened);
  for (const config of next.outputs) {
    const running = agent.outputs.find((output) => output.config.id === config.id);
    if (running !== undefined && !isChanged(diff, config)) {
      outputs.push({ ...running, config });
      continue;
    }
    opened.add(async () => {
      running?.stage.exportGauges();
      forget(agent, 'output', config, agent.outputs);
    });
    const storage = running?.storage ?? retiredStorage(agent, config);
    if (storage !== undefined) agent.claimedStorage.add(storage);
    await agent.closingStorage.get(config.id);
    opened.add(async () => {
      if (storage === undefined) return;
      agent.claimedStorage.delete(storage);
      await closeUnusedStorage(agent, config.id, storage);
    });
    const made = await agent.openOutput(config, storage, factory);
    opened.add(async () => {
      await made.stage.close();
      if (storage === undefined) await closeStorage(made.storage);
    });
    outputs.push(made);
  }
  return outputs;
}

/** The storage of an output that was removed, is wanted again, and still brings away what it held. */
function retiredStorage(agent: Agent, config: OutputConfig): OutputStorage | undefined {
  const fingerprint = storageFingerprint(config);
  for (const { config: earlier, storage } of agent.retired) {
    if (earlier.id === config.id && storage.fingerprint === fingerprint) return storage;
  }
  return undefined;
}

async function closeUnusedStorage(agent: Agent, id: string, storage: OutputStorage): Promise<void> {
  const holders = [...agent.outputs, ...agent.retired];
  if (agent.claimedStorage.has(storage)) return;
  if (holders.some((holder) => holder.storage === storage)) return;
  const closing = closeStorage(storage).finally(() => agent.closingStorage.delete(id));
  agent.closingStorage.set(id, closing);
  await closing;
}

/** What only one instance can hold goes over: outputs that change or go give up their ports before
 *  any is opened, and take them again when the reload fails. */
async function releaseOutputs(
  agent: Agent,
  next: ResolvedConfig,
  diff: ConfigDiff,
  opened: Opened,
): Promise<void> {
  for (const { config, stage } of agent.outputs) {
    const stays = next.outputs.some(({ id }) => id === config.id) && !isChanged(diff, config);
    if (stays || stage.output.release === undefined) continue;
    opened.add(() => stage.output.open?.());
    await stage.output.release();
  }
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
    if (running === undefined) {
      opened.add(async () => forget(agent, 'filter', config, agent.filters));
    }
    const made = await agent.openFilter(config, factory);
    opened.add(() => made.stage.close());
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
  const stopped: RunningInput[] = [];
  const made: RunningInput[] = [];
  try {
    // All before any: one may take over the port of another.
    for (const running of agent.inputs) {
      const to = next.inputs.find(({ id }) => id === running.config.id);
      if (to !== undefined && !isChanged(diff, to)) continue;
      stopped.push(running);
    }
    await Promise.all(stopped.map(({ stage }) => stage.close()));
    const inputs: RunningInput[] = [];
    for (const config of next.inputs) {
      const running = agent.inputs.find((input) => input.config.id === config.id);
      if (running !== undefined && !stopped.includes(running)) {
        inputs.push({ ...running, config });
        continue;
      }
      const input = await agent.openInput(config, factory);
      made.push(input);
      inputs.push(input);
    }
    return inputs;
  } catch (error) {
    for (const { stage } of made) await stage.close().catch(() => undefined);
    for (const { id } of next.inputs) {
      forget(agent, 'input', { id }, agent.inputs);
    }
    await restoreInputs(agent, stopped);
    throw error;
  }
}

/** Starts inputs again as they were. One that cannot be is shown in `/readyz`. */
async function restoreInputs(agent: Agent, stopped: readonly RunningInput[]): Promise<void> {
  for (const old of stopped) {
    try {
      const again = await agent.openInput(old.config);
      agent.inputs = agent.inputs.map((input) => (input === old ? again : input));
      agent.startInput(again.stage);
    } catch (error) {
      const reason = `it did not start again after a failed reload: ${messageOf(error)}`;
      agent.health.set(`input ${old.config.id}`, reason);
      agent.log.error({ input: old.config.id, reason }, 'An input did not start again.');
    }
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
  const keptFilters = stagesOf(components.filters);
  // What a filter holds has to pass the filters that were behind it.
  for (const { stage } of old.filters) if (!keptFilters.has(stage)) stage.retire();
  for (const { stage } of old.inputs) await stage.passHeldSoon();
  agent.config = next;
  agent.factory = factory;
  agent.inputs = components.inputs;
  agent.filters = components.filters;
  agent.outputs = components.outputs;
  agent.setPipeline(components.workers);
  agent.claimedStorage.clear();
  agent.wanted.clear();
  for (const { config, storage } of components.outputs) storage.setLimits(config);
  const oldOutputs = stagesOf(old.outputs);
  for (const { stage } of components.outputs) if (!oldOutputs.has(stage)) stage.start();
  const keptInputs = stagesOf(components.inputs);
  const oldInputs = stagesOf(old.inputs);
  for (const { config, stage } of old.inputs) {
    if (keptInputs.has(stage)) continue;
    forget(agent, 'input', config, components.inputs);
  }
  for (const { stage } of components.inputs) if (!oldInputs.has(stage)) agent.startInput(stage);
  for (const { config, stage } of old.filters) {
    if (keptFilters.has(stage)) continue;
    retireFilter(agent, { config, stage });
  }
  const keptOutputs = stagesOf(components.outputs);
  for (const output of old.outputs) {
    if (!keptOutputs.has(output.stage)) retireOutput(agent, output);
  }
}

/** A filter closes when no batch is in it any more. */
function retireFilter(agent: Agent, { config, stage }: RunningFilter): void {
  agent.replacedIdle
    .then(() => stage.close())
    .catch((error) => {
      agent.log.error({ error: messageOf(error) }, 'A replaced filter did not close cleanly.');
    })
    .finally(() => forget(agent, 'filter', config, agent.filters));
}

/** The old instance brings away what it encoded, then closes. As long as there is an output of its
 *  name it has as long as it takes; one that was removed for good has a minute, or two at most. */
function retireOutput(agent: Agent, output: RunningOutput): void {
  const { config, stage, storage } = output;
  const isWanted = () => agent.outputs.some(({ config: { id } }) => id === config.id);
  const deadline = new AbortController();
  const cancel = agent.options.clock.every(removedMsMax, () => {
    if (!isWanted()) deadline.abort();
  });
  agent.retired.add(output);
  agent.replacedIdle
    .then(() => stage.drain(deadline.signal))
    .then(() => stage.close())
    .then(async () => {
      agent.retired.delete(output);
      const records = agent.isStopping ? 0 : stage.giveUp('output_removed');
      if (records > 0) agent.log.error({ output: config.id, records }, 'Records were dropped.');
      await closeUnusedStorage(agent, config.id, storage);
      if (!isWanted() && records === 0) forget(agent, 'output', config, agent.outputs);
    })
    .catch((error) => {
      agent.log.error({ error: messageOf(error) }, 'A replaced output did not close cleanly.');
    })
    .finally(() => {
      cancel();
      agent.retired.delete(output);
    });
}

/** Time that an output which was removed has to bring away what it holds. */
const removedMsMax = 60_000;
/** Earlier instances of one output that may still be delivering. */
const retiredMax = 8;

function forget(
  agent: Agent,
  kind: string,
  config: { readonly id: string },
  remaining: readonly { config: { id: string } }[],
): void {
  if (remaining.some((other) => other.config.id === config.id)) return;
  // The one that comes again shows itself under this name already.
  if (agent.wanted.has(`${kind} ${config.id}`)) return;
  agent.health.remove(`${kind} ${config.id}`);
  if (kind === 'output') {
    for (const store of ['buffer', 'dead_letters']) agent.health.remove(`${store} ${config.id}`);
  }
  agent.metrics.removeComponent(kind, config.id);
}

function isChanged(diff: ConfigDiff, config: InputConfig | FilterConfig | OutputConfig): boolean {
  return diff.changed.some(({ to }) => to.kind === config.kind && to.id === config.id);
}
