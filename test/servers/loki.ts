import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CacheEntry, entryDirectory, installEntry, isInstalled } from './install_cache.ts';
import { runInstallCommand } from './install_command.ts';
import { requireGo, requireLinuxX64, requireProgram } from './machine_tools.ts';
import { freePort, type Launch, startServer } from './running_server.ts';
import type { Log, ServerDescriptor, StartOptions } from './server.ts';
import { verdictOf } from './verdict.ts';

const version = '3.7.8';
const goAtLeast = [1, 26, 5] as const;
const packagePath = 'github.com/grafana/loki/v3/cmd/loki';
const readyMs = 90_000;
const buildDeadlineMs = 40 * 60_000;

export interface LokiOptions extends StartOptions {
  /** Takes the tenant from X-Scope-OrgID and refuses requests without it. */
  readonly auth?: boolean;
  /** Entries of `limits_config`, over the generous ones that tests want. */
  readonly limits?: Readonly<Record<string, unknown>>;
}

// Go ignores the replace directives of the modules one requires, so Loki's own are repeated here,
// but for its ./pkg/push: that one is served as a module, in the version its require line names.
const replacements = [
  ['github.com/Azure/azure-sdk-for-go', 'github.com/Azure/azure-sdk-for-go v68.0.0+incompatible'],
  [
    'github.com/Azure/azure-storage-blob-go',
    'github.com/MasslessParticle/azure-storage-blob-go v0.14.1-0.20240322194317-344980fda573',
  ],
  ['github.com/gocql/gocql', 'github.com/grafana/gocql v0.0.0-20200605141915-ba5dc39ece85'],
  ['github.com/grafana/regexp', 'github.com/grafana/regexp v0.0.0-20240518133315-a468a5bfb3bc'],
  [
    'github.com/hashicorp/memberlist',
    'github.com/grafana/memberlist v0.3.1-0.20251126142931-6f9f62ab6f86',
  ],
  ['github.com/influxdata/go-syslog/v3', 'github.com/leodido/go-syslog/v4 v4.3.0'],
  [
    'github.com/thanos-io/objstore',
    'github.com/grafana/objstore v0.0.0-20250728171719-b5d3b766d1b0',
  ],
] as const;

const goModText = [
  'module sluice-test-loki',
  `go ${goAtLeast.join('.')}`,
  `tool ${packagePath}`,
  `require github.com/grafana/loki/v3 v${version}`,
  ...replacements.map(([from, to]) => `replace ${from} => ${to}`),
  // The module system takes this tag for newer than the 0.x releases that followed it.
  'exclude k8s.io/client-go v8.0.0+incompatible',
  '',
].join('\n');

const linkerFlags = '-s -w';
const entry: CacheEntry = { name: 'loki', version, recipe: [goModText, linkerFlags], build };

/** Loki 3.7 as one binary with everything in it, built from its Go module. */
export const loki: ServerDescriptor<LokiOptions> = {
  name: 'loki',
  version,
  needs: ['Linux x64', `Go ${goAtLeast.join('.')}+`, 'minutes of processor time, once'],
  directory: () => entryDirectory(entry),
  installed: () => isInstalled(entry),
  install: (log) => installEntry(entry, log),
  canRun: () =>
    verdictOf(async () => {
      requireLinuxX64();
      if (await isInstalled(entry)) return;
      await requireGo(goAtLeast);
      await requireProgram('nice');
    }),
  start: async (options = {}) => {
    const home = await installEntry(entry, options.log ?? (() => undefined));
    return startServer({
      name: 'loki',
      port: options.port,
      readyMs,
      prepare: (directory, port) => prepare(home, directory, port, options),
    });
  },
};

async function build(directory: string, log: Log): Promise<void> {
  const go = await requireGo(goAtLeast);
  const source = join(directory, 'source');
  await mkdir(source);
  await writeFile(join(source, 'go.mod'), goModText);
  log('building with Go, which takes minutes the first time');
  await runInstallCommand(
    {
      what: 'building',
      // -v names every module fetched and every package compiled, one a line.
      command: [
        ...['nice', '-n', '15', go, 'build', '-v', '-trimpath', '-ldflags', linkerFlags],
        ...['-o', join(directory, 'loki'), packagePath],
      ],
      cwd: source,
      // -mod=mod lets Go complete go.mod and go.sum, in this directory of ours.
      env: {
        ...process.env,
        CGO_ENABLED: '0',
        GOFLAGS: '-mod=mod -buildvcs=false',
        GOWORK: 'off',
      },
      deadlineMs: buildDeadlineMs,
      lineNoun: 'modules and packages',
    },
    log,
  );
  await rm(source, { recursive: true });
}

async function prepare(
  home: string,
  directory: string,
  port: number,
  options: LokiOptions,
): Promise<Launch> {
  const config = join(directory, 'loki.json');
  const settings = lokiSettings(directory, port, await freePort(), options);
  // Loki reads YAML, of which JSON is a part.
  await writeFile(config, JSON.stringify(settings, null, 2), { mode: 0o600 });
  return {
    command: [join(home, 'loki'), `-config.file=${config}`],
    url: `http://127.0.0.1:${port}`,
    readyPath: '/ready',
  };
}

function lokiSettings(
  directory: string,
  port: number,
  grpcPort: number,
  options: LokiOptions,
): Record<string, unknown> {
  const data = join(directory, 'data');
  const storage = { chunks_directory: join(data, 'chunks'), rules_directory: join(data, 'rules') };
  const index = { prefix: 'index_', period: '24h' };
  return {
    auth_enabled: options.auth === true,
    server: {
      http_listen_address: '127.0.0.1',
      http_listen_port: port,
      grpc_listen_address: '127.0.0.1',
      grpc_listen_port: grpcPort,
      log_level: 'warn',
    },
    common: {
      instance_addr: '127.0.0.1',
      path_prefix: data,
      storage: { filesystem: storage },
      replication_factor: 1,
      ring: { kvstore: { store: 'inmemory' } },
    },
    schema_config: {
      configs: [
        { from: '2020-10-24', store: 'tsdb', object_store: 'filesystem', schema: 'v13', index },
      ],
    },
    limits_config: {
      max_entries_limit_per_query: 100_000,
      allow_structured_metadata: true,
      volume_enabled: true,
      reject_old_samples: false,
      ingestion_rate_mb: 64,
      ingestion_burst_size_mb: 64,
      ...options.limits,
    },
    analytics: { reporting_enabled: false },
    pattern_ingester: { enabled: false },
    // By default a new ingester waits 15 s before it is ready, and 30 s before it ends.
    ingester: {
      lifecycler: { min_ready_duration: '0s', final_sleep: '0s' },
      wal: { flush_on_shutdown: true },
    },
    // Queries find their workers by a look-up every 10 s by default.
    frontend: { scheduler_dns_lookup_period: '500ms' },
    frontend_worker: { dns_lookup_duration: '500ms' },
    // A cached answer would hide what a test has just sent.
    query_range: { cache_results: false },
  };
}
