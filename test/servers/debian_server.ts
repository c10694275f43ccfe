import { requireDebianTools, unpackDebianPackages } from './debian_package.ts';
import { type CacheEntry, entryDirectory, installEntry, isInstalled } from './install_cache.ts';
import { requireLinuxX64 } from './machine_tools.ts';
import { startServer } from './running_server.ts';
import type { ServerDescriptor, StartOptions } from './server.ts';
import { verdictOf } from './verdict.ts';

type Prepare = Parameters<typeof startServer>[0]['prepare'];

export interface DebianServer<Options extends StartOptions> {
  readonly name: string;
  /** Directory in the cache. */
  readonly entryName: string;
  readonly packages: readonly string[];
  readonly readyMs: number;
  /** How to start it; `home` is where the packages were unpacked. */
  command(home: string, options: Partial<Options>): Prepare;
}

/** A server out of Debian packages, unpacked into the cache. */
export function debianServer<Options extends StartOptions>(
  server: DebianServer<Options>,
): ServerDescriptor<Options> {
  const { name, entryName, packages, readyMs } = server;
  const entry: CacheEntry = {
    name: entryName,
    version: 'debian',
    recipe: packages,
    build: (directory, log) => unpackDebianPackages(packages, directory, log),
  };
  return {
    name,
    version: 'debian',
    needs: ['Debian on x64'],
    directory: () => entryDirectory(entry),
    installed: () => isInstalled(entry),
    install: (log) => installEntry(entry, log),
    canRun: () =>
      verdictOf(async () => {
        requireLinuxX64();
        if (!(await isInstalled(entry))) await requireDebianTools();
      }),
    start: async (options) => {
      const given: Partial<Options> = options ?? {};
      const home = await installEntry(entry, given.log ?? (() => undefined));
      const prepare = server.command(home, given);
      return startServer({ name: entryName, port: given.port, readyMs, prepare });
    },
  };
}
