import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MarkScanner } from '../../bench/sink/mark_scanner.ts';

const cli = fileURLToPath(new URL('../../bundle/sluice.js', import.meta.url));

/** Most that a disk buffer and the dead letters of one output may take. */
export const bufferBytesMax = 128 * 1024 * 1024;
export const deadLetterBytesMax = 256 * 1024 * 1024;
/** Most series of the page of metrics, and label sets of Loki in an hour. */
export const exporterSeriesMax = 1000;
export const labelSetsMax = 1000;

export interface SoakPorts {
  readonly api: number;
  readonly exporter: number;
  readonly lines: number;
  readonly loki: number;
  /** Page of metrics that the agent scrapes. */
  readonly page: number;
}

/** The agent under soak: a process with the product's own command. */
export class SoakAgent {
  readonly #directory: string;
  readonly #ports: SoakPorts;
  readonly #process: ChildProcess;
  #exit: number | string | undefined;

  static async start(directory: string, ports: SoakPorts): Promise<SoakAgent> {
    await writeFile(join(directory, 'pipeline.yaml'), pipelineText(directory, ports));
    return new SoakAgent(directory, ports);
  }

  private constructor(directory: string, ports: SoakPorts) {
    this.#directory = directory;
    this.#ports = ports;
    this.#process = spawn(process.execPath, [cli, 'run', 'pipeline.yaml'], {
      cwd: directory,
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    this.#process.stderr!.pipe(createWriteStream(join(directory, 'agent.log')));
    this.#process.once('exit', (code, signal) => (this.#exit = code ?? signal ?? 'unknown'));
  }

  get pid(): number {
    return this.#process.pid!;
  }

  get exit(): number | string | undefined {
    return this.#exit;
  }

  /** Text of the agent's metrics; undefined when it does not answer. */
  async metrics(): Promise<string | undefined> {
    return await page(this.#ports.api, '/metrics');
  }

  /** Text of the exporter's page. */
  async exported(): Promise<string | undefined> {
    return await page(this.#ports.exporter, '/metrics');
  }

  async isReady(): Promise<boolean> {
    return (await page(this.#ports.api, '/readyz')) !== undefined;
  }

  /** Asks it to end; resolves with its exit code. */
  async stop(): Promise<number | string> {
    if (this.#exit !== undefined) return this.#exit;
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.kill('SIGTERM');
    await ended;
    return this.#exit!;
  }

  kill(): void {
    if (this.#exit === undefined) this.#process.kill('SIGKILL');
  }

  /** Numbers of the lines among an output's dead letters, as `sluice dlq show` prints them. */
  async deadLettered(output: string): Promise<number[]> {
    const numbers: number[] = [];
    const scanner = new MarkScanner((number) => numbers.push(number));
    const words = ['dlq', 'show', '--output', output, 'pipeline.yaml'];
    const show = spawn(process.execPath, [cli, ...words], {
      cwd: this.#directory,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    for await (const part of show.stdout!) scanner.part(part as Buffer);
    return numbers;
  }
}

async function page(port: number, path: string): Promise<string | undefined> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      signal: AbortSignal.timeout(5000),
    });
    const text = await response.text();
    return response.ok ? text : undefined;
  } catch {
    return undefined;
  }
}

function pipelineText(directory: string, ports: SoakPorts): string {
  return `
service:
  http_server: true
  http_port: ${ports.api}
  log_level: warn
  storage.path: ${join(directory, 'data')}
  storage.type: filesystem
  storage.total_limit_size: ${bufferBytesMax}
  dead_letter.limit: ${deadLetterBytesMax}
  scheduler.base: 100ms
  scheduler.cap: 2s
parsers:
  - {name: soak, format: dissect, pattern: '%{time} %{level} %{pod} %{text}'}
pipeline:
  inputs:
    - name: tail
      tag: logs
      path: 'services/*.log*, jobs/*.log'
      read_from_head: true
      parser: soak
    - name: prometheus_scrape
      tag: metrics
      targets: ['127.0.0.1:${ports.page}']
      scrape_interval: 5s
  outputs:
    - name: http
      alias: lines
      match: logs
      host: 127.0.0.1
      port: ${ports.lines}
      format: json_lines
    - name: loki
      alias: streams
      match: logs
      host: 127.0.0.1
      port: ${ports.loki}
      labels: job=soak, pod=$pod
      label_sets_max: ${labelSetsMax}
    - name: prometheus_exporter
      alias: page
      match: metrics
      storage.type: memory
      port: ${ports.exporter}
      series_max: ${exporterSeriesMax}
      series_limit_action: drop
      expire_after: 1m
`;
}
