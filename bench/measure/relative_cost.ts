import type { MeasuredAgent } from '../agents/agent.ts';
import type { Scenario } from '../scenarios/scenario.ts';
import type { SinkProcess } from '../sink/sink_process.ts';
import { type AgentRun, runAgent } from './agent_run.ts';
import type { Pace } from './calibration.ts';
import { inputOfBytes, inputOfLines, type ScenarioInput } from './scenario_input.ts';
import { median } from './statistics.ts';

const tinyLines = 100;

/** Costs in units of the calibration loop: what a machine's pace has no part in. */
export interface RelativeCost {
  /** Per GB of input, start-up taken off. */
  readonly steady: number;
  readonly startup: number;
}

interface Sample {
  readonly tiny: number;
  readonly whole: number;
}

/** Measures one scenario's cost beside the calibration loop, sample by sample. */
export class RelativeCostMeter {
  readonly scenario: Scenario;
  readonly input: ScenarioInput;
  /** What was wrong with a run; undefined while all records came exactly once. */
  problem: string | undefined;
  private readonly tiny: ScenarioInput;
  private readonly by: { agent: MeasuredAgent; sink: SinkProcess; pace: Pace };
  private readonly samples: Sample[] = [];

  constructor(
    scenario: Scenario,
    bytes: number,
    by: { readonly agent: MeasuredAgent; readonly sink: SinkProcess; readonly pace: Pace },
  ) {
    this.scenario = scenario;
    this.by = by;
    this.input = inputOfBytes(scenario, bytes);
    this.tiny = inputOfLines(scenario, tinyLines);
  }

  /** One run over a hundred lines and one over the input, the loop between and after. */
  async sample(): Promise<void> {
    const { pace } = this.by;
    const tiny = await this.run(this.tiny);
    const besideTiny = pace.sinceLast();
    const whole = await this.run(this.input);
    const besideWhole = pace.sinceLast();
    this.samples.push({
      tiny: tiny.cpuSeconds / besideTiny,
      whole: whole.cpuSeconds / besideWhole,
    });
  }

  cost(): RelativeCost {
    const startup = median(this.samples.map(({ tiny }) => tiny));
    const whole = median(this.samples.map((sample) => sample.whole));
    return { steady: (whole - startup) / (this.input.bytes / 1e9), startup };
  }

  private async run(input: ScenarioInput): Promise<AgentRun> {
    const run = await runAgent(this.by.agent, this.scenario, input, this.by.sink);
    this.problem ??= run.problem;
    return run;
  }
}
