import { mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/** Creates a directory and its parents, with this mode; succeeds when it is there. Node's own
 *  recursive way never ends where a file system has no room for names, as `/proc` has not.
 *  Rejects with the system's error, ENOTDIR when a file stands in the way. */
export async function makeDirectories(path: string, mode: number): Promise<void> {
  const whole = resolve(path);
  if (await isDirectory(whole)) return;
  const parent = dirname(whole);
  if (parent !== whole) await makeDirectories(parent, mode);
  try {
    await mkdir(whole, { mode });
  } catch (error) {
    // Another process may have been faster.
    if (codeOf(error) !== 'EEXIST' || !(await isDirectory(whole))) throw error;
  }
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    if ((await stat(path)).isDirectory()) return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
  throw Object.assign(new Error(`${path} is a file, not a directory`), { code: 'ENOTDIR' });
}

function codeOf(error: unknown): unknown {
  return (error as NodeJS.ErrnoException).code;
}
