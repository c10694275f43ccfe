import { existsSync, readFileSync } from 'node:fs';
import { getAsset, isSea } from 'node:sea';

/** Reads a file that the build puts beside the code: from the disk, or from inside the single
 *  executable. `beside` is the module's own URL, `name` is relative to it; folders of the name do
 *  not count inside the executable. Undefined when there is none. */
export function readDataFile(name: string, beside: string): Buffer | undefined {
  if (isSea()) return assetNamed(name.slice(name.lastIndexOf('/') + 1));
  const path = new URL(name, beside);
  return existsSync(path) ? readFileSync(path) : undefined;
}

/** A file inside the single executable; undefined elsewhere or when it has no such file. */
export function assetNamed(name: string): Buffer | undefined {
  if (!isSea()) return undefined;
  try {
    return Buffer.from(getAsset(name));
  } catch {
    // Node throws for a name that is not there.
    return undefined;
  }
}
