import { createWriteStream } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { formatDiagnostic } from '../../core/config/diagnostic.ts';
import type { ResolvedConfig } from '../../core/config/resolved.ts';
import { SecretMask } from '../../core/config/secret_mask.ts';
import { messageOf, SluiceError } from '../../core/errors/sluice_error.ts';
import { loadKernel } from '../../core/kernel/kernel.ts';
import { createLog } from '../../core/telemetry/log.ts';
import { HttpApi, newApiToken } from '../../core/telemetry/http_api.ts';
import { Metrics } from '../../core/telemetry/metrics.ts';
import { systemClock } from '../../core/time/clock.ts';
import { Agent } from '../../core/topology/agent.ts';
import { apiRoutes } from '../../core/topology/api_routes.ts';
import type { Command, CommandCall } from '../command.ts';
import { agentFileName } from '../agent_file.ts';
import { Orders } from '../orders.ts';
import { notifierOf } from '../service/announce.ts';
import type { ServiceReporter } from '../service/service_host.ts';
import { takeNotifyEnvironment } from '../service/service_notifier.ts';
import type { ServiceSession } from '../service/windows/service_session.ts';
import { exitCode } from '../exit_codes.ts';
import { packageVersion } from '../package_version.ts';
import { loadPipeline, type LoadedPipeline } from '../pipeline_config.ts';
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
  try {
    agent = await startAgent(pipeline, call, mask);
  } catch (error) {
    call.stderr.write(`error: ${mask.text(messageOf(error))}\n`);
    const isConfig = error instanceof SluiceError && error.kind === 'config';
    return isConfig ? exitCode.configuration : exitCode.failure;
  }
  const notifier: ServiceReporter | undefined = session ?? notifierOf(agent, environment);
  const orders = new Orders(agent, () => {
    const reload = () => reloadFiles(agent, call.positionals);
    return notifier === undefined ? reload() : notifier.reload(reload);
  });
  let api: HttpApi | undefined;
  try {
    api = await openApi(agent, orders);
  } catch (error) {
    await agent.stop();
    call.stderr.write(`error: ${mask.text(messageOf(error))}\n`);
    return exitCode.configuration;
  }
  orders.listenForSignals();
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
  await api?.close();
  const code = agent.hasFailed ? exitCode.failure : exitCode.ok;
  await notifier?.close(code);
  return code;
}

/** Node waits for its own children only. */
const asProcessOne =
  'The agent is process 1. Where commands of exec leave processes behind, put an init such as tini before it: it cannot reap them.';

/** Starts an agent with the log and metrics that the file asks for. */
export function startAgent(
  pipeline: LoadedPipeline,
  call: Pick<CommandCall, 'stderr'>,
  mask = new SecretMask(),
): Promise<Agent> {
  const { service } = pipeline.config;
  const metrics = new Metrics();
  const sink =
    service.logFile === undefined
      ? call.stderr
      : createWriteStream(service.logFile, { flags: 'a', mode: 0o600 });
  const logFor = createLog({
    level: service.logLevel,
    format: logFormat(pipeline.config, call.stderr.isTTY === true),
    destination: { write: (line: string) => void sink.write(mask.text(line)) },
    clock: systemClock,
    suppressed: metrics.counter('sluice_log_suppressed_total', {
      component: 'agent',
      kind: 'agent',
    }),
  });
  return Agent.start({
    config: pipeline.config,
    plugins: pipeline.plugins,
    clock: systemClock,
    kernel: loadKernel(),
    baseDirectory: pipeline.baseDirectory,
    logFor,
    metrics,
    mask,
    workerProgram: workerProgram(),
  });
}

/** Opens the HTTP interface if the file asks for it. Its token is the file's, or a random one
 *  that is kept, readable by this user alone, beside the agent's other files. */
async function openApi(agent: Agent, orders: Orders): Promise<HttpApi | undefined> {
  const { service } = agent.config;
  if (!service.httpServer) return undefined;
  const token = service.httpToken?.reveal() ?? newApiToken();
  const api = await HttpApi.listen({
    host: service.httpListen,
    port: service.httpPort,
    token,
    log: agent.log,
    routes: apiRoutes(agent, {
      version: packageVersion(),
      reload: () => orders.reload(),
      drain: () => {
        orders.stop();
        return agent.stop();
      },
    }),
  });
  const place = { url: `http://${service.httpListen}:${api.port}`, token };
  await noteAgent(agent, `${JSON.stringify(place)}\n`);
  agent.log.info({ url: place.url }, 'The HTTP interface listens.');
  return api;
}

/** A disk that is full or broken keeps no agent from starting: what is on it must be drained. */
async function noteAgent(agent: Agent, text: string): Promise<void> {
  const path = join(agent.config.service.storagePath, agentFileName);
  const write = async () => {
    await rm(path, { force: true });
    await writeFile(path, text, { mode: 0o600 });
  };
  try {
    await write();
  } catch (error) {
    const fields = { path, error: messageOf(error) };
    agent.log.error(fields, 'Commands that ask the running agent will not find it yet.');
    const cancel = systemClock.every(10_000, () => void write().then(cancel, () => undefined));
  }
}

function logFormat(config: ResolvedConfig, isTerminal: boolean): 'json' | 'pretty' {
  const { logFormat: wanted, logFile } = config.service;
  if (wanted !== 'auto') return wanted;
  return isTerminal && logFile === undefined ? 'pretty' : 'json';
}

/** Reads the files again and reloads by difference; says in the log what came of it. */
export async function reloadFiles(
  agent: Agent,
  files: readonly string[],
): Promise<{ ok: boolean; message: string }> {
  const loaded = await loadPipeline(files);
  if (!loaded.ok) {
    agent.log.error({ problems: loaded.text }, 'Reload refused: the pipeline file is wrong.');
    return { ok: false, message: loaded.text };
  }
  const result = await agent.reload(loaded.pipeline.config, loaded.pipeline.plugins);
  if (result.ok) agent.log.info({}, result.message);
  return result;
}
