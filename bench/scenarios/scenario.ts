import type { CorpusKind } from '../corpus/corpus.ts';

/** What a run's pipeline file is made from. */
export interface PipelineFacts {
  /** The generated files, as the scenario's `parts` name them. */
  readonly inputs: readonly string[];
  /** Port of the sink on the loopback. */
  readonly port: number;
  /** A directory of the run's own: state, buffers, configuration. */
  readonly directory: string;
}

/** One row of a report: what goes in, what the agent does with it, where it goes. */
export interface Scenario {
  /** `S1`, or `S3.json` for a variant. */
  readonly id: string;
  readonly title: string;
  /** The generated files; lines are divided between them. */
  readonly parts: readonly CorpusKind[];
  /** Whether lines at level debug must not arrive. */
  readonly dropsDebug?: boolean;
  /** Lines become fewer records: what the sink counts by line feeds is compared too. */
  readonly joinsLines?: boolean;
  /** CPU-seconds per GB of input that are wanted at most. */
  readonly bar?: number;
  readonly eventsPerSecondBar?: number;
  /** Why it cannot run; absent when it can. */
  readonly missing?: string;
  /** Sluice's pipeline file. */
  pipeline(facts: PipelineFacts): string;
}

export function scenarioGroup(scenario: Scenario): string {
  return scenario.id.split('.')[0]!;
}
