import { realpathSync } from 'node:fs';

/** The words that start this very program again: node and the script, or the executable alone. */
export function programWords(): string[] {
  const script = process.argv[1];
  if (script === undefined || script === process.execPath) return [process.execPath];
  try {
    return [process.execPath, realpathSync(script)];
  } catch {
    // A single executable's first argument is a name, not a file.
    return [process.execPath];
  }
}
