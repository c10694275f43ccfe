import type { Clock } from '../time/clock.ts';

export interface PeriodHealthOptions {
  readonly clock: Clock;
  readonly periodMs: number;
  /** Counts so far; they only grow. */
  read(): Troubles;
  /** More than these within the period make it unhealthy. */
  readonly most: Troubles;
}

/** Records that were refused or dropped, and deliveries that failed and were tried again. */
export interface Troubles {
  readonly errors: number;
  readonly retries: number;
}

const samplesMax = 60;

/** Judges by how much went wrong within the last period, as Fluent Bit's health check does. */
export class PeriodHealth {
  private readonly options: PeriodHealthOptions;
  private readonly samples: Troubles[];
  private readonly cancel: () => void;

  constructor(options: PeriodHealthOptions) {
    this.options = options;
    this.samples = [options.read()];
    this.cancel = options.clock.every(Math.max(1, options.periodMs / samplesMax), () => {
      this.samples.push(options.read());
      if (this.samples.length > samplesMax) this.samples.shift();
    });
  }

  isHealthy(): boolean {
    const { read, most } = this.options;
    const now = read();
    const before = this.samples[0]!;
    return (
      now.errors - before.errors <= most.errors && now.retries - before.retries <= most.retries
    );
  }

  close(): void {
    this.cancel();
  }
}
