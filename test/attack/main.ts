import { parseArgs } from 'node:util';
import { FullRig, lastingFaults, startStumbles, stumbles } from '../chaos/full_rig.ts';
import { clonedHosts, killServer } from '../crash/kill_server.ts';
import { killSoak } from '../crash/kill_soak.ts';
import {
  clickhouse,
  clickhouseReplicated,
  type Destination,
  elasticsearch,
  loki,
} from '../destinations/destination.ts';
import { destinationsRig } from '../destinations/destinations_rig.ts';
import { refusals } from '../destinations/refusals_rig.ts';
import { healthRig } from '../health/health_rig.ts';
import { powerAgents, powerBuffer, powerCheckpoints, powerDeadLetters } from '../model/power.ts';
import { rotCheckpoints } from '../model/rot_checkpoints.ts';
import { rotDeadLetters } from '../model/rot_dead_letters.ts';
import { rotSegments } from '../model/rot_rig.ts';
import { downForAnHour, pausedAndResumed } from '../neighbours/neighbours_rig.ts';
import { reloadRig } from '../reload/reload_rig.ts';
import { servers } from '../servers/index.ts';
import { commitNow } from './commit.ts';

/** The long forms of the rigs: `npm run attack -- RIG [--seed N] [--count N]`. Prints what was done
 *  and seen as one JSON object, and ends with 1 when a promise did not hold. */
export interface AttackOptions {
  readonly seed: number;
  /** How much: its meaning is the rig's. Undefined: the rig's long form. */
  readonly count: number | undefined;
  /** How long kills go on at most; they end when all were made when undefined. */
  readonly minutes: number | undefined;
  /** Part of the names of what is attacked; everything when undefined. */
  readonly only: string | undefined;
}

type Rig = (options: AttackOptions) => Promise<Record<string, unknown>>;

const rigs: Readonly<Record<string, Rig>> = {
  /** `count`: kills. */
  kill: async ({ seed, count, minutes }) => ({
    ...(await killSoak({ seed, kills: count ?? 1000, minutesMax: minutes })),
  }),
  /** `count`: kills for each real server and kind of buffer. */
  kill_servers: async ({ seed, count, only }) => {
    const kills = count ?? 100;
    const ways: Record<string, [Destination, 'memory' | 'filesystem']> = {
      'elasticsearch, memory': [elasticsearch, 'memory'],
      'elasticsearch, filesystem': [elasticsearch, 'filesystem'],
      'clickhouse, filesystem': [clickhouse, 'filesystem'],
      'clickhouse replicated, filesystem': [clickhouseReplicated, 'filesystem'],
    };
    const results: Record<string, unknown> = {};
    for (const [name, [destination, storage]] of Object.entries(ways)) {
      if (only !== undefined && !name.includes(only)) continue;
      const startedMs = performance.now();
      const counts = await killServer(destination, { seed, kills, storage });
      results[name] = { ...counts, seconds: Math.round((performance.now() - startedMs) / 1000) };
    }
    return results;
  },
  /** `count`: clones of a host, for each kind of buffer. */
  clones: async ({ count }) => {
    const server = await servers.elasticsearch9.start({});
    const clones = count ?? 5;
    try {
      return {
        memory: await clonedHosts(elasticsearch, server, {
          ...{ clones, base: 0 },
          storage: 'memory',
        }),
        filesystem: await clonedHosts(elasticsearch, server, {
          ...{ clones, base: 100_000_000 },
          storage: 'filesystem',
        }),
      };
    } finally {
      await server.stop();
    }
  },
  /** `count`: calls that fail once, in turn, after the faults that last. */
  full: async ({ seed, count }) => {
    const rig = await FullRig.create();
    try {
      rig.start();
      await rig.recovered('the start');
      for (const fault of lastingFaults) await rig.endure(fault);
      const struck = await stumbles(rig, seed, count ?? 144);
      const starts = await startStumbles(rig, seed, count ?? 144);
      await rig.end();
      const { lines, injected: failedCalls, duplicates } = rig;
      const lasting = lastingFaults.map(({ name }) => name);
      return {
        lasting,
        single_faults: struck,
        starts,
        failed_calls: failedCalls,
        lines,
        lost: 0,
        duplicates,
      };
    } finally {
      await rig.close();
    }
  },
  /** `count`: histories for each store, and a hundredth of it whole agents. */
  power: async ({ seed, count }) => {
    const options = { seed, runs: count ?? 10_000 };
    return {
      buffer_fsync: await powerBuffer('fsync', options),
      buffer_interval: await powerBuffer('interval', options),
      buffer_os: await powerBuffer('os', options),
      checkpoints: await powerCheckpoints(options),
      dead_letters: await powerDeadLetters(options),
      agents: await powerAgents({ seed, runs: Math.ceil(options.runs / 100) }),
    };
  },
  /** `count`: rounds of every fault for each real server and kind of buffer. */
  destinations: async ({ seed, count, only }) => {
    const results: Record<string, unknown> = {};
    for (const destination of [elasticsearch, clickhouse, loki]) {
      for (const storage of ['memory', 'filesystem'] as const) {
        const name = `${destination.name}, ${storage}`;
        if (only !== undefined && !name.includes(only)) continue;
        // Without a disk buffer ClickHouse's tokens hold as long as the agent runs: it does here.
        const server = await destination.start();
        const given = { seed, rounds: count ?? 10, storage };
        results[name] = await destinationsRig(destination, server, given).finally(() =>
          server.stop(),
        );
      }
    }
    return results;
  },
  refusals: async ({ seed, only }) => {
    const results: Record<string, unknown> = {};
    for (const [name, attack] of Object.entries(refusals)) {
      if (only === undefined || name.includes(only)) results[name] = await attack(seed);
    }
    return results;
  },
  /** `count`: seconds of idle and of quiet work before the faults, each. */
  health: async ({ count }) => ({ ...(await healthRig((count ?? 60) * 1000)) }),
  /** `count`: reloads. */
  reload: async ({ seed, count }) => ({ ...(await reloadRig(seed, count ?? 1000)) }),
  /** `count`: rounds of random pauses, after the hours. */
  neighbours: async ({ seed, count }) => {
    const hours: Record<string, unknown> = {};
    for (const whenFull of ['block', 'drop_oldest'] as const) {
      for (const recordBytes of [100, 20_000]) {
        const hour = await downForAnHour({ whenFull, isDown: true, recordBytes });
        hours[`${whenFull}, ${recordBytes} bytes`] = hour;
      }
    }
    return { hours, pauses: await pausedAndResumed(seed, count ?? 2000) };
  },
  /** `count`: one byte of so many; 1 for all. */
  rot: async ({ seed, count }) => {
    const options = { seed, oneOf: count ?? 1 };
    return {
      one_of: options.oneOf,
      segments: await rotSegments(options),
      checkpoints: await rotCheckpoints(options),
      dead_letters: await rotDeadLetters(options),
    };
  },
};

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      seed: { type: 'string' },
      count: { type: 'string' },
      minutes: { type: 'string' },
      only: { type: 'string' },
    },
  });
  const name = positionals[0] ?? '';
  const rig = rigs[name];
  if (rig === undefined) {
    console.error(
      `Usage: npm run attack -- ${Object.keys(rigs).join('|')} [--seed N] [--count N] [--only PART]`,
    );
    return 2;
  }
  const seed = values.seed === undefined ? Date.now() % 1_000_000_000 : Number(values.seed);
  const count = values.count === undefined ? undefined : Number(values.count);
  const minutes = values.minutes === undefined ? undefined : Number(values.minutes);
  const startedMs = performance.now();
  const about = { rig: name, seed, commit: commitNow(), node: process.version };
  const seconds = () => Math.round((performance.now() - startedMs) / 100) / 10;
  try {
    const results = await rig({ seed, count, minutes, only: values.only });
    console.log(JSON.stringify({ ...about, held: true, seconds: seconds(), results }, null, 2));
    return 0;
  } catch (error) {
    console.error(error);
    console.log(JSON.stringify({ ...about, held: false, seconds: seconds() }, null, 2));
    return 1;
  }
}

process.exitCode = await main();
