import { resolve } from 'node:path';
import { formatDiagnostic } from '../../core/config/diagnostic.ts';
import type { ResolvedConfig, ServiceConfig } from '../../core/config/resolved.ts';
import { SecretMask } from '../../core/config/secret_mask.ts';
import { messageOf } from '../../core/errors/sluice_error.ts';
import { loadKernel } from '../../core/kernel/kernel.ts';
import type { Log } from '../../core/sdk/contracts.ts';
import { createLog, type LogLevel } from '../../core/telemetry/log.ts';
import { LogFile } from '../../core/telemetry/log_file.ts';
import { Metrics } from '../../core/telemetry/metrics.ts';
import { systemClock } from '../../core/time/clock.ts';
import { Agent } from '../../core/topology/agent.ts';
import type { Command, CommandCall } from '../command.ts';
import { AgentInterface } from '../agent_interface.ts';
import { Orders } from '../orders.ts';
import { notifierOf } from '../service/announce.ts';
import type { ServiceReporter } from '../service/service_host.ts';
import { takeNotifyEnvironment } from '../service/service_notifier.ts';
import type { ServiceSession } from '../service/windows/service_session.ts';
import { exitCode } from '../exit_codes.ts';
import { loadPipeline, type LoadedPipeline } from '../pipeline_config.ts';
import { startFailureCode } from '../start_failure.ts';
import { textOption } from '../usage_error.ts';
import { workerProgram } from '../worker_program.ts';

/** `sluice run FILE...`: the agent itself. */
export const run: Command = {
  name: 'run',
  summary: 'Runs the pipeline that the files describe, until it ends or is told to.',
  usage: 'sluice run FILE... [OPTION...]',
  options: {
    directory: { type: 'string', help: 'Directory that storage.path and log_file start from.' },
    service: { type: 'string', help: 'Runs as this service of Windows, which Windows starts.' },
  },
  async run(given) {
    if (given.positionals.length === 0) {
      given.stderr.write('error: name at least one pipeline file: sluice run FILE\n');
      return exitCode.usage;
    }
    const call = {
      ...given,
      positionals: given.positionals.map((file) => inThisDirectory(file, given)),
    };
    const directory = textOption(call, 'directory');
    if (directory !== undefined) process.chdir(directory);
    const name = textOption(call, 'service');
    if (name === undefined) return await runFiles(call);
    const { runAsService } = await import('../service/windows/run_as_service.ts');
    return await runAsService(name, call, runFiles);
  },
};

/** `session` is who started the agent, where that is Windows. */
async function runFiles(call: CommandCall, session?: ServiceSession): Promise<number> {
  const loaded = await loadPipeline(call.positionals);
  if (!loaded.ok) {
    call.stderr.write(loaded.text);
    return exitCode.configuration;
  }
  for (const warning of loaded.pipeline.warnings) {
    call.stderr.write(`${formatDiagnostic(warning)}\n`);
  }
  return await runPipeline(loaded.pipeline, call, session);
}

/** A file stays the same whatever directory the agent then works in. */
function inThisDirectory(file: string, call: CommandCall): string {
  return textOption(call, 'directory') === undefined ? file : resolve(file);
}

async function runPipeline(
  pipeline: LoadedPipeline,
  call: CommandCall,
  session: ServiceSession | undefined,
): Promise<number> {
  const environment = takeNotifyEnvironment(process.env, process.pid);
  const mask = new SecretMask();
  mask.learn(pipeline.config);
  let agent: Agent;
  let door: AgentInterface | undefined;
  const orders = new Orders(() => process.exit(exitCode.ok));
  orders.listenForSignals();
  try {
    const telemetry = openTelemetry(pipeline.config, call, mask);
    // First: where the address is taken, no record has moved yet.
    door = await AgentInterface.listen(pipeline.config, telemetry.logFor('agent'));
    agent = await startAgent(pipeline, telemetry);
  } catch (error) {
    orders.forgetSignals();
    await door?.close();
    call.stderr.write(`error: ${mask.text(messageOf(error))}\n`);
    return startFailureCode(error);
  }
  const notifier: ServiceReporter | undefined = session ?? notifierOf(agent, environment);
  await door?.serve(agent, orders);
  orders.obeyedBy(agent, () => {
    const reload = () => reloadFiles(agent, call.positionals);
    return notifier === undefined ? reload() : notifier.reload(reload);
  });
  session?.obey(orders);
  if (process.pid === 1) agent.log.info({}, asProcessOne);
  void notifier?.ready();
  const ended = await Promise.race([
    agent.finished().then(() => 'finished' as const),
    orders.stopped.then(() => 'stopped' as const),
  ]);
  void notifier?.stop();
  await agent.stop(ended === 'finished' ? undefined : agent.config.service.graceMs);
  orders.forgetSignals();
  await door?.close();
  const code = agent.hasFailed ? exitCode.failure : exitCode.ok;
  await notifier?.close(code);
  return code;
}

/** Node waits for its own children only. */
const asProcessOne =
  'The agent is process 1. Where commands of exec leave processes behind, put an init such as tini before it: it cannot reap them.';

/** How an agent says what it does. */
export interface Telemetry {
  readonly metrics: Metrics;
  readonly logFor: (component: string, level?: LogLevel) => Log;
  /** Hides the configuration's secrets in what is said. */
  readonly mask: SecretMask;
}

/** The log and metrics that the file asks for. Errors: SLUICE_OPTION_INVALID for `log_file`. */
export function openTelemetry(
  { service }: ResolvedConfig,
  { stderr }: Pick<CommandCall, 'stderr'>,
  mask = new SecretMask(),
): Telemetry {
  const metrics = new Metrics();
  const console = { write: (line: string) => void stderr.write(line) };
  const sink =
    service.logFile === undefined
      ? console
      : new LogFile(service.logFile, console, () => systemClock.monotonicMs());
  const logFor = createLog({
    level: service.logLevel,
    format: logFormat(service, stderr.isTTY === true),
    destination: { write: (line: string) => void sink.write(mask.text(line)) },
    clock: systemClock,
    suppressed: metrics.counter('sluice_log_suppressed_total', {
      component: 'agent',
      kind: 'agent',
    }),
  });
  return { metrics, logFor, mask };
}

/** Starts an agent that says what it does by the telemetry given. */
export function startAgent(pipeline: LoadedPipeline, telemetry: Telemetry): Promise<Agent> {
  return Agent.start({
    config: pipeline.config,
    plugins: pipeline.plugins,
    clock: systemClock,
    kernel: loadKernel(),
    baseDirectory: pipeline.baseDirectory,
    ...telemetry,
    workerProgram: workerProgram(),
  });
}

function logFormat(
  { logFormat: wanted, logFile }: ServiceConfig,
  isTerminal: boolean,
): 'json' | 'pretty' {
  if (wanted !== 'auto') return wanted;
  return isTerminal && logFile === undefined ? 'pretty' : 'json';
}

/** Reads the files again and reloads by difference; says in the log what came of it. */
export async function reloadFiles(
  agent: Agent,
  files: readonly string[],
): Promise<{ ok: boolean; message: string }> {
  // Each reload has its own answer, however soon after another: a log of its own leaves none out as
  // a repetition.
  const log = agent.services.logFor('agent');
  if (!agent.config.service.hotReload) {
    const message = 'Reload refused: service.hot_reload is off.';
    log.warn({}, message);
    return { ok: false, message };
  }
  const loaded = await loadPipeline(files);
  if (!loaded.ok) {
    log.error({ problems: loaded.text }, 'Reload refused: the pipeline file is wrong.');
    return { ok: false, message: loaded.text };
  }
  const result = await agent.reload(loaded.pipeline.config, loaded.pipeline.plugins);
  if (result.ok) log.info({}, result.message);
  else log.error({}, result.message);
  return result;
}
