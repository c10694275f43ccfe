import { join } from 'node:path';
import { projectRoot } from '../../scripts/project_root.ts';
import type { MeasuredAgent } from './agent.ts';

/** Bytes that leave Sluice for a byte of input, measured at the sink: where they are fewer, numbers of
 *  lines would be missing there. */
const outputRatio: Readonly<Record<string, number>> = {
  S1: 2.22,
  'S3.json': 1.16,
  'S4.jsoneachrow': 1,
};

/** No agent, but what any has to do at least: reads the scenario's bytes, copies as many as leave an
 *  agent, and writes those to a socket. What it costs is the physical limit of a scenario. */
export function limitAgent(): MeasuredAgent {
  return {
    name: 'limit',
    refuses: ({ id }) =>
      id in outputRatio ? undefined : 'measured for S1, S3.json, S4.jsoneachrow',
    install: async () => 'read, one copy, socket write',
    prepare: async (scenario, facts) => {
      const program = join(projectRoot(), 'dist', 'bench', 'agents', 'limit_program.js');
      const [input] = facts.inputs;
      const ratio = String(outputRatio[scenario.id]!);
      return { command: [process.execPath, program, input!, String(facts.port), ratio] };
    },
  };
}
