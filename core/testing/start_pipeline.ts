import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FileSystem } from '../buffer/file_system.ts';
import { formatDiagnostic } from '../config/diagnostic.ts';
import { loadConfig } from '../config/load.ts';
import type { ResolvedConfig } from '../config/resolved.ts';
import { schemaOf } from '../config/schema_of.ts';
import { loadKernel } from '../kernel/kernel.ts';
import type { AnyPlugin } from '../sdk/define.ts';
import { silentLog } from '../telemetry/log.ts';
import { type Clock, systemClock } from '../time/clock.ts';
import { Agent } from '../topology/agent.ts';
import type { BuiltInParser } from '../topology/component_factory.ts';
import type { WorkerProgram } from '../workers/worker_thread.ts';
import { assertConservation } from './conservation.ts';

export interface PipelineSetup {
  readonly yaml: string;
  readonly plugins: readonly AnyPlugin[];
  readonly builtInParsers?: Readonly<Record<string, BuiltInParser>>;
  readonly builtInMultilineNames?: readonly string[];
  readonly clock?: Clock;
  /** Where the agent keeps its files; a new directory when absent. */
  readonly directory?: string;
  readonly kernel?: boolean;
  /** What worker threads run, where the text asks for more than one. */
  readonly workerProgram?: WorkerProgram;
  /** Stands in for the disk that buffers, checkpoints and dead letters are kept on. */
  readonly fileSystem?: FileSystem;
}

export interface StartedPipeline {
  readonly agent: Agent;
  readonly directory: string;
  /** Loads other text as the running pipeline's file would be, for a reload. */
  load(yaml: string): ResolvedConfig;
  /** Stops the agent, asserts that no record went missing, and removes the directory. */
  stop(options?: { drained?: boolean; keep?: boolean }): Promise<void>;
}

/** Starts an agent on pipeline text with the given plugins. `service.storage.path` is set to a
 *  directory of the pipeline's own. Throws the diagnostics when the text is wrong. */
export async function startPipeline(setup: PipelineSetup): Promise<StartedPipeline> {
  const directory = setup.directory ?? (await mkdtemp(join(tmpdir(), 'sluice-test-')));
  const load = (yaml: string): ResolvedConfig => loadText(yaml, setup, directory);
  const agent = await Agent.start({
    config: load(setup.yaml),
    plugins: { plugins: setup.plugins, builtInParsers: setup.builtInParsers ?? {} },
    clock: setup.clock ?? systemClock,
    kernel: setup.kernel === false ? undefined : loadKernel(),
    baseDirectory: directory,
    logFor: () => silentLog,
    ...(setup.workerProgram === undefined ? {} : { workerProgram: setup.workerProgram }),
    ...(setup.fileSystem === undefined ? {} : { fileSystem: setup.fileSystem }),
  });
  return {
    agent,
    directory,
    load,
    async stop(options = {}) {
      await agent.stop();
      assertConservation(agent.metrics, { drained: options.drained ?? true });
      if (options.keep !== true) await rm(directory, { recursive: true, force: true });
    },
  };
}

function loadText(yaml: string, setup: PipelineSetup, directory: string): ResolvedConfig {
  const file = join(directory, 'pipeline.yaml');
  const result = loadConfig({
    files: [file],
    cwd: directory,
    env: process.env,
    plugins: setup.plugins.map(schemaOf),
    builtinParsers: Object.keys(setup.builtInParsers ?? {}),
    builtinMultilineParsers: setup.builtInMultilineNames ?? [],
    access: { readFile: () => yaml },
  });
  if (result.config === undefined) {
    throw new Error(result.diagnostics.map((one) => formatDiagnostic(one)).join('\n'));
  }
  const { service, outputs } = result.config;
  const storagePath = join(directory, 'data');
  return {
    ...result.config,
    service: { ...service, storagePath, deadLetterPath: join(storagePath, 'dead_letters') },
    outputs: outputs.map((output) => ({
      ...output,
      base: { ...output.base, storage: { ...output.base.storage, path: storagePath } },
    })),
  };
}
