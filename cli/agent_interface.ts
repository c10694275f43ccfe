import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ResolvedConfig } from '../core/config/resolved.ts';
import { messageOf } from '../core/errors/sluice_error.ts';
import type { Log } from '../core/sdk/contracts.ts';
import { HttpApi, newApiToken } from '../core/telemetry/http_api.ts';
import { systemClock } from '../core/time/clock.ts';
import type { Agent, RunningOutput } from '../core/topology/agent.ts';
import { apiRoutes } from '../core/topology/api_routes.ts';
import { PeriodHealth } from '../core/topology/period_health.ts';
import { agentFileName } from './agent_file.ts';
import type { Orders } from './orders.ts';
import { packageVersion } from './package_version.ts';

/** The HTTP interface of an agent, from before it starts until after it has stopped. */
export class AgentInterface {
  private readonly api: HttpApi;
  private readonly host: string;
  private readonly token: string;
  private health: PeriodHealth | undefined;

  private constructor(api: HttpApi, host: string, token: string) {
    this.api = api;
    this.host = host;
    this.token = token;
  }

  /** Takes the address, if the file asks for an interface, before anything else is begun. Its token
   *  is the file's, or a random one. Errors: SLUICE_LISTEN_FAILED. */
  static async listen(config: ResolvedConfig, log: Log): Promise<AgentInterface | undefined> {
    const { httpServer, httpListen: host, httpPort: port, httpToken } = config.service;
    if (!httpServer) return undefined;
    const token = httpToken?.reveal() ?? newApiToken();
    return new AgentInterface(await HttpApi.listen({ host, port, token, log }), host, token);
  }

  /** Answers from now on, and says where, beside the agent's other files, readable by this user
   *  alone: for commands that ask the running agent. */
  async serve(agent: Agent, orders: Orders): Promise<void> {
    const { healthCheck } = agent.config.service;
    this.health = healthCheck ? periodHealth(agent) : undefined;
    const { health } = this;
    const routes = apiRoutes(agent, {
      version: packageVersion(),
      ...(health === undefined ? {} : { isHealthy: () => health.isHealthy() }),
      reload: () => orders.reload(),
      drain: () => {
        orders.stop();
        return agent.stop();
      },
    });
    this.api.serve(routes);
    const host = this.host.includes(':') ? `[${this.host}]` : this.host;
    const place = { url: `http://${host}:${this.api.port}`, token: this.token };
    await noteAgent(agent, `${JSON.stringify(place)}\n`);
    agent.log.info({ url: place.url }, 'The HTTP interface listens.');
  }

  close(): Promise<void> {
    this.health?.close();
    return this.api.close();
  }
}

function periodHealth(agent: Agent): PeriodHealth {
  const { healthPeriodMs, healthErrorsMax, healthRetryFailuresMax } = agent.config.service;
  const sum = (count: (output: RunningOutput) => number) =>
    agent.outputs.reduce((total, output) => total + count(output), 0);
  return new PeriodHealth({
    clock: systemClock,
    periodMs: healthPeriodMs,
    read: () => ({
      errors: sum(
        ({ stage: { counters } }) => counters.deadLettered.value + counters.droppedTotal(),
      ),
      retries: sum(({ config: { id } }) =>
        agent.metrics.value('sluice_output_retries_total', { component: id, kind: 'output' }),
      ),
    }),
    most: { errors: healthErrorsMax, retries: healthRetryFailuresMax },
  });
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
