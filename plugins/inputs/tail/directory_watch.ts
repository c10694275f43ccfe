import { statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { InputContext } from '../../../core/sdk/index.ts';

/** Directories that take longer are slow or remote: they are asked without holding up others. */
const slowMs = 20;

/** File systems stamp changes by the ticks of a timer: a change in the same tick as the one that was
 *  seen does not show. So a change as young as this is told once more. */
const tickNs = 50_000_000n;

/** Says how long to wait before the next poll when one took so long. */
export interface PollPace {
  restMs(tookMs: number): number;
}

/** Tells when names in directories change: files made, renamed, deleted.
 *
 *  Polls the directories' own change times and leaves the files alone: the system's notifications
 *  come at every append to a file, too. */
export class DirectoryWatch {
  private readonly changes = new Map<string, bigint>();
  /** Directories whose last change was young when it was seen. */
  private readonly young = new Set<string>();
  private readonly pace: PollPace;
  private readonly onChange: () => void;
  private readonly clock: InputContext['clock'];
  private cancelTimer: (() => void) | undefined;
  private polling: Promise<void> | undefined;
  private isSlow = false;
  private isClosed = false;

  constructor(clock: InputContext['clock'], onChange: () => void, pace: PollPace) {
    this.clock = clock;
    this.onChange = onChange;
    this.pace = pace;
  }

  /** Watches these directories from now on, beside those of earlier calls; ones that are not there
   *  until they are. */
  async add(directories: Iterable<string>): Promise<void> {
    for (const directory of directories) {
      if (this.isClosed || this.changes.has(directory)) continue;
      const change = this.isSlow ? await changeLater(directory) : changeOf(directory);
      this.changes.set(directory, change);
      if (this.isYoung(change)) this.young.add(directory);
    }
    if (this.cancelTimer === undefined && !this.isClosed) this.wait(0);
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.cancelTimer?.();
    await this.polling;
  }

  private isYoung(changeNs: bigint): boolean {
    return BigInt(Math.round(this.clock.nowMs())) * 1_000_000n - changeNs < tickNs;
  }

  private wait(tookMs: number): void {
    if (this.isClosed) return;
    this.cancelTimer = this.clock.after(this.pace.restMs(tookMs), () => {
      this.polling = this.poll();
    });
  }

  private async poll(): Promise<void> {
    const beganMs = this.clock.monotonicMs();
    let isChanged = false;
    for (const [directory, before] of this.changes) {
      const now = this.isSlow ? await changeLater(directory) : changeOf(directory);
      if (this.isClosed) return;
      if (now === before && !this.young.delete(directory)) continue;
      if (now !== before && this.isYoung(now)) this.young.add(directory);
      this.changes.set(directory, now);
      isChanged = true;
    }
    const tookMs = this.clock.monotonicMs() - beganMs;
    this.isSlow = tookMs / this.changes.size > slowMs;
    if (isChanged) this.onChange();
    this.wait(tookMs);
  }
}

/** When names in a directory last changed, in ns; -1 when it is not there. */
function changeOf(directory: string): bigint {
  try {
    return statSync(directory, { bigint: true }).mtimeNs;
  } catch {
    // What is wrong with it shows when it is listed.
    return -1n;
  }
}

async function changeLater(directory: string): Promise<bigint> {
  try {
    return (await stat(directory, { bigint: true })).mtimeNs;
  } catch {
    return -1n;
  }
}
