import { spawnSync } from 'node:child_process';
import { sluiceAgent } from '../agents/index.ts';
import { runAgent } from '../measure/agent_run.ts';
import { inputOfLines } from '../measure/scenario_input.ts';
import { median } from '../measure/statistics.ts';
import { basicScenarios } from '../scenarios/basic_scenarios.ts';
import type { Claim } from './claim.ts';
import { limited } from './live_claims.ts';

const rounds = 9;

/** From the start of the process to the first record at the sink, with the default `flush`; in turns with
 *  a Node that does nothing, which says how fast the machine is. */
const start: Claim = {
  id: 'start',
  measure: async ({ sink, log }) => {
    const scenario = basicScenarios[0]!;
    const input = inputOfLines(scenario, 1);
    const starts: number[] = [];
    const empty: number[] = [];
    const cpu: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const run = await runAgent(sluiceAgent(), scenario, input, sink);
      starts.push(run.startToFirstMs);
      cpu.push(run.cpuSeconds * 1000);
      const beganMs = performance.now();
      spawnSync(process.execPath, ['-e', '0']);
      empty.push(performance.now() - beganMs);
      log(`start: ${starts.at(-1)!.toFixed(0)} ms, an empty Node ${empty.at(-1)!.toFixed(0)} ms`);
    }
    return {
      id: 'start',
      title: `process start to the first record delivered, S1, ${rounds} starts`,
      figures: [
        limited('start → first record, median', median(starts), 400, 'ms'),
        { what: 'the same, best', measured: `${Math.min(...starts).toFixed(0)} ms` },
        { what: 'an empty Node, median', measured: `${median(empty).toFixed(0)} ms` },
        {
          what: 'beside an empty Node',
          measured: `${(median(starts) / median(empty)).toFixed(1)} ×`,
        },
        { what: 'processor time, 0.3 s more included', measured: `${median(cpu).toFixed(0)} ms` },
      ],
    };
  },
};

export const startClaims: readonly Claim[] = [start];
