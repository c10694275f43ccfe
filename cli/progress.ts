import type { Writable } from 'node:stream';
import { bytesText, countText } from './counts.ts';

export interface ProgressState {
  readonly bytes: number;
  readonly records: number;
}

export interface ProgressOptions {
  readonly stream: Writable & { isTTY?: boolean; columns?: number };
  /** 0 when nobody knows. */
  readonly bytesTotal: number;
  read(): ProgressState;
}

const terminalIntervalMs = 100;
const lineIntervalMs = 1000;
const barWidth = 30;

/** Shows how far a finite work has come: a bar that is redrawn on a terminal, and elsewhere a
 *  plain line a second. */
export class Progress {
  private readonly options: ProgressOptions;
  private readonly startedAtMs = performance.now();
  private timer: NodeJS.Timeout | undefined;

  constructor(options: ProgressOptions) {
    this.options = options;
  }

  start(): void {
    const isTerminal = this.options.stream.isTTY === true;
    const intervalMs = isTerminal ? terminalIntervalMs : lineIntervalMs;
    this.timer = setInterval(() => this.show(), intervalMs);
    this.timer.unref();
    if (isTerminal) this.show();
  }

  /** Shows the last state (on a terminal) and stops. */
  finish(): void {
    clearInterval(this.timer);
    if (this.options.stream.isTTY !== true) return;
    this.show();
    this.options.stream.write('\n');
  }

  private show(): void {
    const { stream, read, bytesTotal } = this.options;
    const text = progressText(read(), bytesTotal, (performance.now() - this.startedAtMs) / 1000);
    if (stream.isTTY !== true) {
      stream.write(`${text}\n`);
      return;
    }
    const share = bytesTotal > 0 ? Math.min(1, read().bytes / bytesTotal) : 0;
    const full = Math.round(share * barWidth);
    const bar = `[${'█'.repeat(full)}${'░'.repeat(barWidth - full)}]`;
    const line = `${bar} ${text}`.slice(0, Math.max(20, (stream.columns ?? 100) - 1));
    stream.write(`\r${line}\u001b[K`);
  }
}

/** One state as text: `45% 12.0 MB of 26.7 MB, 60,000 records, 80,000/s`. */
export function progressText(state: ProgressState, bytesTotal: number, seconds: number): string {
  const rate = seconds > 0 ? state.records / seconds : 0;
  // What is read may have grown since its size was looked up.
  const share = bytesTotal > 0 ? Math.min(100, Math.floor((state.bytes / bytesTotal) * 100)) : 0;
  const of =
    bytesTotal > 0
      ? `${share}% ${bytesText(state.bytes)} of ${bytesText(bytesTotal)}`
      : bytesText(state.bytes);
  return `${of}, ${countText(state.records)} records, ${countText(rate)}/s`;
}
