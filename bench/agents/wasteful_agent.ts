import { join } from 'node:path';
import { projectRoot } from '../../scripts/project_root.ts';
import type { MeasuredAgent } from './agent.ts';
import { sluiceAgent } from './sluice_agent.ts';

/** This project's agent, which uses a share more processor time than it needs. */
export function wastefulAgent(share: number): MeasuredAgent {
  const own = sluiceAgent();
  const program = join(projectRoot(), 'dist', 'bench', 'agents', 'waste_time.js');
  return {
    ...own,
    prepare: async (scenario, facts) => {
      const launch = await own.prepare(scenario, facts);
      const [node, ...rest] = launch.command;
      return {
        ...launch,
        command: [node!, '--import', program, ...rest],
        env: { ...launch.env, SLUICE_BENCH_WASTE: String(share) },
      };
    },
  };
}
