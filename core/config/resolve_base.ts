import { join } from 'node:path';
import type { Infer } from './infer.ts';
import type {
  filterProperties,
  inputProperties,
  outputProperties,
  parserProperties,
} from './base_options.ts';
import type {
  InputBase,
  OutputBase,
  RoutingBase,
  ServiceConfig,
  ServiceOptions,
  TlsOptions,
} from './resolved.ts';

type OptionsOf<P> = Partial<Infer<{ readonly type: 'object'; readonly properties: P }>>;

/** Base options as their schemas give them. A plugin that has an option of the same name takes it over, so
 *  every one of them may be absent. */
export type InputOptions = OptionsOf<typeof inputProperties>;
export type FilterOptions = OptionsOf<typeof filterProperties>;
export type OutputOptions = OptionsOf<typeof outputProperties>;
export type ParserOptions = OptionsOf<typeof parserProperties>;

/** Gives the service options the names that the engine uses. */
export function resolveService(options: ServiceOptions): ServiceConfig {
  const storagePath = options['storage.path'];
  return {
    flushMs: options.flush,
    graceMs: options.grace,
    logLevel: options.log_level,
    logFile: options.log_file,
    logFormat: options.log_format,
    httpServer: options.http_server,
    httpListen: options.http_listen,
    httpPort: options.http_port,
    httpToken: options.http_token,
    storagePath,
    storageType: options['storage.type'],
    storageDurability: options['storage.durability'] ?? durabilityOf(options['storage.sync']),
    storageTotalLimitBytes: options['storage.total_limit_size'],
    storageWhenFull: options['storage.when_full'],
    memoryLimitBytes: options.memory_limit,
    workers: options.workers,
    deadLetterPath: options['dead_letter.path'] ?? join(storagePath, 'dead_letters'),
    deadLetterLimitBytes: options['dead_letter.limit'],
    deadLetterWhenFull: options['dead_letter.when_full'],
    eventBytesMax: options.event_max_bytes,
    hotReload: options.hot_reload,
    schedulerBaseMs: options['scheduler.base'],
    schedulerCapMs: options['scheduler.cap'],
    oldestUnacknowledgedMs: options['health.oldest_unacknowledged'],
    healthCheck: options.health_check,
    healthErrorsMax: options.hc_errors_count,
    healthRetryFailuresMax: options.hc_retry_failure_count,
    healthPeriodMs: options.hc_period,
    multilineBufferLimitBytes: options.multiline_buffer_limit,
  };
}

function durabilityOf(sync: 'full' | 'normal' | undefined): 'fsync' | 'os' {
  return sync === 'normal' ? 'os' : 'fsync';
}

/** Base of an input; `defaultTag` is its `NAME.INDEX`. */
export function resolveInputBase(options: InputOptions, defaultTag: string): InputBase {
  return {
    tag: options.tag ?? defaultTag,
    memBufLimitBytes: options.mem_buf_limit ?? 0,
    logLevel: options.log_level,
  };
}

export function resolveRouting(options: FilterOptions): RoutingBase {
  return {
    match: options.match ?? '*',
    matchRegex: options.match_regex,
    when: options.when,
    logLevel: options.log_level,
  };
}

/** Base of an output; what it does not say, the service says. */
export function resolveOutputBase(options: OutputOptions, service: ServiceConfig): OutputBase {
  const { retry, batch } = options;
  const initialMs = retry?.backoff?.initial ?? service.schedulerBaseMs;
  const maxMs = retry?.backoff?.max ?? service.schedulerCapMs;
  return {
    ...resolveRouting(options),
    retry: {
      maxAttempts: retry?.max_attempts ?? options.retry_limit ?? Number.POSITIVE_INFINITY,
      initialMs: Math.min(initialMs, maxMs),
      maxMs,
    },
    concurrency: options.concurrency ?? Math.max(1, options.workers ?? 1),
    flushMs: options.flush ?? service.flushMs,
    batch: { recordsMax: batch?.records, bytesMax: batch?.bytes },
    storage: {
      type: options['storage.type'] ?? service.storageType,
      path: options['storage.path'] ?? service.storagePath,
      totalLimitBytes: options['storage.total_limit_size'] ?? service.storageTotalLimitBytes,
      durability: options['storage.durability'] ?? service.storageDurability,
      whenFull: options['storage.when_full'] ?? service.storageWhenFull,
    },
    deadLetter: {
      limitBytes: options['dead_letter.limit'] ?? service.deadLetterLimitBytes,
      whenFull: options['dead_letter.when_full'] ?? service.deadLetterWhenFull,
    },
    tls: resolveTls(options),
  };
}

function resolveTls(options: OutputOptions): TlsOptions {
  return {
    enabled: options.tls ?? false,
    verify: options['tls.verify'] ?? true,
    verifyHostname: options['tls.verify_hostname'] ?? true,
    caFile: options['tls.ca_file'],
    caPath: options['tls.ca_path'],
    crtFile: options['tls.crt_file'],
    keyFile: options['tls.key_file'],
    keyPasswd: options['tls.key_passwd'],
    vhost: options['tls.vhost'],
    minVersion: options['tls.min_version'],
    maxVersion: options['tls.max_version'],
    ciphers: options['tls.ciphers'],
  };
}
