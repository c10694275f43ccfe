import assert from 'node:assert/strict';
import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { freePort } from '../chaos/sink.ts';
import { endAgent, ended, startAgent } from '../crash/kill_rig.ts';
import { Random } from '../model/random.ts';
import { type RunningServer, servers } from '../servers/index.ts';
import { clickhouse, elasticsearch } from './destination.ts';
import { FaultyProxy, watched } from './faulty_proxy.ts';
import { PartialBulk } from './partial_bulk.ts';

const patienceMs = 150_000;

/** Real servers, and real agents before them, for refusals that a server itself decides on. Each attack
 *  ends with exact counts. */
export const refusals: Readonly<
  Record<string, (seed: number) => Promise<Record<string, unknown>>>
> = {
  'a hundred partial failures of bulk requests': partialFailures,
  'indexing pressure answers 429': indexingPressure,
  'a table that is missing': missingTable,
  'one unparsable row of 10,000': unparsableRow,
};

/** Each document meets a random status, until a hundred answers were partial: what was taken or refused
 *  for good is never sent again, the rest is until it is taken. */
async function partialFailures(seed: number): Promise<Record<string, unknown>> {
  const random = new Random(seed);
  const some = new PartialBulk(() => {
    if (random.chance(0.002)) return 400;
    return random.chance(0.2) ? random.pick([403, 408, 429, 500, 503]) : undefined;
  });
  const server = await elasticsearch.start();
  const proxy = await FaultyProxy.listen(server.port);
  proxy.fault = some.fault;
  const options = `${elasticsearch.options(server)}, port: ${proxy.port}, batch: {records: 100}`;
  return await withAgent(options, server, proxy, async (agent) => {
    let lines = 0;
    const endMs = performance.now() + patienceMs;
    while (some.partialAnswers < 100) {
      assert.ok(performance.now() < endMs, `${some.partialAnswers} partial answers`);
      // As fast as they are taken: a rig that is behind looks like one that lost records.
      if (lines - some.settled < 1000) await agent.write(numbered(lines, (lines += 100)));
      await wait(50);
    }
    const stored = await agent.until('the rest is stored', async () => {
      const found = await elasticsearch.stored(server, lines);
      return found.size + some.rejected.size === lines ? found : undefined;
    });
    const duplicates = [...stored.values()].filter((times) => times > 1).length;
    const deadLetters = await agent.metric('sluice_records_dead_lettered_total');
    const conflicts = await agent.metric('sluice_elasticsearch_id_conflicts_total');
    const counts = { needless: some.needless, duplicates, conflicts };
    assert.deepEqual(counts, { needless: 0, duplicates: 0, conflicts: 0 });
    assert.equal(deadLetters, some.rejected.size);
    const { partialAnswers, refusals: refused } = some;
    const { requests } = proxy;
    return {
      lines,
      requests,
      partialAnswers,
      refused,
      stored: stored.size,
      deadLetters,
      ...counts,
    };
  });
}

/** A node that may hold 300 kB of bodies at once, and an agent that has several of 100 kB under way. */
async function indexingPressure(): Promise<Record<string, unknown>> {
  const limit = 'indexing_pressure.memory.limit: 300kb';
  const server = await servers.elasticsearch9.start({ extraSettings: limit });
  const proxy = await FaultyProxy.listen(server.port);
  const statuses: Record<number, number> = {};
  proxy.fault = watched((status) => {
    statuses[status] = (statuses[status] ?? 0) + 1;
  });
  const options = `${elasticsearch.options(server)}, port: ${proxy.port}, workers: 8, batch: {records: 1000}`;
  return await withAgent(options, server, proxy, async (agent) => {
    const lines = 20_000;
    await agent.write(numbered(0, lines));
    const stored = await agent.until('all lines are stored', async () => {
      const found = await elasticsearch.stored(server, lines);
      return found.size === lines ? found : undefined;
    });
    const duplicates = [...stored.values()].filter((times) => times > 1).length;
    const deadLetters = await agent.metric('sluice_records_dead_lettered_total');
    assert.deepEqual({ duplicates, deadLetters }, { duplicates: 0, deadLetters: 0 });
    assert.ok((statuses[429] ?? 0) > 0, 'the node never was too busy');
    return { lines, statuses, stored: stored.size, duplicates, deadLetters };
  });
}

/** Nothing is lost while the table is not there, readiness says so, and all rows come once it is. */
async function missingTable(): Promise<Record<string, unknown>> {
  const server = await clickhouse.start();
  const proxy = await FaultyProxy.listen(server.port);
  const options = `${clickhouse.options(server)}, port: ${proxy.port}, create_table: false`;
  return await withAgent(
    options.replace('create_table: true, ', ''),
    server,
    proxy,
    async (agent) => {
      await agent.write(numbered(0, 5000));
      const reason = await agent.until('readiness is red', () => agent.notReady());
      assert.match(reason, /lines/);
      await agent.write(numbered(5000, 10_000));
      await ask(server, 'CREATE TABLE lines (log String) ENGINE = MergeTree ORDER BY log');
      const stored = await agent.until('all rows are there', async () => {
        const found = await clickhouse.stored(server, 10_000);
        return found.size === 10_000 ? found : undefined;
      });
      const duplicates = [...stored.values()].filter((times) => times > 1).length;
      const deadLetters = await agent.metric('sluice_records_dead_lettered_total');
      assert.deepEqual({ duplicates, deadLetters }, { duplicates: 0, deadLetters: 0 });
      await agent.until('readiness is green', async () => (await agent.notReady()) === undefined);
      return { rows: 10_000, stored: stored.size, duplicates, deadLetters, reason };
    },
  );
}

/** The row goes to the dead letters alone. */
async function unparsableRow(seed: number): Promise<Record<string, unknown>> {
  const server = await clickhouse.start();
  await ask(server, 'CREATE TABLE numbers (n UInt32) ENGINE = MergeTree ORDER BY n');
  const proxy = await FaultyProxy.listen(server.port);
  const { username, password } = server;
  const options = `name: clickhouse, user: ${username}, password: ${password}, table: numbers, columns: {n: UInt32}, time_key: '', port: ${proxy.port}`;
  return await withAgent(
    options,
    server,
    proxy,
    async (agent) => {
      const bad = new Random(seed).below(10_000);
      let text = '';
      for (let n = 0; n < 10_000; n++) text += n === bad ? '{"n":"many"}\n' : `{"n":${n}}\n`;
      await agent.write(text);
      const facts = 'SELECT count(), uniqExact(n), has(groupArray(n), {bad:UInt32}) FROM numbers';
      const stored = await agent.until('the good rows are there', async () => {
        const answer = await ask(server, facts.replace('{bad:UInt32}', `${bad}`));
        return answer.startsWith('9999\t') ? answer.trim() : undefined;
      });
      assert.equal(stored, '9999\t9999\t0');
      const deadLetters = await agent.until('the letter', async () => {
        return (await agent.metric('sluice_records_dead_lettered_total')) || undefined;
      });
      assert.equal(deadLetters, 1);
      return { rows: 10_000, bad, stored: 9999, deadLetters, requests: proxy.requests };
    },
    'parser: json, ',
  );
}

interface TestAgent {
  write(text: string): Promise<void>;
  /** Sum of a metric's series. */
  metric(name: string): Promise<number>;
  /** What `/readyz` says while it is red. */
  notReady(): Promise<string | undefined>;
  until<T>(what: string, look: () => Promise<T | undefined | false>): Promise<T>;
}

async function withAgent(
  options: string,
  server: RunningServer,
  proxy: FaultyProxy,
  work: (agent: TestAgent) => Promise<Record<string, unknown>>,
  input = '',
): Promise<Record<string, unknown>> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-refusals-'));
  const port = await freePort();
  await writeFile(
    join(directory, 'pipeline.yaml'),
    `
service: {flush: 50ms, scheduler.base: 50ms, scheduler.cap: 500ms, storage.path: data, log_level: off, http_server: on, http_port: ${port}}
pipeline:
  inputs:
    - {name: tail, path: app.log, ${input}read_from_head: true, refresh_interval: 100ms}
  outputs:
    - {${options}, alias: out, match: '*', host: 127.0.0.1, storage.type: filesystem, retry_limit: no_limits}
`,
  );
  const agent = startAgent(directory);
  const url = `http://127.0.0.1:${port}`;
  const startMs = performance.now();
  try {
    const counts = await work({
      write: (text) => appendFile(join(directory, 'app.log'), text),
      metric: async (name) => {
        const text = await (await fetch(`${url}/metrics`)).text();
        const found = text.matchAll(new RegExp(`^${name}(?:\\{.*\\})? (\\d+)$`, 'gm'));
        return [...found].reduce((sum, [, value]) => sum + Number(value), 0);
      },
      notReady: async () => {
        const response = await fetch(`${url}/readyz`).catch(() => undefined);
        return response?.status === 503 ? await response.text() : undefined;
      },
      until: async (what, look) => {
        const endMs = performance.now() + patienceMs;
        for (;;) {
          const found = await look();
          if (found !== undefined && found !== false) return found;
          assert.ok(performance.now() < endMs, `not within ${patienceMs} ms: ${what}`);
          await wait(500);
        }
      },
    });
    agent.kill('SIGTERM');
    assert.equal(await ended(agent), 0);
    return { ...counts, seconds: Math.round((performance.now() - startMs) / 1000) };
  } finally {
    endAgent(agent);
    await ended(agent);
    await proxy.close();
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

function numbered(from: number, to: number): string {
  let text = '';
  for (let line = from; line < to; line++) text += `line ${line}\n`;
  return text;
}

async function ask(server: RunningServer, query: string): Promise<string> {
  const headers = {
    'x-clickhouse-user': server.username!,
    'x-clickhouse-key': server.password!,
  };
  const response = await fetch(server.url, { method: 'POST', body: query, headers });
  const text = await response.text();
  assert.equal(response.status, 200, text);
  return text;
}
