import { spawnSync } from 'node:child_process';

/** The version in what a program prints when it is asked. Throws when it cannot run. */
export function programVersion(command: readonly string[], env: NodeJS.ProcessEnv = {}): string {
  const done = spawnSync(command[0]!, command.slice(1), {
    encoding: 'utf8',
    env: { ...process.env, ...env },
    timeout: 30_000,
  });
  const text = `${done.stdout}${done.stderr}`;
  const version = /\d+\.\d+(?:\.\d+)*/.exec(text)?.[0];
  if (done.error !== undefined || version === undefined) {
    throw new Error(`${command[0]} cannot be run: ${done.error?.message ?? text.slice(0, 200)}`);
  }
  return version;
}
