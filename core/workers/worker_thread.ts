import { Worker } from 'node:worker_threads';
import { messageOf, SluiceError } from '../errors/sluice_error.ts';
import { type ErrorCode, errorCodes } from '../errors/codes.ts';
import type { WorkerOrder, WorkerReport } from './messages.ts';

/** What a worker thread runs: a module that calls `serveWorker`, or a script as text. */
export type WorkerProgram = { readonly url: URL } | { readonly script: string };

export interface ThreadEvents {
  onReport(report: WorkerReport): void;
  /** The thread ended though nobody told it to. Called once. */
  onDeath(reason: string): void;
}

/** One worker thread. */
export class WorkerThread {
  readonly number: number;
  /** Batches that it has. */
  load = 0;
  private readonly worker: Worker;
  private readonly events: ThreadEvents;
  private readonly loading = new Map<number, (error?: Error) => void>();
  private isEnding = false;

  constructor(number: number, program: WorkerProgram, events: ThreadEvents) {
    this.number = number;
    this.events = events;
    const name = `sluice worker ${number}`;
    this.worker =
      'url' in program
        ? new Worker(program.url, { name })
        : new Worker(program.script, { name, eval: true });
    this.worker.on('message', (report: WorkerReport) => this.take(report));
    this.worker.on('error', (error) => this.die(messageOf(error)));
    this.worker.on('messageerror', (error) => this.die(messageOf(error)));
    this.worker.on('exit', (code) => this.die(`it ended with code ${code}`));
  }

  send(order: WorkerOrder): void {
    this.worker.postMessage(order);
  }

  /** Resolves when the worker has the configuration ready; rejects with what it says of it. */
  prepare(order: Extract<WorkerOrder, { kind: 'load' }>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.loading.set(order.version, (error) => (error === undefined ? resolve() : reject(error)));
      this.send(order);
    });
  }

  async end(): Promise<void> {
    this.isEnding = true;
    await this.worker.terminate();
  }

  private take(report: WorkerReport): void {
    if (report.kind === 'loaded') this.finishLoading(report.version);
    else if (report.kind === 'refused') {
      const code = (report.code in errorCodes ? report.code : 'SLUICE_BUG') as ErrorCode;
      this.finishLoading(report.version, new SluiceError(code, report.message));
    } else this.events.onReport(report);
  }

  private finishLoading(version: number, error?: Error): void {
    this.loading.get(version)?.(error);
    this.loading.delete(version);
  }

  private die(reason: string): void {
    if (this.isEnding) return;
    this.isEnding = true;
    for (const version of [...this.loading.keys()]) {
      const message = `Worker thread ${this.number} died: ${reason}.`;
      this.finishLoading(version, new SluiceError('SLUICE_WORKER_DIED', message));
    }
    this.events.onDeath(reason);
  }
}
