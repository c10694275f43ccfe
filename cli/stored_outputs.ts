import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { storageDefault } from './storage_default.ts';

/** Directory of all dead letters below an agent's `storage.path`. */
export function deadLettersUnder(storagePath: string | undefined): string {
  return join(resolve(storagePath ?? storageDefault), 'dead_letters');
}

/** Names of the outputs that have a directory there; see `pathSegment` of core/topology. */
export function outputsIn(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => decoded(entry.name))
    .filter((name) => name !== undefined)
    .sort();
}

function decoded(name: string): string | undefined {
  try {
    return decodeURIComponent(name);
  } catch {
    // No directory that an agent made.
    return undefined;
  }
}
