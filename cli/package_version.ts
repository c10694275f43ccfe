import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { assetNamed } from '../core/program/data_file.ts';

/** The version in package.json, from source and from dist alike. */
export function packageVersion(): string {
  const own = assetNamed('package.json');
  if (own !== undefined) return versionIn(own.toString());
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, 'package.json'))) directory = dirname(directory);
  return versionIn(readFileSync(join(directory, 'package.json'), 'utf8'));
}

function versionIn(manifest: string): string {
  // Ours: it has a version.
  return (JSON.parse(manifest) as { version: string }).version;
}
