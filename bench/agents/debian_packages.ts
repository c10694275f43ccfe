import { readFileSync } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type CacheEntry, installEntry, isRoot } from '../../test/servers/install_cache.ts';
import { runInstallCommand } from '../../test/servers/install_command.ts';
import { requireProgram } from '../../test/servers/machine_tools.ts';
import type { Log } from '../../test/servers/server.ts';

/** Unpacks Debian packages into the cache, without installing them, and gives the directory that
 *  stands for `/`. `packages` names the program's and all libraries that a small Debian lacks.
 *  Throws where `apt-get` cannot download them. */
export async function unpackDebian(
  name: string,
  packages: readonly string[],
  log: Log,
): Promise<string> {
  await requireProgram('apt-get');
  await requireProgram('dpkg');
  const entry: CacheEntry = {
    name: `bench-${name}`,
    version: releaseName(),
    recipe: packages,
    build: (directory) => build(directory, packages, log),
  };
  return join(await installEntry(entry, log), 'root');
}

/** Where the loader finds the libraries of unpacked packages. */
export function libraryPath(root: string, further: readonly string[] = []): string {
  const places = ['usr/lib/x86_64-linux-gnu', 'lib/x86_64-linux-gnu', 'usr/lib', ...further];
  return places.map((place) => join(root, place)).join(':');
}

async function build(directory: string, packages: readonly string[], log: Log): Promise<void> {
  const step = { what: 'downloading packages', cwd: directory, deadlineMs: 300_000 };
  const download = ['apt-get', 'download', ...packages];
  try {
    await runInstallCommand({ ...step, command: download }, log);
  } catch (error) {
    // A fresh machine has no lists; only root may fetch them.
    if (!isRoot()) throw error;
    await runInstallCommand({ ...step, command: ['apt-get', 'update'] }, log);
    await runInstallCommand({ ...step, command: download }, log);
  }
  await mkdir(join(directory, 'root'));
  for (const file of await readdir(directory)) {
    if (!file.endsWith('.deb')) continue;
    const command = ['dpkg', '-x', file, 'root'];
    await runInstallCommand({ ...step, what: `unpacking ${file}`, command }, log);
    await rm(join(directory, file));
  }
}

function releaseName(): string {
  const text = readFileSync('/etc/os-release', 'utf8');
  return /^VERSION_CODENAME="?(\w+)/m.exec(text)?.[1] ?? 'unknown';
}
