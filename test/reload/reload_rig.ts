import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type AnyPlugin, defineFilter, type FilterPlugin } from '../../core/sdk/index.ts';
import {
  assertConservation,
  type ScriptedOutput,
  type StartedPipeline,
  scriptedOutput,
  startPipeline,
  waitUntil,
} from '../../core/testing/index.ts';
import type { Agent } from '../../core/topology/agent.ts';
import { plugin as httpInput } from '../../plugins/inputs/http/index.ts';
import { plugin as exporter } from '../../plugins/outputs/prometheus_exporter/index.ts';
import { freePort } from '../chaos/sink.ts';
import { Random } from '../model/random.ts';
import { type Count, countingInput } from './counting_input.ts';

/** Longest that one reload may take: an input gets 5 s to hand over a batch that waits and 5 s until
 *  its records are settled, a listener 2 s for its requests; the rest is for a busy machine. */
const reloadMsMax = 15_000;
const clientBase = 1_000_000_000;
const backlogMax = 200;

const marker = defineFilter<{ mark: string }>({
  name: 'marker',
  summary: 'Marks events for a test.',
  stability: 'experimental',
  schema: {
    type: 'object',
    properties: { mark: { type: 'string', default: 'a', description: 'The mark.' } },
  },
  example: '',
  create: ({ mark }) => {
    if (mark === 'refused') throw new Error('this mark is refused');
    return { filter: (event) => event.set('mark', mark) };
  },
}) as unknown as FilterPlugin<never>;

export interface ReloadCounts {
  reloads: number;
  refused: number;
  changedComponents: number;
  records: number;
  answeredRecords: number;
  failedDeliveries: number;
  lost: number;
  duplicates: number;
  longestMs: number;
  heapGrowthKiB: number;
  /** Of the second half alone: what was compiled and filled once is behind it. */
  laterHeapGrowthKiB: number;
}

/** Things a process holds; the same before and after. */
interface Holdings {
  /** What the file descriptors stand for, sockets and pipes by their kind. */
  readonly files: readonly string[];
  readonly resources: Readonly<Record<string, number>>;
  readonly series: number;
  readonly sources: number;
  readonly listeners: number;
}

/** Puts random configurations in place, one after the other and several at once, while records
 *  flow and a third of the deliveries fail. */
export async function reloadRig(seed: number, reloads: number): Promise<ReloadCounts> {
  const rig = new ReloadRig(new Random(seed));
  try {
    return await rig.run(reloads);
  } finally {
    await rig.close();
  }
}

class ReloadRig {
  readonly #random: Random;
  #asked = 0;
  readonly #count: Count = { limit: 0, emitted: 0 };
  readonly #outputs: readonly ScriptedOutput[];
  readonly #answered: number[] = [];
  readonly #counts: ReloadCounts = {
    reloads: 0,
    refused: 0,
    changedComponents: 0,
    records: 0,
    answeredRecords: 0,
    failedDeliveries: 0,
    lost: 0,
    duplicates: 0,
    longestMs: 0,
    heapGrowthKiB: 0,
    laterHeapGrowthKiB: 0,
  };
  #pipeline: StartedPipeline | undefined;
  #ports: readonly number[] = [];
  #nextOfClient = clientBase;
  /** How often each record arrived, by its number. */
  readonly #times = { counted: new Uint8Array(1 << 16), client: new Uint8Array(1 << 16) };
  #arrived = 0;
  #endedMs = 0;
  #isOver = false;

  constructor(random: Random) {
    this.#random = random;
    this.#outputs = ['all', 'one', 'two'].map((name) => scriptedOutput(name));
    for (const output of this.#outputs) {
      output.answer = async () => {
        await pause(random.below(4));
        if (!random.chance(0.3)) return { kind: 'accepted' };
        this.#counts.failedDeliveries++;
        return { kind: 'retry', reason: 'not now' };
      };
    }
  }

  async run(reloads: number): Promise<ReloadCounts> {
    this.#ports = [await freePort(), await freePort(), await freePort()];
    const plugins = [
      countingInput(this.#count),
      marker,
      httpInput,
      exporter,
      ...this.#outputs.map(({ plugin }) => plugin),
    ] as AnyPlugin[];
    const first = this.#yaml({ isPlain: true });
    this.#pipeline = await startPipeline({ yaml: first, plugins });
    await this.#settle();
    const before = this.#holdings();
    const heapBefore = heapBytes();
    const work = Promise.all([this.#goOn(), this.#post()]);
    for (let k = 0; k < reloads / 2; k++) await this.#reload();
    const heapHalfway = heapBytes();
    for (let k = 0; k < reloads / 2; k++) await this.#reload();
    this.#counts.laterHeapGrowthKiB = kib(heapBytes() - heapHalfway);
    this.#isOver = true;
    await work;
    await this.#apply(first, true);
    await this.#settle();
    this.#check();
    await this.#holdsAgain(before);
    this.#counts.heapGrowthKiB = kib(heapBytes() - heapBefore);
    assertConservation(this.#pipeline.agent.metrics, { drained: true });
    return this.#counts;
  }

  async close(): Promise<void> {
    this.#isOver = true;
    await this.#pipeline?.stop({ drained: false });
  }

  async #reload(): Promise<void> {
    const random = this.#random;
    await pause(random.below(25));
    const times = random.chance(0.1) ? 3 : 1;
    const all: Promise<void>[] = [];
    for (let k = 0; k < times; k++) {
      // Not left to chance: few reloads, too, must see some refused.
      const isRefused = this.#asked++ % 6 === 5;
      all.push(this.#apply(this.#yaml({ isRefused }), !isRefused));
    }
    await Promise.all(all);
  }

  async #apply(yaml: string, isFit: boolean): Promise<void> {
    const { agent, load } = this.#pipeline!;
    const startMs = performance.now();
    const config = load(yaml);
    const result = await agent.reload(config);
    // One that waits for another's end has not begun.
    const tookMs = performance.now() - Math.max(startMs, this.#endedMs);
    this.#endedMs = performance.now();
    this.#counts.longestMs = Math.max(this.#counts.longestMs, tookMs);
    assert.equal(result.ok, isFit, result.message);
    this.#counts.reloads++;
    if (result.ok) this.#counts.changedComponents += result.changed;
    else this.#counts.refused++;
    assert.equal(
      agent.config === config,
      isFit && result.ok && result.message !== 'Nothing changed.',
    );
    const ids = (all: readonly { config: { id: string } }[]) => all.map((one) => one.config.id);
    assert.deepEqual(
      ids(agent.outputs),
      agent.config.outputs.map(({ id }) => id),
    );
    assert.deepEqual(
      ids(agent.inputs),
      agent.config.inputs.map(({ id }) => id),
    );
    assert.ok(this.#counts.longestMs < reloadMsMax, `a reload took ${this.#counts.longestMs} ms`);
  }

  /** A configuration. `all` and the count are always there, with options that vary; the page of
   *  metrics and the listener for records keep their ports, or swap with each other's spare. */
  #yaml(how: { isPlain?: boolean; isRefused?: boolean }): string {
    const random = this.#random;
    const isPlain = how.isPlain === true;
    const maybe = (probability: number) => !isPlain && random.chance(probability);
    const some = (limit: number) => (isPlain ? 0 : random.below(limit));
    const [httpPort, pagePort, sparePort] = this.#ports;
    const inputs = [`{name: counting, alias: count, tag: c, pace: ${10 + some(4)}}`];
    if (maybe(0.8)) {
      const accepted = 30 + some(2);
      inputs.push(`{name: http, alias: h, port: ${httpPort}, connections_max: ${accepted}}`);
    }
    const filters = [0, 1]
      .slice(some(3))
      .map((k) => `{name: marker, alias: f${k}, match: '*', mark: m${some(3)}}`);
    const storage = ['memory', 'filesystem'];
    const outputs = [`{name: all, match: '*', flush: ${5 + some(3)}ms}`];
    for (const [k, name] of ['one', 'two'].entries()) {
      if (maybe(0.5)) {
        const type = storage[k]!;
        outputs.push(
          `{name: ${name}, alias: ${name}, match: c, flush: ${5 + some(3)}ms, storage.type: ${type}}`,
        );
      }
    }
    const ports = maybe(0.3) ? [sparePort, pagePort] : [pagePort, sparePort];
    for (const port of ports.slice(some(3))) {
      const label = `add_label: [v x${some(3)}]`;
      const alias = port === ports[0] ? 'page' : 'other';
      outputs.push(
        `{name: prometheus_exporter, alias: ${alias}, match: none, port: ${port}, ${label}}`,
      );
    }
    if (how.isRefused === true) {
      const refusals = [
        () => filters.push("{name: marker, alias: bad, match: '*', mark: refused}"),
        () =>
          outputs.push(`{name: prometheus_exporter, alias: bad, match: none, host: 203.0.113.1}`),
        () => inputs.push('{name: http, alias: bad, listen: 203.0.113.1, port: 1}'),
      ];
      random.pick(refusals)();
    }
    return `
service: {flush: 5ms, scheduler.base: 2ms, scheduler.cap: 10ms, grace: 2s}
pipeline:
  inputs: [${inputs.join(', ')}]
  filters: [${filters.join(', ')}]
  outputs: [${outputs.join(', ')}]
`;
  }

  async #goOn(): Promise<void> {
    while (!this.#isOver) {
      this.#take();
      // No more than what settles in the time that a reload gives it.
      if (this.#count.limit - this.#arrived < backlogMax) this.#count.limit += 20;
      await pause(4);
    }
  }

  async #post(): Promise<void> {
    while (!this.#isOver) {
      const numbers = [this.#nextOfClient++, this.#nextOfClient++];
      try {
        const response = await fetch(`http://127.0.0.1:${this.#ports[0]}/`, {
          method: 'POST',
          headers: { 'content-type': 'application/x-ndjson', connection: 'close' },
          body: numbers.map((n) => `{"n":${n}}\n`).join(''),
          signal: AbortSignal.timeout(20_000),
        });
        await response.text();
        if (response.status === 200) this.#answered.push(...numbers);
      } catch {
        // Nobody listens at the moment.
      }
      await pause(3);
    }
  }

  /** Nothing is on its way any more. */
  async #settle(): Promise<void> {
    const { agent } = this.#pipeline!;
    await waitUntil('the count is through', () => this.#count.emitted >= this.#count.limit);
    await waitUntil('all is delivered', () => agent.outputs.every(({ stage }) => stage.isIdle));
    await waitUntil('replaced outputs are gone', () => agent.retired.size === 0);
    await pause(100);
  }

  #check(): void {
    const counts = this.#counts;
    this.#take();
    const { counted, client } = this.#times;
    for (const seen of [...counted, ...client]) counts.duplicates += Math.max(0, seen - 1);
    for (let n = 0; n < this.#count.limit; n++) if (!counted[n]) counts.lost++;
    for (const n of this.#answered) if (!client[n - clientBase]) counts.lost++;
    counts.records = this.#count.limit;
    counts.answeredRecords = this.#answered.length;
    counts.longestMs = Math.round(counts.longestMs);
    assert.deepEqual(
      { lost: counts.lost, duplicates: counts.duplicates },
      { lost: 0, duplicates: 0 },
    );
  }

  /** What was removed closes its files in its own time. */
  async #holdsAgain(before: Holdings): Promise<void> {
    const same = () => isDeepStrictEqual(this.#holdings(), before);
    await waitUntil('what was removed is gone', same).catch(() => undefined);
    assert.deepEqual(this.#holdings(), before, 'what the process holds');
  }

  /** Notes what was accepted, and keeps no record: the process's memory is to be the agent's. */
  #take(): void {
    for (const { n } of this.#outputs[0]!.accepted as { n: number }[]) {
      const isClient = n >= clientBase;
      const index = isClient ? n - clientBase : n;
      const all = isClient ? 'client' : 'counted';
      if (index >= this.#times[all].length) {
        const more = new Uint8Array(this.#times[all].length * 2);
        more.set(this.#times[all]);
        this.#times[all] = more;
      }
      if (!isClient) this.#arrived++;
      this.#times[all][index]!++;
    }
    for (const { accepted, texts, tries } of this.#outputs) {
      for (const list of [accepted, texts, tries]) list.length = 0;
    }
  }

  #holdings(): Holdings {
    const { agent } = this.#pipeline!;
    const resources: Record<string, number> = {};
    for (const name of process.getActiveResourcesInfo()) {
      resources[name] = (resources[name] ?? 0) + 1;
    }
    // Of this rig, or gone by the next turn of the loop.
    for (const name of ['Immediate', 'CloseReq', 'FSReqPromise']) delete resources[name];
    const descriptors = '/proc/self/fd';
    return {
      files: existsSync(descriptors) ? openFiles(descriptors) : [],
      resources,
      series: [...agent.metrics.all()].filter(({ labels }) => !labels.includes('result="')).length,
      sources: agent.sources.size,
      listeners: abortListeners(agent),
    };
  }
}

function openFiles(descriptors: string): string[] {
  const targets = readdirSync(descriptors).map((name) => {
    try {
      return readlinkSync(join(descriptors, name)).replace(/:\[\d+\]$/, '');
    } catch {
      // The listing itself.
      return '';
    }
  });
  // The file of checkpoints is opened at the first write.
  return targets.filter((target) => target !== '' && !/\/checkpoints(\.tmp)?$/.test(target)).sort();
}

/** What waits for the agent's hard stop: it must not grow with every input that ever was. */
function abortListeners(agent: Agent): number {
  const { hardStop } = agent as unknown as { readonly hardStop: AbortController };
  return getEventListeners(hardStop.signal, 'abort').length;
}

function heapBytes(): number {
  setFlagsFromString('--expose-gc');
  // With the flag a new context has it.
  const gc = runInNewContext('gc') as () => void;
  gc();
  return process.memoryUsage().heapUsed;
}

function kib(bytes: number): number {
  return Math.round(bytes / 1024);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
