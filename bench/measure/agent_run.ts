import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { MeasuredAgent } from '../agents/agent.ts';
import type { Scenario } from '../scenarios/scenario.ts';
import type { SinkProcess } from '../sink/sink_process.ts';
import type { SinkReport } from '../sink/sink_run.ts';
import { MeasuredProcess } from './measured_process.ts';
import type { TreeUsage } from './process_tree.ts';
import { monotonicMs } from './monotonic_clock.ts';
import type { ScenarioInput } from './scenario_input.ts';

/** What one run of one agent took. */
export interface AgentRun {
  /** From the start of the process until all was delivered and a moment more. */
  readonly cpuSeconds: number;
  readonly peakRssBytes: number;
  /** From the start of the process to the first record at the sink. */
  readonly startToFirstMs: number;
  /** From the first record at the sink to the last. */
  readonly deliveringMs: number;
  readonly sink: SinkReport;
  /** What went wrong, in one line; undefined when every record came exactly once. */
  readonly problem: string | undefined;
}

export interface AgentRunOptions {
  /** Directory for the bodies that the sink takes. */
  readonly captureDirectory?: string;
  /** Gives up when nothing new arrives for so long. */
  readonly stallMs?: number;
}

const pollMs = 25;
/** Time after the last record in which what belongs to it (checkpoints, closing) still counts. */
const settleMs = 300;
/** Longer than an agent waits with an incomplete batch. */
const quietMsBeforeAsking = 1400;

/** Runs an agent over an input into the sink and measures the process tree. Linux only. */
export async function runAgent(
  agent: MeasuredAgent,
  scenario: Scenario,
  input: ScenarioInput,
  sink: SinkProcess,
  options: AgentRunOptions = {},
): Promise<AgentRun> {
  const directory = await mkdtemp(join(tmpdir(), `sluice-bench-run-`));
  try {
    const { captureDirectory } = options;
    await sink.plan({
      ...input.plan,
      ...(captureDirectory === undefined ? {} : { captureDirectory }),
    });
    const facts = { inputs: input.paths, port: sink.port, directory };
    const launch = await agent.prepare(scenario, facts);
    const startMs = monotonicMs();
    const measured = await MeasuredProcess.start({
      ...launch,
      cwd: directory,
      logPath: join(directory, 'agent.log'),
    });
    const { usage, stalled } = await untilDelivered(measured, sink, options.stallMs ?? 30_000);
    await measured.stop();
    const report = await sink.report();
    const problem = problemOf(report, input) ?? stalled;
    return {
      cpuSeconds: usage.cpuSeconds,
      peakRssBytes: usage.peakRssBytes,
      startToFirstMs: report.firstMs - startMs,
      deliveringMs: report.lastMs - report.firstMs,
      sink: report,
      problem: problem === undefined ? undefined : withLog(problem, measured.log()),
    };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Waits until the sink has all, the agent ends, or nothing happens any more; and takes what was
 *  used until a moment after the last bytes came. */
async function untilDelivered(
  measured: MeasuredProcess,
  sink: SinkProcess,
  stallMs: number,
): Promise<{ usage: TreeUsage; stalled: string | undefined }> {
  let usage = measured.usage();
  let bytes = -1;
  let movedMs = monotonicMs();
  let isSettled = false;
  let askedBytes = 0;
  for (;;) {
    await wait(pollMs);
    const nowMs = monotonicMs();
    const sample = measured.usage();
    const progress = await sink.progress();
    if (progress.bytes !== bytes) {
      bytes = progress.bytes;
      movedMs = nowMs;
      isSettled = false;
    }
    const quietMs = nowMs - movedMs;
    if (!isSettled) usage = sample;
    isSettled ||= quietMs >= settleMs;
    if (isSettled && progress.arrived === progress.expected) return { usage, stalled: undefined };
    // Compressed bodies are looked at when nothing is under way.
    if (quietMs > quietMsBeforeAsking && bytes !== askedBytes) {
      askedBytes = bytes;
      const { arrived, expected } = await sink.report();
      if (arrived === expected) return { usage, stalled: undefined };
    }
    if (!measured.isRunning()) {
      // Some end with their input: what they used is still there.
      usage = measured.usage();
      const { arrived, expected } = await sink.report();
      const stalled = arrived === expected ? undefined : 'the agent ended early';
      return { usage, stalled };
    }
    if (quietMs > stallMs) return { usage, stalled: 'nothing arrived any more' };
  }
}

function problemOf(report: SinkReport, input: ScenarioInput): string | undefined {
  const { lost, duplicates, unexpected, firstLost } = report;
  if (lost > 0) return `${lost} of ${report.expected} lost, first ${firstLost.join(', ')}`;
  if (duplicates > 0) return `${duplicates} duplicates`;
  if (unexpected > 0) return `${unexpected} that were to be dropped`;
  if (input.plan.countsLineFeeds !== true) return undefined;
  // Two lines a record in `_bulk`; a record may be cut at either end of each file.
  const records = report.lineFeeds / 2;
  if (Math.abs(records - input.records) <= 2 * input.paths.length) return undefined;
  return `${records} records instead of ${input.records}`;
}

function withLog(problem: string, log: string): string {
  const last = log.trim().split('\n').slice(-6).join(' | ');
  return last === '' ? problem : `${problem}; it said: ${last}`;
}
