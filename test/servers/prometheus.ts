import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { requireDebianTools, unpackDebianPackages } from './debian_package.ts';
import { type CacheEntry, entryDirectory, installEntry, isInstalled } from './install_cache.ts';
import { requireLinuxX64 } from './machine_tools.ts';
import { startServer } from './running_server.ts';
import type { ServerDescriptor, StartOptions } from './server.ts';
import { verdictOf } from './verdict.ts';

const packages = ['prometheus'] as const;
const entry: CacheEntry = {
  name: 'prometheus',
  version: 'debian',
  recipe: packages,
  build: (directory, log) => unpackDebianPackages(packages, directory, log),
};

export interface PrometheusOptions extends StartOptions {
  /** Ports on 127.0.0.1 that it scrapes at /metrics, four times a second. */
  readonly scrapes?: readonly number[];
}

/** Prometheus itself: it scrapes what our exporter shows, and takes what is written to it. Its
 *  package has promtool beside it. */
export const prometheus: ServerDescriptor<PrometheusOptions> = {
  name: 'prometheus',
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
  start: async (options = {}) => {
    const home = await installEntry(entry, options.log ?? (() => undefined));
    return startServer({
      name: 'prometheus',
      port: options.port,
      readyMs: 60_000,
      prepare: async (directory, port) => {
        const config = join(directory, 'prometheus.json');
        const targets = (options.scrapes ?? []).map((one) => `127.0.0.1:${one}`);
        // Prometheus reads YAML, of which JSON is a part.
        await writeFile(
          config,
          JSON.stringify({
            global: { scrape_interval: '250ms', scrape_timeout: '250ms' },
            scrape_configs: [{ job_name: 'sluice', static_configs: [{ targets }] }],
          }),
        );
        return {
          command: [
            join(home, 'usr/bin/prometheus'),
            `--config.file=${config}`,
            `--storage.tsdb.path=${join(directory, 'data')}`,
            `--web.listen-address=127.0.0.1:${port}`,
            '--web.enable-remote-write-receiver',
          ],
          url: `http://127.0.0.1:${port}`,
          readyPath: '/-/ready',
        };
      },
    });
  },
};
