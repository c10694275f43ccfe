import { type ChildProcess, fork } from 'node:child_process';
import { isSea } from 'node:sea';
import { fileURLToPath } from 'node:url';

/** What a helper process runs: it calls `serveRequests`. */
export interface HelperProgram {
  /** In `cli/helper.ts`, by which the single executable finds it inside itself. */
  readonly name: string;
  readonly module: URL;
}

/** The command by which the single executable is its own helper: it has no modules beside it. */
export const helperCommand = 'helper';

/** Starts a process of the program. `threads` is how many calls it makes at a time. */
export function startHelper({ name, module }: HelperProgram, threads: number): ChildProcess {
  const options = {
    execArgv: [],
    env: { ...process.env, UV_THREADPOOL_SIZE: String(Math.min(threads, 256)) },
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'] as ('ignore' | 'ipc')[],
    // One text a row at most passes; JSON keeps it small.
    serialization: 'json' as const,
  };
  // What stands for the module is the executable's own first argument.
  if (isSea()) return fork(helperCommand, [name], options);
  return fork(fileURLToPath(module), [], options);
}
