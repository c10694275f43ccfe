import type { Agent } from '../core/topology/agent.ts';

type ReloadOutcome = { ok: boolean; message: string };

/** What a process is told from outside, by signals and by requests, from before its agent starts: as
 *  process 1 of a container it would never get a signal that nobody listens for. */
export class Orders {
  /** Resolves when the agent was told to stop. */
  readonly stopped: Promise<void>;
  private readonly handlers: readonly (readonly [NodeJS.Signals, () => void])[];
  private readonly abortStart: () => void;
  private agent: Agent | undefined;
  private reloadAgent: (() => Promise<ReloadOutcome>) | undefined;
  private tellStopped!: () => void;
  private timesAsked = 0;
  private isReloadAsked = false;

  /** `abortStart` is called when the process is told a second time to stop, and no agent runs yet. */
  constructor(abortStart: () => void) {
    this.abortStart = abortStart;
    this.stopped = new Promise((resolve) => {
      this.tellStopped = resolve;
    });
    const isWindows = process.platform === 'win32';
    this.handlers = [
      ['SIGTERM', () => this.stopOrAbort()],
      ['SIGINT', () => this.stopOrAbort()],
      // On Windows the console's window is closed, and the process has some seconds left.
      ['SIGHUP', isWindows ? () => this.stopOrAbort() : () => void this.reload()],
      ...(isWindows ? [['SIGBREAK', () => this.stopOrAbort()] as const] : []),
    ];
  }

  listenForSignals(): void {
    for (const [signal, handler] of this.handlers) process.on(signal, handler);
  }

  forgetSignals(): void {
    for (const [signal, handler] of this.handlers) process.off(signal, handler);
  }

  /** The agent runs: orders are its own from now on. `reload` reads the pipeline files again. */
  obeyedBy(agent: Agent, reload: () => Promise<ReloadOutcome>): void {
    this.agent = agent;
    this.reloadAgent = reload;
    if (this.isReloadAsked) void reload();
  }

  /** Reads the pipeline files again; once the agent runs, when it does not yet. */
  async reload(): Promise<ReloadOutcome> {
    if (this.reloadAgent !== undefined) return await this.reloadAgent();
    this.isReloadAsked = true;
    return { ok: true, message: 'The files are read again when the agent has started.' };
  }

  /** Begins the ordered drain; more often changes nothing. */
  stop(): void {
    this.tellStopped();
  }

  /** The second signal does not wait for the drain that the first one began. */
  private stopOrAbort(): void {
    this.timesAsked++;
    if (this.timesAsked === 1) this.stop();
    else if (this.agent === undefined) this.abortStart();
    else this.agent.abort();
  }
}
