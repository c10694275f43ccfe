import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../scripts/project_root.ts';
import type { CacheEntry } from '../servers/install_cache.ts';
import { runInstallCommand } from '../servers/install_command.ts';

const flags = ['-O2', '-Wall', '-Wextra', '-Werror', '-shared', '-static'];

/** Stands in for the library that reads the Event Log, which Wine lacks. */
export const standInEntry = standIn('wevtapi');

/** Stands in for the functions that write the Event Log: Wine's keep nothing and never fail. */
export const reportStandInEntry = standIn('report_event');

/** A library of our own, `NAME.dll` out of `NAME.c`. Compiled against the headers that the real one is
 *  compiled with: a wrong prototype is an error. */
function standIn(name: string): CacheEntry {
  const source = join(projectRoot(), 'test', 'windows', `${name}.c`);
  return {
    name: `${name}-stand-in`,
    version: '1',
    recipe: [readFileSync(source, 'utf8'), ...flags],
    build: (directory, log) =>
      runInstallCommand(
        {
          what: `compiling the stand-in ${name}`,
          command: ['x86_64-w64-mingw32-gcc', ...flags, '-o', `${name}.dll`, source],
          cwd: directory,
          deadlineMs: 60_000,
        },
        log,
      ),
  };
}
