import type { JsonSchema } from './json_schema.ts';

/** Fluent Bit's keys that have nothing to do here: a file that has them runs as it is, and each is
 *  answered with a warning that says why. A key whose loss would change what is delivered
 *  (`streams_file`) is not among them: it is refused, with what to do instead. */

const dns = 'Names are resolved by the system.';
const chunksInMemory = 'Memory is bounded by `memory_limit`.';
const adaptive = 'Batches are sent by size and by the age in `flush`.';

export const ignoredServiceKeys = {
  plugins_file: ignored('Name third-party plugins under `plugins`.'),
  'hot_reload.ensure_thread_safety': ignored('A reload never stops what it does not change.'),
  'hot_reload.timeout': ignored('A reload waits for `grace` at most.'),
  'dns.mode': ignored(dns),
  'dns.resolver': ignored(dns),
  'dns.prefer_ipv4': ignored(dns),
  'dns.prefer_ipv6': ignored(dns),
  'storage.inherit': ignored('Outputs always take what `service` says of storage.'),
  'storage.max_chunks_up': ignored(chunksInMemory),
  'storage.backlog.mem_limit': ignored(chunksInMemory),
  'storage.backlog.flush_on_shutdown': ignored('The drain at the end sends the backlog, too.'),
  'storage.delete_irrecoverable_chunks': ignored('Damaged parts of a file are put aside.'),
  'storage.trim_files': ignored('Segments are deleted when they are delivered.'),
  'storage.keep.rejected': ignored('What is refused is always kept, see `dead_letter.limit`.'),
  'storage.rejected.path': ignored('Give the directory as `dead_letter.path`.'),
  'storage.rejected.limit': ignored('Give the limit as `dead_letter.limit`.'),
  'flush.adaptive': ignored(adaptive),
  'flush.adaptive.min_interval': ignored(adaptive),
  'flush.adaptive.max_interval': ignored(adaptive),
  'flush.adaptive.low_pressure': ignored(adaptive),
  'flush.adaptive.medium_pressure': ignored(adaptive),
  'flush.adaptive.high_pressure': ignored(adaptive),
  'flush.adaptive.up_steps': ignored(adaptive),
  'flush.adaptive.down_steps': ignored(adaptive),
  'json.convert_nan_to_null': ignored('JSON has no NaN: it is always written as null.'),
  'json.escape_unicode': ignored('Text is written as UTF-8.'),
  enable_chunk_trace: ignored('Counters say how many records pass between components.'),
  'windows.maxstdio': ignored('Files are not opened through the C library.'),
} as const satisfies Readonly<Record<string, JsonSchema>>;

const suppress = { log_suppress_interval: ignored('Repeated messages are always summed up.') };

export const ignoredInputKeys = {
  ...suppress,
  'storage.pause_on_chunks_overlimit': ignored('Inputs wait when an output has no room.'),
  'thread.ring_buffer.capacity': ignored('Inputs share one thread.'),
  'thread.ring_buffer.window': ignored('Inputs share one thread.'),
} as const satisfies Readonly<Record<string, JsonSchema>>;

export const ignoredFilterKeys = { ...suppress } as const;

const connections = 'Connections stay open as long as both sides like; `concurrency` limits them.';

export const ignoredOutputKeys = {
  ...suppress,
  ipv6: ignored('Both families of addresses are tried.'),
  'tls.debug': ignored('What is wrong with a certificate is always said.'),
  'net.dns.mode': ignored(dns),
  'net.dns.resolver': ignored(dns),
  'net.dns.prefer_ipv4': ignored(dns),
  'net.dns.prefer_ipv6': ignored(dns),
  'net.connect_timeout_log_error': ignored('A connection that fails is always logged.'),
  'net.io_timeout': ignored('Give the time for a request as `http.response_timeout`.'),
  'net.keepalive_max_recycle': ignored(connections),
  'net.max_worker_connections': ignored(connections),
  'net.tcp_keepalive': ignored('Idle connections are always probed.'),
  'net.tcp_keepalive_time': ignored('Idle connections are probed after a minute.'),
  'net.tcp_keepalive_interval': ignored('The system decides how often it probes again.'),
  'net.tcp_keepalive_probes': ignored('The system decides how often it probes again.'),
  'net.proxy_env_ignore': ignored('Proxies are taken from `proxy` alone.'),
} as const satisfies Readonly<Record<string, JsonSchema>>;

/** Fluent Bit's keys that would change what happens and are not built, with what to do instead. */
const refusedKeys: readonly (readonly [RegExp, string])[] = [
  [/^oauth2\./, 'Tokens are not fetched: give one as a header, from a file or a variable.'],
  [/^aws_/, 'Requests are not signed for AWS: send through a proxy that signs them.'],
  [/^upstream$/, 'Give the servers as a list under `hosts`.'],
  [/^gelf_/, 'GELF is not built: send JSON lines.'],
  [/^(?:rate_gate|rate_window)(?:\.|$)/, 'Use the `throttle` filter, or `mem_buf_limit`.'],
  [/^routable$/, 'Say with `match` of the outputs where records go.'],
  [/^(?:telemetry|telemetry\..*)$/, 'Metrics do not count by tag.'],
  [/^parser_\d+$/, 'Use the `parser` filter on the joined record instead.'],
  [/^auto_kubernetes_labels$/, 'Name the labels under `label_keys`, which bounds their number.'],
  [/^tls\.proxy\./, 'The certificate of a proxy is checked against the authorities of the system.'],
  [/^tls\.windows\./, "Give certificates as files: Windows' own store is not read."],
  [/^http\.read_idle_timeout$/, '`http.response_timeout` bounds the whole request.'],
  [/^http_server\.max_connections$/, 'Give the number as `connections_max`.'],
  [/^http_server\.idle_timeout$/, 'Give the time as `idle_timeout`.'],
  [/^http_server\.ingress_queue_/, 'What is on its way is bounded by `unfinished_bytes_max`.'],
  [/^streams_file$/, 'There is no stream processor: use filters.'],
  [/^sp\./, 'There is no stream processor: use filters.'],
  [/^security\.fips_mode$/, 'Start Node with `--force-fips` instead.'],
];

/** What to do instead of a key of Fluent Bit's that is not built. */
export function refusalOf(key: string): string | undefined {
  return refusedKeys.find(([names]) => names.test(key.toLowerCase()))?.[1];
}

function ignored(reason: string) {
  return {
    'x-ignored': reason,
    description: `Accepted for Fluent Bit files. ${reason}`,
  } as const;
}
