import { messageOf } from '../errors/sluice_error.ts';
import type { ApiAnswer, ApiRoute } from '../telemetry/http_api.ts';
import type { Agent } from './agent.ts';
import type { StopReport } from './stop_report.ts';

export interface ApiActions {
  readonly version: string;
  /** Reads the pipeline files again and reloads. */
  reload(): Promise<{ ok: boolean; message: string }>;
  /** What /api/v1/health says where `health_check` is on; else it says what /readyz says. */
  isHealthy?(): boolean;
  /** Stops in order, as SIGTERM does; resolves when all is settled as far as the grace allows. */
  drain(): Promise<StopReport>;
}

/** The agent's HTTP interface: Prometheus metrics, probes, and what Fluent Bit has under
 *  `/api/v1` and `/api/v2`. */
export function apiRoutes(agent: Agent, actions: ApiActions): ApiRoute[] {
  const metrics = (): ApiAnswer => ({
    status: 200,
    body: agent.metrics.exposition(),
    contentType: 'text/plain; version=0.0.4; charset=utf-8',
  });
  const health = (): ApiAnswer => {
    const isHealthy = actions.isHealthy?.() ?? agent.problems().length === 0;
    return { status: isHealthy ? 200 : 500, body: isHealthy ? 'ok\n' : 'error\n' };
  };
  const get = (path: string, answer: () => ApiAnswer): ApiRoute => ({
    method: 'GET',
    path,
    needsToken: false,
    answer,
  });
  const reload = (method: 'POST' | 'PUT'): ApiRoute => ({
    method,
    path: '/api/v2/reload',
    needsToken: true,
    answer: async () => {
      if (!agent.config.service.hotReload) {
        const message = 'service.hot_reload is off: restart the agent.';
        return { status: 400, body: { reload: 'not enabled', status: -1, message } };
      }
      const { ok, message } = await actions.reload();
      return {
        status: ok ? 200 : 400,
        body: { reload: ok ? 'done' : 'failed', status: ok ? 0 : -1, message },
      };
    },
  });
  const drain = (path: string): ApiRoute => ({
    method: 'POST',
    path,
    needsToken: true,
    answer: async () => json({ drain: 'done', ...(await actions.drain()) }),
  });
  return [
    get('/', () => json({ sluice: { version: actions.version } })),
    get('/metrics', metrics),
    get('/livez', () => {
      const wedged = agent.wedged()[0];
      if (wedged === undefined) return { status: 200, body: 'ok\n' };
      return { status: 503, body: `${wedged.component}: ${wedged.reason}\n` };
    }),
    get('/readyz', () => readiness(agent)),
    get('/api/v1/health', health),
    get('/api/v2/health', health),
    get('/api/v1/uptime', () => uptime(agent)),
    get('/api/v1/metrics', () => json(fluentBitMetrics(agent))),
    get('/api/v1/metrics/prometheus', metrics),
    get('/api/v2/metrics', metrics),
    get('/api/v2/metrics/prometheus', metrics),
    get('/api/v1/storage', () => json(storage(agent))),
    get('/api/v2/reload', () => json({ hot_reload_count: reloadCount(agent) })),
    reload('POST'),
    reload('PUT'),
    drain('/drain'),
    drain('/api/v2/drain'),
    {
      method: 'POST',
      path: '/api/v1/query',
      needsToken: true,
      answer: (body) => query(agent, body),
    },
  ];
}

function json(body: unknown): ApiAnswer {
  return { status: 200, body };
}

function readiness(agent: Agent): ApiAnswer {
  const problems = agent.problems();
  return {
    status: problems.length === 0 ? 200 : 503,
    body: { ready: problems.length === 0, problems },
  };
}

function uptime(agent: Agent): ApiAnswer {
  const seconds = Math.floor(agent.uptimeSeconds());
  const parts = [
    [Math.floor(seconds / 86_400), 'day'],
    [Math.floor(seconds / 3600) % 24, 'hour'],
    [Math.floor(seconds / 60) % 60, 'minute'],
    [seconds % 60, 'second'],
  ] as const;
  const text = parts.map(([count, unit]) => `${count} ${unit}${count === 1 ? '' : 's'}`).join(', ');
  return json({ uptime_sec: seconds, uptime_hr: `Sluice has been running: ${text}` });
}

function fluentBitMetrics(agent: Agent): unknown {
  const of = (name: string, kind: string, component: string) =>
    agent.metrics.value(name, { component, kind });
  const input: Record<string, unknown> = {};
  for (const { config } of agent.inputs) {
    input[config.id] = {
      records: of('sluice_records_in_total', 'input', config.id),
      bytes: of('sluice_input_bytes_total', 'input', config.id),
    };
  }
  const filter: Record<string, unknown> = {};
  for (const { config, stage } of agent.filters) {
    const { counters } = stage;
    filter[config.id] = {
      drop_records: counters.in.value + counters.created.value - counters.out.value,
      add_records: counters.created.value,
    };
  }
  const output: Record<string, unknown> = {};
  for (const { config, stage } of agent.outputs) {
    output[config.id] = {
      proc_records: stage.counters.out.value,
      proc_bytes: of('sluice_output_bytes_total', 'output', config.id),
      errors: stage.counters.deadLettered.value,
      retries: of('sluice_output_retries_total', 'output', config.id),
      retries_failed: stage.counters.deadLettered.value,
      dropped_records: stage.counters.droppedTotal(),
    };
  }
  return { input, filter, output };
}

function storage(agent: Agent): unknown {
  const outputs: Record<string, unknown> = {};
  let inMemory = 0;
  let onDisk = 0;
  for (const { config, storage: kept } of agent.outputs) {
    const labels = { component: config.id, kind: 'output' };
    const pending = agent.metrics.value('sluice_output_queue_chunks', labels);
    if (kept.buffer === undefined) inMemory += pending;
    else onDisk += kept.buffer.pendingCount;
    outputs[config.id] = {
      type: config.base.storage.type,
      chunks: kept.buffer?.pendingCount ?? 0,
      bytes: kept.buffer?.usedBytes ?? 0,
      limit_bytes: kept.buffer?.limitBytes ?? 0,
    };
  }
  return {
    storage_layer: {
      chunks: {
        total_chunks: inMemory + onDisk,
        mem_chunks: inMemory,
        fs_chunks: onDisk,
        fs_chunks_up: 0,
        fs_chunks_down: onDisk,
      },
      outputs,
    },
    // Chunks belong to outputs here.
    input_chunks: {},
    memory: { bytes: agent.budget.usedBytes, limit_bytes: agent.budget.limitBytes },
  };
}

function reloadCount(agent: Agent): number {
  const labels = { component: 'agent', kind: 'agent', result: 'ok' };
  return agent.metrics.value('sluice_reloads_total', labels);
}

async function query(agent: Agent, body: Buffer): Promise<ApiAnswer> {
  try {
    // Checked field by field below.
    const asked = JSON.parse(body.toString()) as { output?: unknown; sql?: unknown };
    if (typeof asked.sql !== 'string') return { status: 400, body: { error: 'sql is missing' } };
    const answering = agent.outputs.find(
      ({ config, stage }) =>
        stage.output.query !== undefined &&
        (asked.output === undefined || asked.output === config.id),
    );
    if (answering === undefined) {
      return { status: 404, body: { error: 'no output of this agent answers queries' } };
    }
    return json(await answering.stage.output.query!(asked.sql));
  } catch (error) {
    return { status: 400, body: { error: messageOf(error) } };
  }
}
