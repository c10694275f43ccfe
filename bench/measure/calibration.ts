import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { projectRoot } from '../../scripts/project_root.ts';

/** How fast the machine is, in turns with what is measured. */
export class Pace {
  private lastSeconds: number | undefined;

  /** Measures the loop, and gives its mean CPU-seconds over now and the time before: what stands
   *  beside the work that was done in between. */
  sinceLast(): number {
    const before = this.lastSeconds;
    this.lastSeconds = calibrationSeconds();
    return before === undefined ? this.lastSeconds : (before + this.lastSeconds) / 2;
  }
}

/** CPU-seconds of the calibration loop, in a process of its own. */
function calibrationSeconds(): number {
  const program = join(projectRoot(), 'dist', 'bench', 'measure', 'calibration_loop.js');
  const done = spawnSync(process.execPath, [program], { encoding: 'utf8' });
  const seconds = Number(done.stdout);
  if (done.status !== 0 || !(seconds > 0)) {
    throw new Error(`the calibration loop failed: ${done.stderr}`);
  }
  return seconds;
}
