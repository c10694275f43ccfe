import { join } from 'node:path';
import { agentProgram } from './kill_rig.ts';

// A program: `sluice run DIRECTORY/pipeline.yaml` for each directory named, all in one process. Half a
// second of a start is Node's and reading the program's files; agents that share them cost a tenth.
for (const [index, directory] of process.argv.slice(2).entries()) {
  process.argv = [process.execPath, 'sluice', 'run', join(directory, 'pipeline.yaml')];
  // The command's first file runs again, the rest of the program is shared.
  await import(`file://${agentProgram}?${index}`);
}
