import type { MeasuredAgent } from '../agents/agent.ts';
import type { Scenario } from '../scenarios/scenario.ts';
import type { SinkProcess } from '../sink/sink_process.ts';
import { type AgentRun, runAgent } from './agent_run.ts';
import { inputOfBytes, inputOfLines, type ScenarioInput } from './scenario_input.ts';
import { median } from './statistics.ts';

/** Lines of the runs that show what starting costs. */
const tinyLines = 100;

/** An agent and how much it is given. */
export interface Contestant {
  readonly agent: MeasuredAgent;
  readonly version: string;
  /** Bytes of input, or the bytes of a number of lines. */
  readonly size: { readonly bytes: number } | { readonly lines: number };
}

/** A row of a report: medians of an agent's runs over one input. */
export interface Row {
  readonly agent: string;
  readonly version: string;
  readonly inputBytes: number;
  readonly lines: number;
  readonly runs: number;
  /** Start-up included. */
  readonly cpuSecondsPerGb: number;
  /** Start-up taken off: what a run over a hundred lines uses. */
  readonly steadyCpuSecondsPerGb: number;
  /** The smallest and the largest of `cpuSecondsPerGb`. */
  readonly range: readonly [number, number];
  readonly startupCpuSeconds: number;
  readonly startToFirstMs: number;
  readonly eventsPerSecond: number;
  readonly peakRssMb: number;
  /** Whether every run delivered every record exactly once. */
  readonly exact: boolean;
  readonly problem?: string;
}

interface Lane {
  readonly contestant: Contestant;
  readonly input: ScenarioInput;
  readonly runs: AgentRun[];
  readonly startups: AgentRun[];
}

/** Runs the contestants in turn, round by round, so that what changes on the machine meanwhile
 *  meets all of them. */
export async function compare(
  scenario: Scenario,
  contestants: readonly Contestant[],
  options: { rounds: number; sink: SinkProcess; log: (line: string) => void },
): Promise<Row[]> {
  const { rounds, sink, log } = options;
  const lanes = contestants.map((contestant): Lane => {
    const { size } = contestant;
    const input =
      'bytes' in size ? inputOfBytes(scenario, size.bytes) : inputOfLines(scenario, size.lines);
    return { contestant, input, runs: [], startups: [] };
  });
  const tiny = inputOfLines(scenario, tinyLines);
  for (let round = 0; round < rounds; round++) {
    for (const lane of lanes) {
      const { agent } = lane.contestant;
      lane.startups.push(await runAgent(agent, scenario, tiny, sink));
      const run = await runAgent(agent, scenario, lane.input, sink);
      lane.runs.push(run);
      log(
        `${scenario.id} ${agent.name} ${round + 1}/${rounds}: ${perGb(run, lane.input).toFixed(2)} CPU-s/GB, ${(lane.input.bytes / 1e6).toFixed(0)} MB in ${(run.deliveringMs / 1000).toFixed(1)} s${run.problem === undefined ? '' : `, ${run.problem}`}`,
      );
    }
  }
  return lanes.map((lane) => rowOf(lane, tiny));
}

function rowOf({ contestant, input, runs, startups }: Lane, tiny: ScenarioInput): Row {
  const startupCpuSeconds = median(startups.map((run) => run.cpuSeconds));
  const costs = runs.map((run) => perGb(run, input));
  const steady = runs.map(
    (run) => (run.cpuSeconds - startupCpuSeconds) / ((input.bytes - tiny.bytes) / 1e9),
  );
  const problem = [...runs, ...startups].find((run) => run.problem !== undefined)?.problem;
  return {
    agent: contestant.agent.name,
    version: contestant.version,
    inputBytes: input.bytes,
    lines: input.lines,
    runs: runs.length,
    cpuSecondsPerGb: median(costs),
    steadyCpuSecondsPerGb: median(steady),
    range: [Math.min(...costs), Math.max(...costs)],
    startupCpuSeconds,
    startToFirstMs: median(startups.map((run) => run.startToFirstMs)),
    eventsPerSecond: median(runs.map((run) => input.lines / (run.deliveringMs / 1000))),
    peakRssMb: median(runs.map((run) => run.peakRssBytes / 1e6)),
    exact: problem === undefined,
    ...(problem === undefined ? {} : { problem }),
  };
}

function perGb(run: AgentRun, input: ScenarioInput): number {
  return run.cpuSeconds / (input.bytes / 1e9);
}
