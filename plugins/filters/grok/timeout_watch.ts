import type { PluginContext } from '../../../core/sdk/index.ts';

const windowMs = 60_000;
const timeoutsMin = 3;
const patternTextMax = 200;

/** Says which pattern keeps running out of time, once a minute at most for each. */
export class TimeoutWatch {
  private readonly context: PluginContext;
  /** Per pattern, of which there are as many as the configuration has. */
  private readonly windows = new Map<string, { startMs: number; count: number; said: boolean }>();

  constructor(context: PluginContext) {
    this.context = context;
  }

  /** Counts a time-out of a pattern. */
  count(pattern: string): void {
    const nowMs = this.context.clock.monotonicMs();
    let window = this.windows.get(pattern);
    if (window === undefined || nowMs - window.startMs >= windowMs) {
      window = { startMs: nowMs, count: 0, said: false };
      this.windows.set(pattern, window);
    }
    window.count++;
    if (window.said || window.count < timeoutsMin) return;
    window.said = true;
    this.context.log.warn(
      { pattern: pattern.slice(0, patternTextMax), timeouts: window.count },
      'A grok pattern ran out of time several times within a minute: make it more exact.',
    );
  }
}
