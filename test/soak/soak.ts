import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { treeUsage } from '../../bench/measure/process_tree.ts';
import { freePort } from '../chaos/sink.ts';
import { SoakAgent } from './soak_agent.ts';
import { faultAt, SoakSink } from './soak_sink.ts';
import { type SoakPeaks, soakVerdict } from './soak_verdict.ts';
import { bytesBelow, SoakWriter } from './soak_writer.ts';
import type { Sample } from './trend.ts';

export interface SoakOptions {
  /** Empty; for the lines, the agent's storage and its log. */
  readonly directory: string;
  readonly minutes: number;
  readonly linesPerSecond: number;
  /** Short-lived files in the whole run. */
  readonly files: number;
  /** Time in which each destination has each fault once. */
  readonly cycleMs: number;
  /** Orders the faults of each cycle. */
  readonly seed: number;
  /** Told once a minute how it goes. */
  readonly report?: (line: string) => void;
}

const tickMs = 50;
const sampleMs = 1000;
const mebibyte = 1024 * 1024;
/** Lines that wait at most: a machine that is too slow must not fill its disk. */
const backlogLinesMax = 20_000_000;
/** Lines are lost when nothing is settled for this long after the last fault. */
const silenceMs = 120_000;
/** Runs an agent under load, churn and faults for a while, and accounts for every line. */
export async function soak(options: SoakOptions): Promise<Record<string, unknown>> {
  const lines = await SoakSink.listen();
  const loki = await SoakSink.listen();
  const run = new SoakRun(options, lines, loki);
  try {
    return await run.run();
  } finally {
    await run.close();
  }
}

class SoakRun {
  readonly #options: SoakOptions;
  readonly #lines: SoakSink;
  readonly #loki: SoakSink;
  readonly #writer: SoakWriter;
  readonly #page: Server;
  readonly #rss: Sample[] = [];
  #agent: SoakAgent | undefined;
  #startedMs = 0;
  #scrapes = 0;
  #sampledMs = 0;
  readonly #peaks: SoakPeaks = {
    storageBytes: 0,
    logFileBytes: 0,
    agentSeries: 0,
    exporterSeries: 0,
    backlogLines: 0,
    notReadySeconds: 0,
  };

  constructor(options: SoakOptions, lines: SoakSink, loki: SoakSink) {
    this.#options = options;
    this.#lines = lines;
    this.#loki = loki;
    this.#writer = new SoakWriter({
      directory: options.directory,
      linesPerSecond: options.linesPerSecond,
      filesPerSecond: options.files / options.minutes / 60,
      rotateBytes: 16 * mebibyte,
    });
    this.#page = createServer((_, response) => response.end(this.#metricsPage()));
  }

  async run(): Promise<Record<string, unknown>> {
    const { directory } = this.#options;
    await new Promise<void>((resolve) => this.#page.listen(0, '127.0.0.1', resolve));
    // A server that listens on a port has an address with one.
    const page = (this.#page.address() as AddressInfo).port;
    const ports = { api: await freePort(), exporter: await freePort(), page };
    const sinks = { lines: this.#lines.port, loki: this.#loki.port };
    this.#agent = await SoakAgent.start(directory, { ...ports, ...sinks });
    this.#startedMs = performance.now();
    await this.#write();
    const writtenMs = this.#elapsedMs();
    const drainMs = await this.#drain();
    const metrics = (await this.#agent.metrics()) ?? '';
    const exit = await this.#agent.stop();
    const seen = {
      ...{ minutes: this.#options.minutes, linesPerSecond: this.#options.linesPerSecond },
      ...{ writtenMs, drainMs, metrics, exit, rss: this.#rss, peaks: this.#peaks },
      deadLetters: {
        lines: await this.#agent.deadLettered('lines'),
        loki: await this.#agent.deadLettered('streams'),
      },
      ...{ writer: this.#writer, lines: this.#lines, loki: this.#loki },
    };
    return soakVerdict(seen);
  }

  async close(): Promise<void> {
    this.#agent?.kill();
    this.#writer.close();
    this.#page.closeAllConnections();
    this.#page.close();
    await this.#lines.close();
    await this.#loki.close();
  }

  #elapsedMs(): number {
    return performance.now() - this.#startedMs;
  }

  #settledBelow(): number {
    return Math.min(this.#lines.tally.settledBelow(), this.#loki.tally.settledBelow());
  }

  async #write(): Promise<void> {
    const { minutes, cycleMs, seed } = this.#options;
    const endMs = minutes * 60_000;
    for (let at = this.#elapsedMs(); at < endMs; at = this.#elapsedMs()) {
      await this.#lines.setFault(faultAt(at, cycleMs, seed));
      await this.#loki.setFault(faultAt(at + cycleMs / 2, cycleMs, seed + 1));
      if (this.#writer.lines - this.#settledBelow() < backlogLinesMax) this.#writer.write(at);
      await this.#look(at);
      assert.equal(this.#agent!.exit, undefined, 'the agent ended by itself');
      await sleep(tickMs - (this.#elapsedMs() % tickMs));
    }
    this.#writer.finish(this.#elapsedMs());
    await this.#lines.setFault('none');
    await this.#loki.setFault('none');
  }

  /** Waits until every line was settled, or nothing moves any more; gives how long that took. */
  async #drain(): Promise<number> {
    const beganMs = this.#elapsedMs();
    let last = { settled: -1, atMs: beganMs };
    for (let settled = 0; settled < this.#writer.lines; settled = this.#settledBelow()) {
      if (settled > last.settled) last = { settled, atMs: this.#elapsedMs() };
      if (this.#elapsedMs() - last.atMs > silenceMs) break;
      await this.#look(this.#elapsedMs());
      await sleep(tickMs);
    }
    return this.#elapsedMs() - beganMs;
  }

  /** Once a second: memory, disk, series; and files whose lines have arrived are deleted. */
  async #look(atMs: number): Promise<void> {
    if (atMs < this.#sampledMs + sampleMs) return;
    const second = Math.floor(atMs / sampleMs);
    this.#sampledMs = second * sampleMs;
    const settled = this.#settledBelow();
    raise(this.#peaks, 'backlogLines', this.#writer.lines - settled);
    this.#writer.clean(atMs, settled);
    const rssBytes = treeUsage(this.#agent!.pid).rssBytes;
    this.#rss.push({ hours: atMs / 3_600_000, value: rssBytes / mebibyte });
    const { directory } = this.#options;
    if (second % 5 === 0) {
      raise(this.#peaks, 'storageBytes', bytesBelow(join(directory, 'data')));
    }
    if (second % 10 === 0) await this.#lookAtSeries(directory);
    if (second % 60 === 0) this.#say(atMs, rssBytes, settled);
  }

  async #lookAtSeries(directory: string): Promise<void> {
    const services = bytesBelow(join(directory, 'services'));
    raise(this.#peaks, 'logFileBytes', services + bytesBelow(join(directory, 'jobs')));
    raise(this.#peaks, 'agentSeries', seriesIn(await this.#agent!.metrics()));
    raise(this.#peaks, 'exporterSeries', seriesIn(await this.#agent!.exported()));
    if (!(await this.#agent!.isReady())) this.#peaks.notReadySeconds += 10;
  }

  #say(atMs: number, rssBytes: number, settled: number): void {
    const written = this.#writer.lines;
    const rate = Math.round(written / (atMs / 1000));
    this.#options.report?.(
      `${Math.round(atMs / 1000)} s: ${written} lines (${rate}/s), ${written - settled} wait, ` +
        `${this.#writer.jobs} files, RSS ${(rssBytes / mebibyte).toFixed(1)} MiB`,
    );
  }

  /** A page whose series come and go with the short-lived files. */
  #metricsPage(): string {
    this.#scrapes++;
    const jobs = this.#writer.recentJobs.map((job) => `soak_job_lines{pod="${job}"} 100\n`);
    return `# TYPE soak_job_lines gauge\n${jobs.join('')}soak_scrapes ${this.#scrapes}\n`;
  }
}

function raise(peaks: SoakPeaks, name: keyof SoakPeaks, value: number): void {
  peaks[name] = Math.max(peaks[name], value);
}

/** Series of a page in Prometheus' text format. */
function seriesIn(text: string | undefined): number {
  return (text ?? '').split('\n').filter((line) => line !== '' && !line.startsWith('#')).length;
}
