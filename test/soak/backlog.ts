import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { appendFile, mkdir, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { treeUsage } from '../../bench/measure/process_tree.ts';
import { openDiskBuffer } from '../../core/buffer/disk_buffer.ts';
import { silentLog } from '../../core/telemetry/log.ts';
import { freePort } from '../chaos/sink.ts';
import { SoakSink } from './soak_sink.ts';

const cli = fileURLToPath(new URL('../../bundle/sluice.js', import.meta.url));
const mebibyte = 1024 * 1024;
const limitBytes = 64 * 1024 * mebibyte;
const seedLines = 40_000;
const watchedMs = 30_000;
const startMsMax = 2000;
const growthMax = 64;

/** How an agent started. */
interface Start {
  /** From the start of the process to the first answer of its HTTP interface. */
  readonly answersMs: number;
  readonly answersCpuSeconds: number;
  readonly rssMib: number;
  /** Largest resident size while it delivered. */
  readonly peakRssMib: number;
  readonly firstDeliveryMs: number;
  readonly deliveredBytes: number;
}

/** Fills an output's disk buffer with real segments of `bytes`, starts an agent on it, and compares
 *  that start with one on an empty buffer. `directory` must be empty. */
export async function backlog(directory: string, bytes: number): Promise<Record<string, unknown>> {
  const { bavail, bsize } = await statfs(directory);
  assert.ok(bavail * bsize > 2 * bytes, 'there is not enough room on the disk');
  const sink = await SoakSink.listen();
  const rig = new BacklogRig(directory, sink, await freePort());
  try {
    await rig.storeSeed();
    const filledMs = await rig.fill(bytes);
    const withBacklog = await rig.start();
    await rm(join(directory, 'data'), { recursive: true });
    const empty = await rig.start();
    const growth = {
      start: rounded(withBacklog.rssMib - empty.rssMib),
      peak: rounded(withBacklog.peakRssMib - empty.peakRssMib),
    };
    const broken: string[] = [];
    if (withBacklog.answersMs > startMsMax)
      broken.push(`it started in ${withBacklog.answersMs} ms`);
    if (Math.max(growth.start, growth.peak) > growthMax) broken.push('it grew too much');
    if (withBacklog.deliveredBytes === 0) broken.push('nothing was delivered');
    return {
      broken,
      ...rig.filled,
      fill_seconds: rounded(filledMs / 1000),
      withBacklog,
      empty,
      growth_mib: growth,
    };
  } finally {
    rig.end();
    await sink.close();
  }
}

class BacklogRig {
  filled = { stored_bytes: 0, chunks: 0 };
  readonly #directory: string;
  readonly #sink: SoakSink;
  readonly #apiPort: number;
  #agent: ChildProcess | undefined;

  constructor(directory: string, sink: SoakSink, apiPort: number) {
    this.#directory = directory;
    this.#sink = sink;
    this.#apiPort = apiPort;
  }

  /** Has an agent whose destination is down store what it reads. */
  async storeSeed(): Promise<void> {
    await mkdir(join(this.#directory, 'logs'));
    await writeFile(join(this.#directory, 'pipeline.yaml'), this.#pipeline());
    await this.#sink.setFault('stop');
    let text = '';
    for (let line = 0; line < seedLines; line++) {
      text += `2026-01-01T00:00:00Z INFO a line of the backlog, long enough for one ~${String(line).padStart(10, '0')}\n`;
    }
    await appendFile(join(this.#directory, 'logs', 'seed.log'), text);
    this.#spawn();
    await this.#until(async () => {
      const metrics = (await this.#page('/metrics')) ?? '';
      const stored = /^sluice_records_in_total\{component="out"[^}]*\} (\d+)$/m.exec(metrics);
      return Number(stored?.[1]) === seedLines;
    });
    // What is not stored yet goes to the disk at the end.
    await this.#stop();
    await rm(join(this.#directory, 'logs', 'seed.log'));
    await this.#sink.setFault('none');
  }

  /** Stores the same chunks again and again, with the product's own code. */
  async fill(bytes: number): Promise<number> {
    const startedMs = performance.now();
    const buffer = await openDiskBuffer({
      directory: join(this.#directory, 'data', 'buffers', 'out'),
      limitBytes,
      whenFull: 'block',
      // Synced at the end: a start must not wait for what the rig left to the kernel.
      durability: 'interval',
      headersDescribe: true,
      log: silentLog,
    });
    const chunks: { header: Buffer; body: Buffer }[] = [];
    for (const sequence of buffer.pendingSequences()) {
      const { header, body } = (await buffer.read(sequence))!;
      chunks.push({ header: Buffer.from(header), body: Buffer.from(body) });
    }
    assert.ok(chunks.length > 0, 'the agent stored nothing');
    for (let at = 0; buffer.usedBytes < bytes; at++) {
      const { header, body } = chunks[at % chunks.length]!;
      assert.equal((await buffer.append(header, body)).kind, 'stored');
    }
    this.filled = { stored_bytes: buffer.usedBytes, chunks: buffer.pendingCount };
    await buffer.close();
    return performance.now() - startedMs;
  }

  /** Starts the agent, watches it while it delivers, and ends it. */
  async start(): Promise<Start> {
    const startedMs = performance.now();
    const before = this.#sink.requests;
    this.#spawn();
    await this.#until(async () => (await this.#page('/livez')) !== undefined);
    const answersMs = Math.round(performance.now() - startedMs);
    const { rssBytes, cpuSeconds } = treeUsage(this.#agent!.pid!);
    let firstDeliveryMs = 0;
    const endMs = performance.now() + watchedMs;
    while (performance.now() < endMs) {
      if (firstDeliveryMs === 0 && this.#sink.requests > before) {
        firstDeliveryMs = Math.round(performance.now() - startedMs);
      }
      await pause(20);
    }
    const metrics = (await this.#page('/metrics')) ?? '';
    const delivered = /^sluice_output_bytes_total\{component="out"[^}]*\} (\d+)$/m.exec(metrics);
    const { peakRssBytes } = treeUsage(this.#agent!.pid!);
    await this.#stop();
    return {
      answersMs,
      answersCpuSeconds: cpuSeconds,
      rssMib: rounded(rssBytes / mebibyte),
      peakRssMib: rounded(peakRssBytes / mebibyte),
      firstDeliveryMs,
      deliveredBytes: Number(delivered?.[1] ?? 0),
    };
  }

  end(): void {
    this.#agent?.kill('SIGKILL');
  }

  #spawn(): void {
    this.#agent = spawn(process.execPath, [cli, 'run', 'pipeline.yaml'], {
      cwd: this.#directory,
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, NODE_OPTIONS: '' },
    });
  }

  async #stop(): Promise<void> {
    const agent = this.#agent!;
    const ended = new Promise((resolve) => agent.once('exit', resolve));
    agent.kill('SIGTERM');
    await ended;
  }

  async #page(path: string): Promise<string | undefined> {
    try {
      const response = await fetch(`http://127.0.0.1:${this.#apiPort}${path}`);
      return await response.text();
    } catch {
      return undefined;
    }
  }

  async #until(condition: () => Promise<boolean>): Promise<void> {
    const endMs = performance.now() + 120_000;
    while (!(await condition())) {
      assert.ok(performance.now() < endMs, 'the agent does not get there');
      assert.equal(this.#agent!.exitCode, null, 'the agent ended');
      await pause(10);
    }
  }

  #pipeline(): string {
    return `
service:
  http_server: true
  http_port: ${this.#apiPort}
  log_level: off
  storage.path: data
  grace: 10s
pipeline:
  inputs:
    - {name: tail, path: 'logs/*.log', read_from_head: true}
  outputs:
    - name: http
      alias: out
      match: '*'
      host: 127.0.0.1
      port: ${this.#sink.port}
      format: json_lines
      storage.type: filesystem
      storage.total_limit_size: ${limitBytes}
`;
  }
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
