import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectRoot } from '../../scripts/project_root.ts';
import type { MeasuredAgent } from './agent.ts';

/** This project's agent, as `dist` has it. */
export function sluiceAgent(): MeasuredAgent {
  const root = projectRoot();
  return {
    name: 'sluice',
    refuses: (scenario) => scenario.missing,
    install: async () => {
      // This project's own file.
      const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
        version: string;
      };
      return `${version} on Node ${process.versions.node}`;
    },
    prepare: async (scenario, facts) => {
      const pipeline = join(facts.directory, 'pipeline.yaml');
      await writeFile(pipeline, scenario.pipeline(facts));
      return {
        command: [process.execPath, join(root, 'dist', 'bundle', 'sluice.js'), 'run', pipeline],
      };
    },
  };
}
