import { sluiceAgent } from '../agents/index.ts';
import { runAgent } from '../measure/agent_run.ts';
import { inputOfBytes } from '../measure/scenario_input.ts';
import { median } from '../measure/statistics.ts';
import { lookups, thirdPartyFilter } from '../scenarios/further_scenarios.ts';
import { accessFilters, bulkOutput, pipelineText } from '../scenarios/pipeline_text.ts';
import type { Scenario } from '../scenarios/scenario.ts';
import type { Claim } from './claim.ts';
import { limited } from './live_claims.ts';

const rounds = 3;
const gainMin = 1.7;

/** What a second worker thread gains for one file and filters that cost much: S6 and S7's plain objects in
 *  one. Wall time counts here, so the machine has to have two cores idle; the sink takes some of them. */
const workers: Claim = {
  id: 'workers',
  measure: async ({ sink, bytes = 200e6, log }) => {
    const scenario = workerScenario;
    const input = inputOfBytes(scenario, bytes);
    // One file: its lines arrive in the order of their numbers, or they do not.
    const ordered = { ...input, plan: { ...input.plan, isOrdered: true } };
    const wall: [number[], number[]] = [[], []];
    const cpu: [number[], number[]] = [[], []];
    const problems: string[] = [];
    for (let round = 0; round < rounds; round++) {
      for (const count of [1, 2] as const) {
        const run = await runAgent(sluiceAgent(), withWorkers(scenario, count), ordered, sink);
        wall[count - 1]!.push(run.deliveringMs);
        cpu[count - 1]!.push(run.cpuSeconds);
        if (run.problem !== undefined) problems.push(run.problem);
        if (run.sink.outOfOrder > 0) problems.push(`${run.sink.outOfOrder} out of order`);
        const seconds = (run.deliveringMs / 1000).toFixed(1);
        log(`workers: ${count}: ${seconds} s, ${run.cpuSeconds.toFixed(1)} CPU-s`);
      }
    }
    const gain = median(wall[0]) / median(wall[1]);
    return {
      id: 'workers',
      title: `service.workers: 2 beside 1, ${scenario.title}, ${(input.bytes / 1e6).toFixed(0)} MB in one file`,
      figures: [
        { what: 'wall time, 1', measured: `${(median(wall[0]) / 1000).toFixed(1)} s` },
        { what: 'wall time, 2', measured: `${(median(wall[1]) / 1000).toFixed(1)} s` },
        {
          what: 'gain in wall time',
          wanted: `≥ ${gainMin} ×`,
          measured: `${gain.toFixed(2)} ×`,
          met: gain >= gainMin,
        },
        limited('processor time of 2 beside 1', median(cpu[1]) / median(cpu[0]), 1.2, '×'),
        {
          what: 'lost, twice, out of order',
          wanted: 'none',
          measured: problems.length === 0 ? `none of ${input.lines}` : problems.join('; '),
          met: problems.length === 0,
        },
      ],
    };
  },
};

const workerScenario: Scenario = {
  id: 'workers',
  title: 'S1 + GeoIP + user agent + a third-party filter on plain objects',
  parts: ['access'],
  pipeline: (facts) =>
    pipelineText(facts, {
      plugins: [thirdPartyFilter('object')],
      filters: [...accessFilters, lookups(), "{name: third_party_object, match: '*'}"],
      output: bulkOutput(facts),
    }),
};

function withWorkers(scenario: Scenario, count: number): Scenario {
  const workersLine = `service:\n  workers: ${count}\n`;
  return {
    ...scenario,
    pipeline: (facts) => scenario.pipeline(facts).replace('service:\n', workersLine),
  };
}

export const workerClaims: readonly Claim[] = [workers];
