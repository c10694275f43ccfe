import { spawn } from 'node:child_process';
import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { projectRoot } from '../scripts/project_root.ts';

/** `npm run bench:files -- [files] [linesPerSecond] [seconds]`: what following many files costs.
 *  Prints the share of one core that the agent takes, start-up left out, and its memory.
 *  S9: 1000 files at 10 lines/s each; 10 files at none. Linux: reads /proc. */
const [files = 1000, linesPerSecond = 10, seconds = 20] = process.argv.slice(2).map(Number);
/** Compiling takes longer than reading at first. */
const warmUpMs = 30_000;
const root = projectRoot();
const directory = mkdtempSync(join(tmpdir(), 'sluice-files-'));

async function main(): Promise<void> {
  const names = Array.from({ length: files }, (_, index) => join(directory, `${index}.log`));
  for (const name of names) writeFileSync(name, 'first line\n');
  const pipeline = join(directory, 'pipeline.yaml');
  writeFileSync(pipeline, pipelineText());
  const cli = join(root, 'dist', 'cli', 'main.js');
  const profiled = process.env['SLUICE_BENCH_PROFILE'];
  const flags = profiled === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profiled}`];
  const agent = spawn(process.execPath, [...flags, cli, 'run', pipeline], { stdio: 'inherit' });
  const ended = new Promise((resolve) => agent.on('exit', resolve));
  const stopWriting = new AbortController();
  const writing = append(names, stopWriting.signal);
  try {
    await sleep(warmUpMs);
    const before = usage(agent.pid!);
    const beganMs = performance.now();
    await sleep(seconds * 1000);
    const after = usage(agent.pid!);
    const percent = ((after.cpuMs - before.cpuMs) / (performance.now() - beganMs)) * 100;
    console.log(
      JSON.stringify({
        scenario: 'S9',
        files,
        linesPerSecondEach: linesPerSecond,
        percentOfOneCore: Number(percent.toFixed(2)),
        rssMb: after.rssMb,
      }),
    );
  } finally {
    stopWriting.abort();
    await writing;
    agent.kill('SIGTERM');
    await ended;
  }
}

/** Appends a line to each file, `linesPerSecond` times a second, spread evenly. */
async function append(names: readonly string[], signal: AbortSignal): Promise<void> {
  const beganMs = performance.now();
  let written = 0;
  while (!signal.aborted) {
    const due = ((performance.now() - beganMs) / 1000) * linesPerSecond * names.length;
    for (; written < due; written++) {
      appendFileSync(
        names[written % names.length]!,
        `line ${written} of what an application says\n`,
      );
    }
    await sleep(5);
  }
}

function pipelineText(): string {
  return `
service: {log_level: warn, flush: 1s, storage.path: ${join(directory, 'data')}}
pipeline:
  inputs:
    - {name: tail, path: '${directory}/*.log', read_from_head: true, tag: bench}
  outputs:
    - {name: 'null', match: '*'}
`;
}

/** CPU time and memory of a process. The scheduler's own count: the one by clock ticks misjudges a
 *  process that works for a moment at every timer. */
function usage(pid: number): { cpuMs: number; rssMb: number } {
  let cpuNs = 0;
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    cpuNs += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'latin1').split(' ')[0]);
  }
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const rssKb = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0);
  return { cpuMs: cpuNs / 1e6, rssMb: Math.round(rssKb / 1024) };
}

try {
  await main();
} finally {
  rmSync(directory, { recursive: true, force: true });
}
