import { closeSync, existsSync, openSync, rmSync } from 'node:fs';
import { resolve, sep } from 'node:path';
import { checkDirectory } from '../core/buffer/directory_check.ts';
import { directoryHolder } from '../core/buffer/directory_lock.ts';
import { nodeFileSystem } from '../core/buffer/file_system.ts';
import { type Diagnostic, diagnosticAt } from '../core/config/diagnostic.ts';
import type { SourcePosition } from '../core/config/node.ts';
import type { ResolvedConfig } from '../core/config/resolved.ts';
import { SecretMask } from '../core/config/secret_mask.ts';
import { messageOf, SluiceError } from '../core/errors/sluice_error.ts';
import type { SourceRegistry } from '../core/sdk/contracts.ts';
import { Health } from '../core/telemetry/health.ts';
import { HttpApi } from '../core/telemetry/http_api.ts';
import { silentLog } from '../core/telemetry/log.ts';
import { Metrics } from '../core/telemetry/metrics.ts';
import { systemClock } from '../core/time/clock.ts';
import { ComponentFactory } from '../core/topology/component_factory.ts';
import { bufferDirectory, deadLetterDirectory } from '../core/topology/output_assembly.ts';
import type { LoadedPipeline } from './pipeline_config.ts';

const probeTimeoutMs = 15_000;

export interface Trial {
  readonly problems: readonly Diagnostic[];
  /** The process that runs with this `storage.path` now. What it holds was not taken for a problem:
   *  a reload would hand it over. */
  readonly holder: number | undefined;
}

/** Finds out whether `run` would start: creates and opens every component as it does, all of them at
 *  once, takes the addresses, and tries the directories; then closes all. With `probe`, destinations
 *  are connected to as well. `file` is the pipeline file, for problems of `service`. */
export async function tryPipeline(
  pipeline: LoadedPipeline,
  file: string,
  probe: boolean,
): Promise<Trial> {
  const { service } = pipeline.config;
  const holder = await directoryHolder(nodeFileSystem(), service.storagePath);
  const attempts = new Attempts(pipeline.config, holder !== undefined);
  const whole: SourcePosition = { file, line: 0, column: 0 };
  await attempts.at(whole, async () => tryLogFile(service.logFile));
  for (const directory of directoriesOf(pipeline.config)) {
    // What is below one that fails would fail for the same reason.
    if (attempts.failed.some((above) => isBelow(directory, above))) continue;
    await attempts.at(whole, () => checkDirectory(directory), directory);
  }
  await attempts.at(whole, () => tryInterface(pipeline.config, attempts));
  await tryComponents(pipeline, probe, attempts);
  await attempts.close();
  const problems = attempts.problems.sort((a, b) => a.line - b.line || a.column - b.column);
  return { problems, holder };
}

/** Collects what goes wrong, and what has to be closed in the end. */
class Attempts {
  readonly problems: Diagnostic[] = [];
  /** Directories that cannot be used. */
  readonly failed: string[] = [];
  private readonly closers: (() => Promise<void> | undefined)[] = [];
  private readonly isRunning: boolean;
  private readonly mask = new SecretMask();

  constructor(config: ResolvedConfig, isRunning: boolean) {
    this.isRunning = isRunning;
    this.mask.learn(config);
  }

  async at(
    position: SourcePosition,
    attempt: () => Promise<void>,
    directory?: string,
  ): Promise<void> {
    try {
      await attempt();
    } catch (error) {
      const code = error instanceof SluiceError ? error.code : 'SLUICE_CONFIG_INVALID';
      const isTaken = code === 'SLUICE_LISTEN_FAILED' || code === 'SLUICE_STORAGE_LOCKED';
      if (isTaken && this.isRunning) return;
      if (directory !== undefined) this.failed.push(directory);
      this.problems.push(diagnosticAt(position, this.mask.text(messageOf(error)), { code }));
    }
  }

  closeLater(close: () => Promise<void> | undefined): void {
    this.closers.push(close);
  }

  async close(): Promise<void> {
    for (const close of this.closers.reverse()) await close()?.catch(() => undefined);
  }
}

function directoriesOf({ service, outputs }: ResolvedConfig): readonly string[] {
  const stores = outputs.flatMap(({ id, base: { storage } }) => [
    ...(storage.type === 'filesystem' ? [bufferDirectory(storage.path, id)] : []),
    deadLetterDirectory(service.deadLetterPath, id),
  ]);
  return [service.storagePath, ...stores];
}

function isBelow(path: string, directory: string): boolean {
  return resolve(path).startsWith(`${resolve(directory)}${sep}`);
}

function tryLogFile(path: string | undefined): void {
  if (path === undefined) return;
  const isNew = !existsSync(path);
  try {
    closeSync(openSync(path, 'a', 0o600));
    if (isNew) rmSync(path);
  } catch (cause) {
    const text = `The file of service.log_file cannot be written (${messageOf(cause)}): check the path and its permissions.`;
    throw new SluiceError('SLUICE_OPTION_INVALID', text, { cause });
  }
}

async function tryInterface({ service }: ResolvedConfig, attempts: Attempts): Promise<void> {
  if (!service.httpServer) return;
  const api = await HttpApi.listen({
    host: service.httpListen,
    port: service.httpPort,
    token: '',
    log: silentLog,
  });
  attempts.closeLater(() => api.close());
}

async function tryComponents(
  pipeline: LoadedPipeline,
  probe: boolean,
  attempts: Attempts,
): Promise<void> {
  const { inputs, filters, outputs } = pipeline.config;
  const factory = new ComponentFactory(pipeline.config, pipeline.plugins, {
    clock: systemClock,
    metrics: new Metrics(),
    health: new Health(systemClock),
    kernel: undefined,
    baseDirectory: pipeline.baseDirectory,
    logFor: () => silentLog,
  });
  for (const config of outputs) {
    await attempts.at(config.position, async () => {
      factory.outputCondition(config);
      const output = factory.output(config);
      attempts.closeLater(() => output.close?.());
      await output.check?.();
      const opens = output.check === undefined || (probe && output.probe !== undefined);
      if (opens) await output.open?.();
      if (probe) await output.probe?.(AbortSignal.timeout(probeTimeoutMs));
    });
  }
  for (const config of filters) {
    await attempts.at(config.position, async () => {
      factory.filterCondition(config);
      const filter = factory.filter(config);
      attempts.closeLater(() => filter.close?.());
      // Look-up tables, databases and pattern files are read when a filter opens.
      await filter.open?.();
    });
  }
  for (const config of inputs) {
    await attempts.at(config.position, async () => {
      const input = factory.input(config, noSources);
      attempts.closeLater(() => input.close?.());
      await input.open?.();
    });
  }
}

const noSources: SourceRegistry = {
  open: () => Promise.reject(new Error('sources are not opened by a check')),
  checkpoints: () => new Map(),
  forget() {},
};
