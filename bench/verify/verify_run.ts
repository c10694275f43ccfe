import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MeasuredAgent } from '../agents/agent.ts';
import { runAgent } from '../measure/agent_run.ts';
import { corpusOf, inputOfLines } from '../measure/scenario_input.ts';
import type { Scenario } from '../scenarios/scenario.ts';
import type { SinkProcess } from '../sink/sink_process.ts';
import { type CapturedRecord, capturedRecords } from './captured_records.ts';
import { recordCheck } from './record_check.ts';

export interface Verification {
  readonly records: number;
  /** The first problems, each with the line it is about. */
  readonly problems: readonly string[];
}

const problemsMax = 5;

/** Runs an agent untimed, parses all that it sent and compares it with what the generated lines
 *  mean. */
export async function verifyAgent(
  agent: MeasuredAgent,
  scenario: Scenario,
  lines: number,
  sink: SinkProcess,
): Promise<Verification> {
  const captureDirectory = mkdtempSync(join(tmpdir(), 'sluice-bench-capture-'));
  try {
    const input = inputOfLines(scenario, lines);
    const run = await runAgent(agent, scenario, input, sink, { captureDirectory });
    const problems = run.problem === undefined ? [] : [run.problem];
    const check = recordCheck(scenario);
    const lineOf = (number: number): string => {
      const part = Math.floor(number / (input.lines / scenario.parts.length));
      return corpusOf(scenario.parts[part]!).line(number);
    };
    let records = 0;
    const captured = capturedRecords(captureDirectory);
    for (;;) {
      let record: CapturedRecord;
      try {
        const next = captured.next();
        if (next.done) break;
        record = next.value;
      } catch (error) {
        problems.push((error as Error).message);
        break;
      }
      records++;
      const text = typeof record === 'string' ? record : JSON.stringify(record);
      const numbers = [...text.matchAll(/~(\d{10})/g)].map((match) => Number(match[1]));
      if (numbers.length === 0) problems.push(`no number: ${text.slice(0, 200)}`);
      else {
        const problem = check(record, numbers.map(lineOf));
        if (problem !== undefined) problems.push(`${problem}: ${text.slice(0, 400)}`);
      }
      if (problems.length >= problemsMax) break;
    }
    return { records, problems };
  } finally {
    rmSync(captureDirectory, { recursive: true, force: true });
  }
}
