import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { debianServer } from './debian_server.ts';
import type { StartOptions } from './server.ts';

export interface PrometheusOptions extends StartOptions {
  /** Ports on 127.0.0.1 that it scrapes at /metrics, four times a second. */
  readonly scrapes?: readonly number[];
}

/** Prometheus itself: it scrapes what our exporter shows, and takes what is written to it. Its
 *  package has promtool beside it. */
export const prometheus = debianServer<PrometheusOptions>({
  name: 'prometheus',
  entryName: 'prometheus',
  packages: ['prometheus'],
  readyMs: 60_000,
  command: (home, options) => async (directory, port) => {
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
