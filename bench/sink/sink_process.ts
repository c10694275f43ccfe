import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { projectRoot } from '../../scripts/project_root.ts';
import type { SinkPlan, SinkReport } from './sink_run.ts';

export interface SinkProgress {
  readonly arrived: number;
  readonly expected: number;
  readonly bytes: number;
  readonly firstMs: number;
  readonly lastMs: number;
}

/** The sink as the harness sees it. */
export class SinkProcess {
  readonly port: number;
  private readonly child: ChildProcess;

  static async start(): Promise<SinkProcess> {
    const program = join(projectRoot(), 'dist', 'bench', 'sink', 'main.js');
    const child = spawn(process.execPath, ['--max-old-space-size=8192', program], {
      // The sink ends when its standard input does: with this process, however it ends.
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const [line] = (await once(child.stdout!, 'data')) as [Buffer];
    return new SinkProcess(child, Number(line.toString().trim()));
  }

  private constructor(child: ChildProcess, port: number) {
    this.child = child;
    this.port = port;
  }

  async plan(plan: SinkPlan): Promise<void> {
    await this.ask('plan', JSON.stringify(plan));
  }

  async progress(): Promise<SinkProgress> {
    // What this process' own sink answers.
    return (await (await this.ask('progress')).json()) as SinkProgress;
  }

  async report(): Promise<SinkReport> {
    return (await (await this.ask('report')).json()) as SinkReport;
  }

  /** When each record came, by number; monotonic milliseconds, 0 for those that did not. */
  async arrivals(): Promise<Float64Array> {
    return new Float64Array(await (await this.ask('arrivals')).arrayBuffer());
  }

  async stop(): Promise<void> {
    const exited = once(this.child, 'exit');
    this.child.stdin!.end();
    await exited;
  }

  private async ask(what: string, body?: string): Promise<Response> {
    const url = `http://127.0.0.1:${this.port}/_sink/${what}`;
    return fetch(url, body === undefined ? {} : { method: 'POST', body });
  }
}
