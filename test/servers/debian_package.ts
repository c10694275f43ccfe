import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { runInstallCommand } from './install_command.ts';
import { requireProgram } from './machine_tools.ts';
import type { Log } from './server.ts';

const deadlineMs = 5 * 60_000;

/** Throws MissingTool unless Debian packages can be fetched and unpacked here. */
export async function requireDebianTools(): Promise<void> {
  await requireProgram('apt-get');
  await requireProgram('dpkg-deb');
}

/** Unpacks Debian packages, of the version that this machine's release has, into `directory`. Nothing
 *  is installed into the system, and none of their scripts is run. */
export async function unpackDebianPackages(
  names: readonly string[],
  directory: string,
  log: Log,
): Promise<void> {
  const archives = join(directory, 'archives');
  await mkdir(archives);
  const step = (what: string, command: readonly string[]): Promise<void> =>
    runInstallCommand({ what, command, cwd: archives, deadlineMs }, log);
  const download = (): Promise<void> =>
    step('downloading', ['apt-get', '--quiet', 'download', ...names]);
  try {
    await download();
  } catch {
    // A new machine knows of no packages, and an old list names files that are gone.
    await step('updating the list of packages', ['apt-get', '--quiet', 'update']);
    await download();
  }
  for (const file of await readdir(archives)) {
    await step('unpacking', ['dpkg-deb', '--extract', join(archives, file), directory]);
  }
  await rm(archives, { recursive: true });
}
