import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { projectRoot } from '../../scripts/project_root.ts';
import { MeasuredProcess } from '../measure/measured_process.ts';
import type { PipelineFacts } from '../scenarios/scenario.ts';
import type { SinkProcess } from '../sink/sink_process.ts';

/** Sluice while something goes on around it. */
export interface LiveRun {
  readonly agent: MeasuredProcess;
  /** Files that the pipeline's inputs are. */
  readonly paths: readonly string[];
}

/** Starts Sluice on empty files, lets `work` do what it likes, and cleans up. */
export async function withLiveAgent<Result>(
  setup: {
    readonly sink: SinkProcess;
    readonly files: number;
    /** What the files begin with. */
    readonly content?: string;
    readonly pipeline: (facts: PipelineFacts) => string;
  },
  work: (run: LiveRun) => Promise<Result>,
): Promise<Result> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-bench-live-'));
  try {
    const names = Array.from({ length: setup.files }, (_, i) => `input-${i}.log`);
    const paths = names.map((name) => join(directory, name));
    for (const path of paths) await writeFile(path, setup.content ?? '');
    const inputs = [join(directory, 'input-*.log')];
    const pipeline = join(directory, 'pipeline.yaml');
    await writeFile(pipeline, setup.pipeline({ inputs, port: setup.sink.port, directory }));
    const agent = await MeasuredProcess.start({
      command: [
        process.execPath,
        join(projectRoot(), 'dist', 'bundle', 'sluice.js'),
        'run',
        pipeline,
      ],
      cwd: directory,
      logPath: join(directory, 'agent.log'),
    });
    try {
      return await work({ agent, paths });
    } finally {
      await agent.stop();
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Waits until the sink has all that was planned, or for `seconds`. */
export async function untilAllArrived(sink: SinkProcess, seconds: number): Promise<void> {
  const deadlineMs = Date.now() + seconds * 1000;
  while (Date.now() < deadlineMs) {
    const { arrived, expected } = await sink.progress();
    if (arrived >= expected) return;
    await wait(100);
  }
}

/** The share of one core that an agent uses from now on. */
export function coreShare(agent: MeasuredProcess): () => number {
  const startMs = performance.now();
  const before = agent.usage().cpuSeconds;
  return () => (agent.usage().cpuSeconds - before) / ((performance.now() - startMs) / 1000);
}
