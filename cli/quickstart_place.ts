import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Directory that `sluice quickstart` writes below, in the current one. */
export const quickstartDirectory = 'quickstart-data';
export const quickstartDatabaseName = 'logs.duckdb';

/** The database that the last quickstart in this directory made. */
export function quickstartDatabase(directory = quickstartDirectory): string {
  return resolve(directory, quickstartDatabaseName);
}

/** `pipelines/quickstart` of the package, from source and from dist alike. */
export function quickstartPipelineDirectory(): string {
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, 'pipelines', 'quickstart'))) {
    const parent = dirname(directory);
    if (parent === directory) break;
    directory = parent;
  }
  return join(directory, 'pipelines', 'quickstart');
}

const countryPackage = '@ip-location-db/geo-whois-asn-country-mmdb';

/** The country database, if its package is installed. */
export function countryDatabase(): string | undefined {
  try {
    const manifest = createRequire(import.meta.url).resolve(`${countryPackage}/package.json`);
    const path = join(dirname(manifest), 'geo-whois-asn-country.mmdb');
    return existsSync(path) ? path : undefined;
  } catch {
    // It is a development dependency.
    return undefined;
  }
}
