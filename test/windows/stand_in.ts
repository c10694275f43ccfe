import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../scripts/project_root.ts';
import type { CacheEntry } from '../servers/install_cache.ts';
import { runInstallCommand } from '../servers/install_command.ts';

const source = join(projectRoot(), 'test', 'windows', 'wevtapi.c');
const flags = ['-O2', '-Wall', '-Wextra', '-Werror', '-shared', '-static'];

/** The stand-in for the Event Log's library, which Wine lacks. Compiled against the headers that
 *  the real one is compiled with: a wrong prototype is an error. */
export const standInEntry: CacheEntry = {
  name: 'wevtapi-stand-in',
  version: '1',
  recipe: [readFileSync(source, 'utf8'), ...flags],
  build: (directory, log) =>
    runInstallCommand(
      {
        what: 'compiling the stand-in for the Event Log',
        command: ['x86_64-w64-mingw32-gcc', ...flags, '-o', 'wevtapi.dll', source],
        cwd: directory,
        deadlineMs: 60_000,
      },
      log,
    ),
};
