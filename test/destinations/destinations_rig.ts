import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { endAgent, ended, LineWriter, startAgent } from '../crash/kill_rig.ts';
import { Random } from '../model/random.ts';
import type { RunningServer } from '../servers/index.ts';
import type { Destination } from './destination.ts';
import { FaultyProxy, type ProxyFault, proxyFaults } from './faulty_proxy.ts';
import { PartialBulk } from './partial_bulk.ts';

export interface DestinationCounts {
  lines: number;
  /** Requests that met a fault of the way, by its name. */
  struck: Record<string, number>;
  requests: number;
  stopped: number;
  killed: number;
  lost: number;
  duplicates: number;
  seconds: number;
}

interface Given {
  readonly seed: number;
  readonly rounds: number;
  readonly storage: 'memory' | 'filesystem';
}

/** A real agent and a real server with a proxy between them. In each round each fault of the way
 *  comes once, in a random order, the server stands still for a while, and is killed and started
 *  again. At the end the server has every line once. */
export async function destinationsRig(
  destination: Destination,
  server: RunningServer,
  { seed, rounds, storage }: Given,
): Promise<DestinationCounts> {
  const random = new Random(seed);
  const proxy = await FaultyProxy.listen(server.port);
  const directory = await mkdtemp(join(tmpdir(), 'sluice-destinations-'));
  const startMs = performance.now();
  const text = pipeline(`${destination.options(server)}, port: ${proxy.port}`, storage);
  await writeFile(join(directory, 'pipeline.yaml'), text);
  const agent = startAgent(directory);
  const writer = new LineWriter(directory);
  const counts = { struck: {} as Record<string, number>, stopped: 0, killed: 0 };
  try {
    for (let round = 0; round < rounds; round++) {
      for (const [name, strike] of shuffled(random, faultsOf(destination, random))) {
        await writer.write(100);
        counts.struck[name] = (counts.struck[name] ?? 0) + (await strike(server, proxy, writer));
        if (name === 'stopped') counts.stopped++;
        if (name === 'killed') counts.killed++;
      }
    }
    const stored = await settled(destination, server, writer.lines);
    agent.kill('SIGTERM');
    assert.equal(await ended(agent), 0);
    // What was on its way when the first look was taken is there now.
    const last = await destination.stored(server, writer.lines);
    const duplicates = [...last.values()].reduce((sum, times) => sum + times - 1, 0);
    const lost = writer.lines - stored.size;
    assert.deepEqual({ lost, duplicates }, { lost: 0, duplicates: 0 });
    const { requests } = proxy;
    const seconds = Math.round((performance.now() - startMs) / 1000);
    return { ...counts, lines: writer.lines, requests, lost, duplicates, seconds };
  } finally {
    endAgent(agent);
    await ended(agent);
    await proxy.close();
    await rm(directory, { recursive: true, force: true });
  }
}

/** Brings a fault, and ends it; resolves with the requests that met it. */
type Strike = (server: RunningServer, proxy: FaultyProxy, writer: LineWriter) => Promise<number>;

function faultsOf(destination: Destination, random: Random): [string, Strike][] {
  const faults: [string, Strike][] = [];
  for (const [name, fault] of Object.entries(proxyFaults)) faults.push([name, onTheWay(fault)]);
  if (destination.name === 'elasticsearch9') {
    const busy = () => (random.chance(0.3) ? random.pick([429, 503]) : undefined);
    const some = new PartialBulk(busy);
    faults.push(['some documents of a bulk', onTheWay(some.fault, 5)]);
  }
  faults.push([
    'stopped',
    async (server, _proxy, writer) => {
      server.pause();
      await writer.write(100);
      await wait(1500);
      server.resume();
      return 0;
    },
  ]);
  faults.push([
    'killed',
    async (server, _proxy, writer) => {
      await server.kill();
      await writer.write(100);
      await wait(200);
      await server.restart();
      return 0;
    },
  ]);
  return faults;
}

function onTheWay(fault: ProxyFault, timesMin = 2): Strike {
  return async (_server, proxy, writer) => {
    const before = proxy.struck;
    proxy.fault = fault;
    const endMs = performance.now() + 30_000;
    while (proxy.struck < before + timesMin) {
      assert.ok(performance.now() < endMs, 'no request met the fault');
      await writer.write(20);
      await wait(50);
    }
    proxy.fault = undefined;
    return proxy.struck - before;
  };
}

async function settled(
  destination: Destination,
  server: RunningServer,
  lines: number,
): Promise<Map<number, number>> {
  const endMs = performance.now() + 60_000;
  for (;;) {
    const stored = await destination.stored(server, lines);
    if (stored.size >= lines) return stored;
    assert.ok(performance.now() < endMs, `${lines - stored.size} of ${lines} lines never came`);
    await wait(300);
  }
}

function shuffled<T>(random: Random, items: readonly T[]): T[] {
  const left = [...items];
  const shuffled: T[] = [];
  while (left.length > 0) shuffled.push(left.splice(random.below(left.length), 1)[0]!);
  return shuffled;
}

function pipeline(options: string, storage: string): string {
  return `
service: {flush: 50ms, scheduler.base: 50ms, scheduler.cap: 500ms, storage.path: data, log_level: off}
pipeline:
  inputs:
    - {name: tail, path: '*.log', read_from_head: true, refresh_interval: 100ms}
  outputs:
    - {${options}, alias: out, match: '*', host: 127.0.0.1, storage.type: ${storage}, http.response_timeout: 1s, batch: {records: 100}}
`;
}
