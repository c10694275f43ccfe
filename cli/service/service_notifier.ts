import { execFile } from 'node:child_process';
import { messageOf } from '../../core/errors/sluice_error.ts';
import type { Log } from '../../core/sdk/contracts.ts';
import type { Clock } from '../../core/time/clock.ts';
import type { ServiceReporter } from './service_host.ts';

/** What systemd tells a service in its environment. Source: sd_notify(3), sd_watchdog_enabled(3). */
export interface NotifyEnvironment {
  readonly socket: string;
  readonly runtimeDirectory: string | undefined;
  /** Time within which systemd wants to hear from the service. */
  readonly watchdogMs: number | undefined;
}

/** Takes the variables out of the environment, so that programs that the agent starts cannot speak
 *  for it. Undefined when nobody waits for messages. */
export function takeNotifyEnvironment(
  env: NodeJS.ProcessEnv,
  processId: number,
): NotifyEnvironment | undefined {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC, WATCHDOG_PID } = env;
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete env[name];
  if (socket === undefined || !/^[/@]./.test(socket)) return undefined;
  const isMeant = WATCHDOG_PID === undefined || Number(WATCHDOG_PID) === processId;
  const microseconds = Number(WATCHDOG_USEC);
  const watchdogMs = isMeant && microseconds > 0 ? microseconds / 1000 : undefined;
  return { socket, runtimeDirectory: env['XDG_RUNTIME_DIR'], watchdogMs };
}

export interface ServiceNotifierOptions {
  readonly environment: NotifyEnvironment;
  readonly clock: Clock;
  readonly log: Log;
  /** Why the agent makes no progress; undefined while it does. Then the watchdog is fed. */
  readonly wedged: () => string | undefined;
  readonly status: () => string;
}

/** Longest that one message may take; systemd-notify waits until systemd has read it. */
const messageTimeoutMs = 5000;
const waitingMax = 16;

/** Tells systemd how the service is. Node has no datagram sockets of the Unix family, so
 *  `systemd-notify`, which is where systemd is, sends each message. Messages keep their order; one
 *  that cannot be sent is said once in the log and changes nothing else. */
export class ServiceNotifier implements ServiceReporter {
  private readonly options: ServiceNotifierOptions;
  private readonly stopping = new AbortController();
  private sending: Promise<void> = Promise.resolve();
  private waiting = 0;
  private hasComplained = false;
  private wasWedged = false;
  private cancelWatchdog: (() => void) | undefined;

  constructor(options: ServiceNotifierOptions) {
    this.options = options;
  }

  /** The inputs run: says so and starts to feed the watchdog, twice as often as it asks for. */
  ready(): Promise<void> {
    const { environment, clock } = this.options;
    const sent = this.send('READY=1', this.statusLine());
    if (environment.watchdogMs !== undefined) {
      this.cancelWatchdog = clock.every(environment.watchdogMs / 2, () => this.feedWatchdog());
    }
    return sent;
  }

  /** A reload begins; `ready` is what ends it. */
  async reload<T>(work: () => Promise<T>): Promise<T> {
    const microseconds = process.hrtime.bigint() / 1000n;
    void this.send('RELOADING=1', `MONOTONIC_USEC=${microseconds}`, 'STATUS=Reloading.');
    try {
      return await work();
    } finally {
      void this.send('READY=1', this.statusLine());
    }
  }

  /** The drain begins. The watchdog is still fed: it lasts as long as the grace period. */
  stop(): Promise<void> {
    return this.send('STOPPING=1', 'STATUS=Delivering what is under way.');
  }

  /** No message after this one. */
  async close(): Promise<void> {
    this.cancelWatchdog?.();
    await this.sending;
    this.stopping.abort();
  }

  private feedWatchdog(): void {
    const problem = this.options.wedged();
    if (problem === undefined) {
      this.wasWedged = false;
      void this.send('WATCHDOG=1', this.statusLine());
      return;
    }
    if (this.wasWedged) return;
    this.wasWedged = true;
    this.options.log.error({ problem }, 'Wedged: the watchdog of systemd is not fed.');
    void this.send(`STATUS=${oneLine(problem)}`);
  }

  private statusLine(): string {
    return `STATUS=${oneLine(this.options.status())}`;
  }

  private send(...lines: string[]): Promise<void> {
    // A systemd that reads nothing must not make messages heap up.
    if (this.waiting >= waitingMax) return Promise.resolve();
    this.waiting++;
    this.sending = this.sending
      .then(() => this.sendNow(lines))
      .catch((error) => this.complain(error))
      .finally(() => this.waiting--);
    return this.sending;
  }

  private sendNow(lines: readonly string[]): Promise<void> {
    const { socket, runtimeDirectory } = this.options.environment;
    return new Promise((resolve, reject) => {
      execFile(
        'systemd-notify',
        [...lines],
        {
          timeout: messageTimeoutMs,
          signal: this.stopping.signal,
          env: {
            PATH: process.env['PATH'],
            NOTIFY_SOCKET: socket,
            ...(runtimeDirectory === undefined ? {} : { XDG_RUNTIME_DIR: runtimeDirectory }),
          },
        },
        (error) => (error === null ? resolve() : reject(error)),
      );
    });
  }

  private complain(error: unknown): void {
    if (this.hasComplained) return;
    this.hasComplained = true;
    const fields = { error: messageOf(error) };
    this.options.log.warn(
      fields,
      'systemd cannot be told how the service is: it needs the program systemd-notify and NotifyAccess=all.',
    );
  }
}

function oneLine(text: string): string {
  return text.replaceAll(/[\r\n]+/g, ' ').slice(0, 500);
}
