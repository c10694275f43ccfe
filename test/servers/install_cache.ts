import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { access, chmod, lstat, mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { withInstallLock } from './install_lock.ts';
import type { Log } from './server.ts';

/** What is installed, and from which recipe: any change of the recipe is another directory. */
export interface CacheEntry {
  readonly name: string;
  readonly version: string;
  /** Every text that the result depends on. */
  readonly recipe: readonly string[];
  /** Fills `directory`, which is moved into place when this has returned. */
  readonly build: (directory: string, log: Log) => Promise<void>;
}

/** The directory that an entry has once it is installed. */
export async function entryDirectory(entry: CacheEntry): Promise<string> {
  const hash = createHash('sha256')
    .update(JSON.stringify([entry.version, entry.recipe]))
    .digest('hex')
    .slice(0, 10);
  return join(await cacheBase(), `${entry.name}-${entry.version}-${hash}`);
}

export async function isInstalled(entry: CacheEntry): Promise<boolean> {
  return exists(await entryDirectory(entry));
}

/** Installs an entry unless it is there, once for all processes, and returns its directory. */
export async function installEntry(entry: CacheEntry, log: Log): Promise<string> {
  const directory = await entryDirectory(entry);
  if (await exists(directory)) return directory;
  await makeBase(dirname(directory));
  await withInstallLock(`${directory}.lock`, log, async () => {
    if (await exists(directory)) return;
    await removeAbandoned(directory);
    const staging = await mkdtemp(`${directory}.staging-`);
    await chmod(staging, 0o755);
    try {
      await entry.build(staging, log);
      await rename(staging, directory);
    } catch (error) {
      await rm(staging, { recursive: true, force: true });
      throw error;
    }
  });
  return directory;
}

/** Makes a fresh directory for one run of a server, which user nobody can reach if root runs it. */
export async function makeRunDirectory(name: string): Promise<string> {
  const base = isRoot() && !(await reachableByAnyone(tmpdir())) ? '/var/tmp' : tmpdir();
  return mkdtemp(join(base, `sluice-${name}-`));
}

export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** Whether a user with no rights of its own could walk to `path`.
 *  What does not exist yet counts as reachable: this code would make it so. */
export async function reachableByAnyone(path: string): Promise<boolean> {
  for (let current = resolve(path); ; current = dirname(current)) {
    const found = await stat(current).catch(() => undefined);
    if (found !== undefined && (found.mode & 0o001) === 0) return false;
    if (current === dirname(current)) return true;
  }
}

/** Root's servers may run as user nobody, who cannot enter most homes of root. A cache named by
 *  the person who runs the tests is taken as it is. */
async function cacheBase(): Promise<string> {
  const named = process.env['SLUICE_TEST_CACHE'];
  if (named) return join(resolve(named), 'sluice-test-servers');
  const usual = join(
    process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'),
    'sluice-test-servers',
  );
  if (isRoot() && !(await reachableByAnyone(usual))) return '/var/tmp/sluice-test-servers';
  return usual;
}

async function makeBase(base: string): Promise<void> {
  const made = await mkdir(base, { recursive: true, mode: 0o755 });
  // Whatever the umask: user nobody must be able to come in.
  for (let path = base; made !== undefined && path.startsWith(made); path = dirname(path)) {
    await chmod(path, 0o755);
  }
  // Programs are run from here, and /var/tmp is open to all: nobody else may have made it.
  const found = await lstat(base);
  if (!found.isDirectory() || found.uid !== process.getuid?.() || (found.mode & 0o022) !== 0) {
    throw new Error(
      `The cache ${base} must be a directory that only its owner, this user, can write to; ` +
        'remove it or set SLUICE_TEST_CACHE.',
    );
  }
}

/** Removes what installations that were killed left behind; called under the lock only. */
async function removeAbandoned(directory: string): Promise<void> {
  const prefix = `${directory}.staging-`;
  for (const name of await readdir(dirname(directory))) {
    const path = join(dirname(directory), name);
    if (path.startsWith(prefix)) await rm(path, { recursive: true, force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path, constants.F_OK).then(
    () => true,
    () => false,
  );
}
