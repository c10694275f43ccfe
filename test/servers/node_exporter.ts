import { join } from 'node:path';
import { requireDebianTools, unpackDebianPackages } from './debian_package.ts';
import { type CacheEntry, entryDirectory, installEntry, isInstalled } from './install_cache.ts';
import { requireLinuxX64 } from './machine_tools.ts';
import { startServer } from './running_server.ts';
import type { ServerDescriptor } from './server.ts';
import { verdictOf } from './verdict.ts';

const packages = ['prometheus-node-exporter'] as const;
const entry: CacheEntry = {
  name: 'node-exporter',
  version: 'debian',
  recipe: packages,
  build: (directory, log) => unpackDebianPackages(packages, directory, log),
};

/** Prometheus' node_exporter, whose metrics host_metrics is held against. */
export const nodeExporter: ServerDescriptor = {
  name: 'nodeExporter',
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
      name: 'node-exporter',
      port: options.port,
      readyMs: 30_000,
      prepare: async (_directory, port) => ({
        command: [
          join(home, 'usr/bin/prometheus-node-exporter'),
          `--web.listen-address=127.0.0.1:${port}`,
          '--no-collector.systemd',
          '--collector.processes',
          // The project's own defaults, where Debian's differ.
          '--collector.netdev.device-exclude=^$',
          '--collector.diskstats.device-exclude=^(z?ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\\d+n\\d+p)\\d+$',
          '--collector.filesystem.mount-points-exclude=^/(dev|proc|run/credentials/.+|sys|var/lib/docker/.+|var/lib/containers/storage/.+)($|/)',
        ],
        url: `http://127.0.0.1:${port}`,
        readyPath: '/',
      }),
    });
  },
};
