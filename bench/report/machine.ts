import { spawnSync } from 'node:child_process';
import { cpus, loadavg, totalmem } from 'node:os';
import { projectRoot } from '../../scripts/project_root.ts';

/** The machine that figures were measured on. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly node: string;
}

export function thisMachine(): Machine {
  return {
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 1e9),
    node: process.versions.node,
  };
}

/** When figures were measured, of which commit, and how many others wanted the cores as it began. */
export function measuredWhen(): string {
  const git = spawnSync('git', ['rev-parse', '--short', 'HEAD'], {
    cwd: projectRoot(),
    encoding: 'utf8',
  });
  const commit = git.status === 0 ? `, commit ${git.stdout.trim()}` : '';
  const load = loadavg()[0]!;
  const others = load < 1.5 ? 'a quiet machine' : `a busy machine (load ${load.toFixed(0)})`;
  return `${new Date().toISOString().slice(0, 10)}${commit}, ${others}`;
}
