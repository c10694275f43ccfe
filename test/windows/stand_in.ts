import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../scripts/project_root.ts';
import type { CacheEntry } from '../servers/install_cache.ts';
import { runInstallCommand } from '../servers/install_command.ts';

const flags = ['-O2', '-Wall', '-Wextra', '-Werror', '-shared', '-static'];

/** A library of Windows that Wine lacks, in C of our own. Compiled against the headers that the real
 *  one is compiled with: a wrong prototype is an error. */
export interface StandIn {
  /** Beside the tests, where they load it from. */
  readonly file: string;
  readonly entry: CacheEntry;
}

export function standIns(): readonly StandIn[] {
  return [
    standIn('wevtapi', 'wevtapi.dll'),
    standIn('pdh', 'stand_in_pdh.dll'),
    standIn('report_event', 'report_event.dll'),
  ];
}

function standIn(name: string, file: string): StandIn {
  const source = join(projectRoot(), 'test', 'windows', `${name}.c`);
  const entry: CacheEntry = {
    name: `${name}-stand-in`,
    version: '1',
    recipe: [readFileSync(source, 'utf8'), ...flags],
    build: (directory, log) =>
      runInstallCommand(
        {
          what: `compiling the stand-in for ${name}`,
          command: ['x86_64-w64-mingw32-gcc', ...flags, '-o', file, source],
          cwd: directory,
          deadlineMs: 60_000,
        },
        log,
      ),
  };
  return { file, entry };
}
