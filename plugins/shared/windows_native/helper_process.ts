import type { ChildProcess } from 'node:child_process';
import type { Clock, Counter, Log } from '../../../core/sdk/index.ts';
import { type FromHelper, HelperError, type ToHelper } from './helper_messages.ts';
import { type HelperProgram, startHelper } from './helper_program.ts';

export interface HelperOptions {
  readonly program: HelperProgram;
  /** Calls at a time, each on a thread of its own. */
  readonly threads: number;
  readonly clock: Clock;
  readonly log: Log;
  /** Processes that were ended because a call in them hung, or that ended by themselves. */
  readonly lost: { readonly hung: Counter; readonly crashed: Counter };
  /** How long a call that was given up may take to come back before its process is ended. */
  readonly graceMs?: number;
}

interface Pending {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
  /** Given up: nobody waits, but for the process to be whole again. */
  isAbandoned: boolean;
}

interface Running {
  readonly child: ChildProcess;
  readonly pending: Map<number, Pending>;
  /** A call in it hangs: it takes no more requests, and ends with the last one under way. */
  isRetired: boolean;
}

const defaultGraceMs = 2000;

/** A process that makes calls which may hang or crash: drivers and providers of others run in them.
 *  A thread of the agent that hangs in such a call could not be ended, and would keep the agent from
 *  ending; a process can be killed. There is one, with a thread for each call; when a call hangs, new
 *  requests go to a new one and the old is killed once the others in it are through. Each request has
 *  its deadline, and so the processes are few. */
export class HelperProcess {
  private readonly options: HelperOptions;
  private readonly all = new Set<Running>();
  private current: Running | undefined;
  private lastId = 0;
  private isClosed = false;

  constructor(options: HelperOptions) {
    this.options = options;
  }

  /** Errors: HelperError; also when the signal aborts, at once. */
  request(body: unknown, signal: AbortSignal): Promise<unknown> {
    if (this.isClosed || signal.aborted) return Promise.reject(new HelperError('it was given up'));
    const running = (this.current ??= this.start());
    const id = ++this.lastId;
    return new Promise((resolve, reject) => {
      const pending: Pending = { resolve, reject, isAbandoned: false };
      running.pending.set(id, pending);
      const onAbort = (): void => {
        if (running.pending.get(id) !== pending) return;
        pending.isAbandoned = true;
        reject(new HelperError('it was given up'));
        this.send(running, { kind: 'cancel', id });
        const graceMs = this.options.graceMs ?? defaultGraceMs;
        this.options.clock.after(graceMs, () => {
          if (running.pending.get(id) === pending) this.retire(running, id);
        });
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.send(running, { kind: 'request', id, body });
    });
  }

  /** Kills what runs; requests under way fail. */
  async close(): Promise<void> {
    this.isClosed = true;
    await Promise.all([...this.all].map((running) => this.end(running)));
  }

  private start(): Running {
    const { program, threads } = this.options;
    const child = startHelper(program, threads);
    const running: Running = { child, pending: new Map(), isRetired: false };
    this.all.add(running);
    child.on('message', (message: FromHelper) => this.take(running, message));
    child.on('error', (error) => this.ended(running, error.message));
    child.on('exit', (code, signal) => this.ended(running, String(signal ?? code)));
    return running;
  }

  private send(running: Running, message: ToHelper): void {
    // The process may be gone; its end has settled, or will settle, what waits.
    if (running.child.connected) running.child.send(message, () => undefined);
  }

  private take(running: Running, { id, result, error }: FromHelper): void {
    const pending = running.pending.get(id);
    running.pending.delete(id);
    if (error !== undefined) pending?.reject(new HelperError(error.message, error.code));
    else pending?.resolve(result);
    this.endWhenIdle(running);
  }

  private retire(running: Running, id: number): void {
    running.pending.delete(id);
    if (!running.isRetired) {
      running.isRetired = true;
      this.options.lost.hung.value++;
      this.options.log.warn(
        { pid: running.child.pid },
        'A call hangs in a helper process: a new process takes over, and this one is ended.',
      );
    }
    if (this.current === running) this.current = undefined;
    this.endWhenIdle(running);
  }

  private endWhenIdle(running: Running): void {
    if (running.isRetired && running.pending.size === 0) void this.end(running);
  }

  private async end(running: Running): Promise<void> {
    running.isRetired = true;
    const { child } = running;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    if (child.kill('SIGKILL')) await gone;
  }

  private ended(running: Running, how: string): void {
    if (!this.all.delete(running)) return;
    if (this.current === running) this.current = undefined;
    if (!running.isRetired) {
      this.options.lost.crashed.value++;
      this.options.log.warn({ how }, 'A helper process ended by itself; a new one takes over.');
    }
    for (const { isAbandoned, reject } of running.pending.values()) {
      if (!isAbandoned) reject(new HelperError(`the helper process ended (${how})`));
    }
    running.pending.clear();
  }
}
