import assert from 'node:assert/strict';
import { type RunningServer, servers } from '../servers/index.ts';
import { replicatedClickhouse } from '../servers/replicated_clickhouse.ts';

/** How a real server is written to by the agent and read by the rig. */
export interface Destination {
  readonly name: 'elasticsearch9' | 'clickhouse' | 'loki';
  start(): Promise<RunningServer>;
  /** Options of its output besides host and port. */
  options(server: RunningServer): string;
  /** How often the server has each line, by the line's number. */
  stored(server: RunningServer, lines: number): Promise<Map<number, number>>;
}

export const elasticsearch: Destination = {
  name: 'elasticsearch9',
  start: () => servers.elasticsearch9.start(),
  options: () => 'name: elasticsearch, index: lines',
  async stored(server) {
    await fetch(`${server.url}/lines/_refresh`, { method: 'POST' });
    const found = new Map<number, number>();
    let after: unknown;
    for (;;) {
      const sort = [{ 'log.keyword': { order: 'asc', unmapped_type: 'keyword' } }, '_doc'];
      const body = {
        size: 10_000,
        sort,
        _source: ['log'],
        ...(after ? { search_after: after } : {}),
      };
      const response = await fetch(`${server.url}/lines/_search`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      if (response.status === 404) return found;
      assert.equal(response.status, 200, await response.clone().text());
      // The shape of a search answer.
      const { hits } = (await response.json()) as {
        hits: { hits: { _source: { log: string }; sort: unknown }[] };
      };
      for (const { _source } of hits.hits) add(found, _source.log);
      if (hits.hits.length < 10_000) return found;
      after = hits.hits.at(-1)!.sort;
    }
  },
};

export const clickhouse: Destination = {
  name: 'clickhouse',
  start: () => servers.clickhouse.start(),
  options: ({ username, password }) =>
    `name: clickhouse, user: ${username}, password: ${password}, table: lines, create_table: true, columns: {log: String}`,
  async stored(server) {
    const response = await fetch(server.url, {
      method: 'POST',
      body: 'SELECT log FROM lines',
      headers: { 'x-clickhouse-user': server.username!, 'x-clickhouse-key': server.password! },
    });
    const text = await response.text();
    const found = new Map<number, number>();
    if (text.includes('UNKNOWN_TABLE')) return found;
    assert.equal(response.status, 200, text);
    for (const line of text.split('\n')) if (line !== '') add(found, line);
    return found;
  },
};

/** The same in a replicated table, which remembers tokens in ZooKeeper. */
export const clickhouseReplicated: Destination = {
  ...clickhouse,
  start: () => replicatedClickhouse.start(),
  options: (server) =>
    `${clickhouse.options(server)}, engine: "ReplicatedMergeTree('/tables/lines', 'only')"`,
};

export const loki: Destination = {
  name: 'loki',
  start: () => servers.loki.start(),
  options: () => 'name: loki, labels: job=lines, line_format: json',
  async stored(server, lines) {
    const found = new Map<number, number>();
    const now = Math.floor(Date.now() / 1000);
    for (let thousand = 0; thousand <= lines / 1000; thousand++) {
      const digits = thousand === 0 ? '[0-9]{1,3}' : `${thousand}[0-9]{3}`;
      const url = new URL('/loki/api/v1/query_range', server.url);
      url.searchParams.set('query', `{job="lines"} |~ "line ${digits}([^0-9]|$)"`);
      url.searchParams.set('start', `${now - 3600}`);
      url.searchParams.set('end', `${now + 60}`);
      url.searchParams.set('limit', '5000');
      const response = await fetch(url);
      assert.equal(response.status, 200, await response.clone().text());
      // The shape of Loki's query API.
      const { data } = (await response.json()) as {
        data: { result: { values: [string, string][] }[] };
      };
      for (const { values } of data.result) for (const [, text] of values) add(found, text);
    }
    return found;
  },
};

function add(found: Map<number, number>, text: string): void {
  const number = Number(/line (\d+)/.exec(text)?.[1]);
  assert.ok(!Number.isNaN(number), `no number in ${text}`);
  found.set(number, (found.get(number) ?? 0) + 1);
}
