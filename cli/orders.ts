import type { Agent } from '../core/topology/agent.ts';

/** What a running agent is told from outside, by signals and by requests. */
export class Orders {
  /** Resolves when the agent was told to stop. */
  readonly stopped: Promise<void>;
  /** Reads the pipeline files again. */
  readonly reload: () => Promise<{ ok: boolean; message: string }>;
  private readonly agent: Agent;
  private readonly handlers: readonly (readonly [NodeJS.Signals, () => void])[];
  private tellStopped!: () => void;
  private timesAsked = 0;

  constructor(agent: Agent, reload: () => Promise<{ ok: boolean; message: string }>) {
    this.agent = agent;
    this.reload = reload;
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

  /** Begins the ordered drain; more often changes nothing. */
  stop(): void {
    this.tellStopped();
  }

  /** The second signal does not wait for the drain that the first one began. */
  private stopOrAbort(): void {
    this.timesAsked++;
    if (this.timesAsked === 1) this.stop();
    else this.agent.abort();
  }
}
