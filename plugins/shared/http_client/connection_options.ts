/** Options that every output over HTTP has, with Fluent Bit's names. Spread into the plugin's
 *  `properties`. */
export const connectionProperties = {
  http_user: {
    type: 'string',
    description: 'User name for basic authentication.',
  },
  http_passwd: {
    type: 'string',
    'x-type': 'secret',
    description: 'Password of `http_user`.',
  },
  proxy: {
    type: 'string',
    pattern: '^https?://',
    description:
      'URL of an HTTP proxy, such as `http://user:password@proxy:3128`; https destinations are reached through a CONNECT tunnel.',
  },
  compress: {
    type: 'string',
    enum: ['gzip'],
    description: 'Compresses request bodies; left out, they are sent as they are.',
  },
  'net.connect_timeout': {
    'x-type': 'duration',
    default: '10s',
    description: 'How long a connection may take to come about, TLS included.',
  },
  'net.keepalive': {
    type: 'boolean',
    'x-type': 'boolean_word',
    default: true,
    description: 'Whether connections are used for more than one request.',
  },
  'net.keepalive_idle_timeout': {
    'x-type': 'duration',
    'x-minimum': 1,
    default: '30s',
    description: 'How long a connection may be idle before it is closed; a bare number is seconds.',
  },
  'net.source_address': {
    type: 'string',
    minLength: 1,
    description:
      'Address of this machine that connections are made from; the system chooses when absent.',
  },
  'http.response_timeout': {
    'x-type': 'duration',
    default: '60s',
    description:
      'How long a request may take, from its first byte to the last of the answer, before it is tried again.',
  },
} as const;

/** What `connectionProperties` become. */
export interface ConnectionOptions {
  readonly http_user?: string;
  readonly http_passwd?: import('../../../core/sdk/index.ts').Secret;
  readonly proxy?: string;
  readonly compress?: 'gzip';
  readonly 'net.connect_timeout': number;
  readonly 'net.keepalive': boolean;
  readonly 'net.keepalive_idle_timeout': number;
  readonly 'net.source_address'?: string;
  readonly 'http.response_timeout': number;
}

/** What these options say to an `HttpClient`. */
export function connectionSettings(options: ConnectionOptions) {
  const sourceAddress = options['net.source_address'];
  return {
    connectTimeoutMs: options['net.connect_timeout'],
    responseTimeoutMs: options['http.response_timeout'],
    keepsConnections: options['net.keepalive'],
    idleTimeoutMs: options['net.keepalive_idle_timeout'],
    ...(sourceAddress === undefined ? {} : { sourceAddress }),
  };
}
