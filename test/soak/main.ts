import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { commitNow } from '../attack/commit.ts';
import { backlog } from './backlog.ts';
import { soak } from './soak.ts';

/** `npm run soak [-- --minutes N --rate N --files N --seed N --keep]`: prints what was done and seen as one
 *  JSON object, and ends with 1 when a promise did not hold. How it goes is told on standard
 *  error once a minute. `--backlog N` starts an agent on a disk buffer of N GB instead. `--keep` leaves the directory with the agent's log and storage. */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '60' },
      rate: { type: 'string', default: '20000' },
      files: { type: 'string' },
      seed: { type: 'string' },
      keep: { type: 'boolean', default: false },
      backlog: { type: 'string' },
    },
  });
  const minutes = Number(values.minutes);
  const files = values.files === undefined ? Math.ceil((minutes / 60) * 100_000) : +values.files;
  const seed = values.seed === undefined ? Date.now() % 1_000_000 : Number(values.seed);
  const directory = await mkdtemp(join(tmpdir(), 'sluice-endurance-'));
  const rig = values.backlog === undefined ? 'soak' : 'backlog';
  const about = { rig, seed, commit: commitNow(), node: process.version };
  const startedMs = performance.now();
  const seconds = () => Math.round((performance.now() - startedMs) / 100) / 10;
  try {
    const results =
      values.backlog === undefined
        ? await soak({
            directory,
            seed,
            minutes,
            linesPerSecond: Number(values.rate),
            files,
            cycleMs: Math.min(100_000, (minutes * 60_000) / 6),
            report: (line) => console.error(line),
          })
        : await backlog(directory, Number(values.backlog) * 1e9);
    const held = (results['broken'] as string[]).length === 0;
    console.log(JSON.stringify({ ...about, held, seconds: seconds(), results }, null, 2));
    return held ? 0 : 1;
  } catch (error) {
    console.error(error);
    console.log(JSON.stringify({ ...about, held: false, seconds: seconds() }, null, 2));
    return 1;
  } finally {
    if (values.keep) console.error(`kept: ${directory}`);
    else await rm(directory, { recursive: true, force: true });
  }
}

process.exitCode = await main();
