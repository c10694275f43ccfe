import { join } from 'node:path';
import { debianServer } from './debian_server.ts';

/** Prometheus' node_exporter, whose metrics host_metrics is held against. */
export const nodeExporter = debianServer({
  name: 'nodeExporter',
  entryName: 'node-exporter',
  packages: ['prometheus-node-exporter'],
  readyMs: 30_000,
  command: (home) => async (_directory, port) => ({
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
