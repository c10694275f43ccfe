import { dirname } from 'node:path';
import type { FileSystem } from './file_system.ts';
import { isMissing } from './file_system.ts';

/**
 * Replaces a file by new content so that a crash leaves the old or the new one, never a mixture:
 * a temporary file beside it is written and synced, renamed over it, and the directory synced.
 */
export async function replaceFile(
  fileSystem: FileSystem,
  path: string,
  content: readonly Uint8Array[],
): Promise<void> {
  await writeNewFile(fileSystem, temporaryPath(path), content);
  await fileSystem.rename(temporaryPath(path), path);
  await fileSystem.syncDirectory(dirname(path));
}

/** The name under which `replaceFile` prepares a file. */
export function temporaryPath(path: string): string {
  return `${path}.tmp`;
}

/** Writes and syncs a file, in place of one that an earlier attempt left behind. */
export async function writeNewFile(
  fileSystem: FileSystem,
  path: string,
  content: readonly Uint8Array[],
): Promise<void> {
  await removeIfPresent(fileSystem, path);
  const file = await fileSystem.open(path, 'create');
  try {
    await file.write(content, 0);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Reads a whole file, at most `bytesMax` of it; undefined when it does not exist. */
export async function readWholeFile(
  fileSystem: FileSystem,
  path: string,
  bytesMax: number,
): Promise<Buffer | undefined> {
  try {
    const file = await fileSystem.open(path, 'read');
    try {
      const content = Buffer.alloc(Math.min(await file.size(), bytesMax));
      return content.subarray(0, await file.read(content, 0));
    } finally {
      await file.close();
    }
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Removes a file; succeeds when it does not exist. */
export async function removeIfPresent(fileSystem: FileSystem, path: string): Promise<void> {
  try {
    await fileSystem.remove(path);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}
