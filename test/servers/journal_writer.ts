import { execFile } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { requireDebianTools, unpackDebianPackages } from './debian_package.ts';
import { type CacheEntry, installEntry, isInstalled } from './install_cache.ts';
import { requireLinuxX64, requireProgram } from './machine_tools.ts';
import type { Verdict } from './server.ts';
import { verdictOf } from './verdict.ts';

const packages = ['systemd-journal-remote', 'libmicrohttpd12'] as const;
const entry: CacheEntry = {
  name: 'journal-remote',
  version: 'debian',
  recipe: packages,
  build: (directory, log) => unpackDebianPackages(packages, directory, log),
};

/** Whether journal files can be written and read here. */
export function canWriteJournals(): Promise<Verdict> {
  return verdictOf(async () => {
    requireLinuxX64();
    await requireProgram('journalctl');
    if (!(await isInstalled(entry))) await requireDebianTools();
  });
}

/** Adds entries, in the export format, to a journal file with systemd's own program. */
export async function writeJournal(file: string, entries: Buffer): Promise<void> {
  const home = await installEntry(entry, () => undefined);
  const input = `${file}.export`;
  await writeFile(input, entries);
  await promisify(execFile)(
    join(home, 'lib/systemd/systemd-journal-remote'),
    [`--output=${file}`, '--split-mode=none', input],
    { env: { ...process.env, LD_LIBRARY_PATH: join(home, 'usr/lib/x86_64-linux-gnu') } },
  );
  await rm(input);
}
