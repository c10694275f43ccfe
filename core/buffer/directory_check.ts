import { randomBytes } from 'node:crypto';
import { mkdir, open, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { errorCodeOf, isMissing } from './file_system.ts';
import { storageFailed } from './storage_error.ts';

/** Looks whether files can be made in a directory, which need not be there yet. What it makes to
 *  find out it takes away again. A full disk is no obstacle: agents start on one, to drain.
 *  Errors: SLUICE_STORAGE_FAILED. */
export async function checkDirectory(path: string): Promise<void> {
  try {
    const { missing, present } = await firstMissing(resolve(path));
    if (missing === undefined) await tryFile(present);
    else {
      await mkdir(missing, { mode: 0o700 });
      await rmdir(missing);
    }
  } catch (error) {
    const code = errorCodeOf(error);
    if (code !== 'ENOSPC' && code !== 'EDQUOT') throw storageFailed(`write to ${path}`, error);
  }
}

/** The uppermost directory on the way to `path` that is not there, and the one that it would be in. */
async function firstMissing(
  path: string,
): Promise<{ readonly missing: string | undefined; readonly present: string }> {
  try {
    if ((await stat(path)).isDirectory()) return { missing: undefined, present: path };
  } catch (error) {
    if (!isMissing(error)) throw error;
    const above = await firstMissing(dirname(path));
    return { missing: above.missing ?? path, present: above.present };
  }
  throw Object.assign(new Error(`${path} is a file, not a directory`), { code: 'ENOTDIR' });
}

async function tryFile(directory: string): Promise<void> {
  const path = join(directory, `.check-${randomBytes(6).toString('hex')}`);
  const file = await open(path, 'wx', 0o600);
  await file.close();
  await rm(path, { force: true });
}
