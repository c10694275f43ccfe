import type { PipelineFacts, Scenario } from '../scenarios/scenario.ts';
import type { Command } from '../measure/measured_process.ts';

/** A program that is measured: Sluice or a peer. */
export interface MeasuredAgent {
  readonly name: string;
  /** Why it cannot do a scenario; undefined when it can. */
  refuses(scenario: Scenario): string | undefined;
  /** Installs it unless it is there, and says its version. Throws with the reason when it cannot. */
  install(log: (line: string) => void): Promise<string>;
  /** Writes its configuration into the run's directory and says how it is started. */
  prepare(scenario: Scenario, facts: PipelineFacts): Promise<Omit<Command, 'cwd' | 'logPath'>>;
}
