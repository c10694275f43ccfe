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
  readonly 'http.response_timeout': number;
}
