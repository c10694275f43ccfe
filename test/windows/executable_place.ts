import { execFile } from 'node:child_process';
import { copyFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { workplace } from '../cli/run_cli.ts';

const made = join(process.cwd(), 'sluice.exe');
export const skip =
  (process.platform !== 'win32' && 'runs in Node for Windows: npm run test:windows') ||
  (!existsSync(made) && 'no executable was made: its Node would not run in this Wine');

/** Runs a copy in a place with nothing else. */
export function place(t: TestContext, files: Readonly<Record<string, string>>) {
  const directory = workplace(t, files);
  const executable = join(directory, 'sluice.exe');
  copyFileSync(made, executable);
  const run = (...args: string[]) =>
    new Promise<{ code: number | string; out: string; err: string }>((resolve) => {
      const options = { cwd: directory, timeout: 60_000 };
      execFile(executable, args, options, (error, out, err) =>
        resolve({ code: error === null ? 0 : (error.code ?? 'signal'), out, err }),
      );
    });
  return { directory, executable, run };
}
