import type { SinkProcess } from '../sink/sink_process.ts';

/** One measured claim beside those of the scenario tables. */
export interface ClaimResult {
  readonly id: string;
  readonly title: string;
  /** What is measured, what is wanted where something is, and what came out. */
  readonly figures: readonly {
    readonly what: string;
    readonly wanted?: string;
    readonly measured: string;
    readonly met?: boolean;
  }[];
}

export interface ClaimOptions {
  readonly sink: SinkProcess;
  readonly seconds: number | undefined;
  readonly bytes: number | undefined;
  readonly log: (line: string) => void;
}

export interface Claim {
  readonly id: string;
  measure(options: ClaimOptions): Promise<ClaimResult>;
}
