import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { getAsset } from 'node:sea';

/** Loads an add-on that the single executable carries. Windows loads libraries from files only, so
 *  it is written, once for its content, below the user's own directory for data; a file of its name
 *  beside the executable is taken instead. */
export function loadAddon(name: string): unknown {
  const load = createRequire(process.execPath);
  const beside = join(dirname(process.execPath), name);
  if (existsSync(beside)) return load(beside);
  const bytes = Buffer.from(getAsset(name));
  const print = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
  const base = process.env['LOCALAPPDATA'] ?? tmpdir();
  const directory = join(base, 'sluice', print);
  const path = join(directory, name);
  if (!isThere(path, bytes)) {
    mkdirSync(directory, { recursive: true });
    const written = `${path}.${process.pid}`;
    writeFileSync(written, bytes);
    renameSync(written, path);
  }
  return load(path);
}

/** What stands there is loaded as code: it must be the very bytes. */
function isThere(path: string, bytes: Buffer): boolean {
  try {
    return readFileSync(path).equals(bytes);
  } catch {
    return false;
  }
}
