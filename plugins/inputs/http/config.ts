import type { Secret } from '../../../core/sdk/index.ts';

const clients = '`tls.verify_client_cert` says whether certificates of clients are checked.';

const ignored = (reason: string) =>
  ({ 'x-ignored': reason, description: `Accepted for Fluent Bit files. ${reason}` }) as const;

export const schema = {
  type: 'object',
  properties: {
    listen: {
      type: 'string',
      minLength: 1,
      default: '127.0.0.1',
      description: 'Address to listen on; `0.0.0.0` or `::` takes connections from other machines.',
    },
    port: {
      type: 'integer',
      minimum: 0,
      maximum: 65535,
      default: 9880,
      description: 'Port to listen on; 0 takes a free one, which the log names.',
    },
    key: {
      type: 'string',
      minLength: 1,
      default: 'log',
      description: 'Field that a line of a `text/plain` body is put under.',
    },
    ack: {
      enum: ['settled', 'accepted'],
      default: 'settled',
      description:
        'When a request is answered: when every output that gets its records has settled them, or as soon as they are in the pipeline.',
    },
    tag_from_path: {
      type: 'boolean',
      default: true,
      description:
        'Whether the path of a request becomes the tag of its records, as in Fluent Bit: `/app.log` gives `app.log`; the path `/` gives the tag of the input.',
    },
    tag_header: {
      type: 'string',
      pattern: "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$",
      description: 'Header whose value becomes the tag of the records; it wins over the path.',
    },
    tag_key: {
      type: 'string',
      minLength: 1,
      'x-type': 'field',
      description: 'Field whose text becomes the tag of its record; it wins over header and path.',
    },
    successful_response_code: {
      enum: [200, 201, 202, 204],
      description:
        'Status of a request whose records were taken; when absent 200, and 202 with `ack: accepted`.',
    },
    success_header: {
      type: 'array',
      items: { type: 'string', pattern: '^\\S+\\s+\\S.*$', 'x-header': true },
      description: 'Headers that are added to the answer to such a request, each `Name value`.',
    },
    token: {
      type: 'string',
      'x-type': 'secret',
      description: 'Token that requests must carry as `Authorization: Bearer TOKEN`.',
    },
    http_user: {
      type: 'string',
      minLength: 1,
      description: 'User name that requests may carry with basic authentication.',
    },
    http_passwd: {
      type: 'string',
      'x-type': 'secret',
      description: 'Password of that user.',
    },
    request_bytes_max: {
      'x-type': 'size',
      'x-minimum': 1,
      default: '10M',
      description: 'Most bytes of a compressed body as it is sent; more is refused with 413.',
    },
    decompressed_bytes_max: {
      'x-type': 'size',
      'x-minimum': 1,
      default: '100M',
      description:
        'Most bytes of a body without its compression; more is refused with 413. Bodies are not held in memory, whatever their size.',
    },
    requests_max: {
      type: 'integer',
      minimum: 1,
      default: 256,
      description: 'Requests in progress at most; further ones are answered with 429.',
    },
    connections_max: {
      type: 'integer',
      minimum: 1,
      default: 1024,
      description: 'Open connections at most; further ones are closed at once.',
    },
    unfinished_bytes_max: {
      'x-type': 'size',
      'x-minimum': 1,
      default: '64M',
      description:
        'Memory for the unfinished records of all requests together; a request that needs more is answered with 429.',
    },
    busy_timeout: {
      'x-type': 'duration',
      default: '5s',
      description: 'Wait for room in the pipeline after which a request is answered with 429.',
    },
    settle_timeout: {
      'x-type': 'duration',
      default: '60s',
      description:
        'Wait for the outputs after which a request is answered with 503, although its records were taken.',
    },
    header_timeout: {
      'x-type': 'duration',
      default: '10s',
      description: 'Time that a client has to send the headers of a request.',
    },
    request_timeout: {
      'x-type': 'duration',
      default: '5m',
      description: 'Time that a client has to send a whole request; 0 sets no limit.',
    },
    idle_timeout: {
      'x-type': 'duration',
      default: '60s',
      description: 'Silence after which a connection is closed, between requests and within one.',
    },
    drain_timeout: {
      'x-type': 'duration',
      default: '2s',
      description: 'Time that requests in progress have to end when the agent stops.',
    },
    tls: {
      type: 'boolean',
      default: false,
      description: 'Whether connections use TLS.',
    },
    'tls.crt_file': {
      type: 'string',
      minLength: 1,
      description: 'File of the certificate of this server, with its chain, PEM.',
    },
    'tls.key_file': {
      type: 'string',
      minLength: 1,
      description: 'File of the private key of that certificate, PEM.',
    },
    'tls.key_passwd': {
      type: 'string',
      'x-type': 'secret',
      description: 'Password of the private key.',
    },
    'tls.ca_file': {
      type: 'string',
      minLength: 1,
      description: 'File of the certificates that clients are checked against, PEM.',
    },
    'tls.verify_client_cert': {
      type: 'boolean',
      default: false,
      description: 'Whether clients must show a certificate that `tls.ca_file` vouches for.',
    },
    'tls.min_version': {
      enum: ['TLSv1.2', 'TLSv1.3'],
      description: 'Oldest TLS version that is accepted; TLSv1.2 when absent.',
    },
    'tls.max_version': {
      enum: ['TLSv1.2', 'TLSv1.3'],
      description: 'Newest TLS version that is used.',
    },
    'tls.ciphers': {
      type: 'string',
      minLength: 1,
      description: "Cipher list, in OpenSSL's form.",
    },
    'tls.verify': ignored(clients),
    'tls.verify_hostname': ignored(clients),
    'tls.vhost': ignored('Clients say which name they ask for.'),
    'tls.debug': ignored('What is wrong with a connection is always said.'),
    ipv6: ignored('`listen` says which addresses are listened on.'),
    'http_server.http2': ignored('HTTP/1.1 is served, which every client speaks.'),
    'http_server.buffer_max_size': ignored(
      'Bodies are not held in memory: `decompressed_bytes_max` limits their size.',
    ),
    'http_server.buffer_chunk_size': ignored('Bodies are read in pieces of a fixed size.'),
    'http_server.workers': ignored('Requests are read by one thread.'),
    buffer_max_size: {
      'x-type': 'size',
      'x-ignored': 'Bodies are not held in memory: `decompressed_bytes_max` limits their size.',
      description: 'Accepted for Fluent Bit files; bodies are read in pieces.',
    },
    buffer_chunk_size: {
      'x-type': 'size',
      'x-ignored': 'Bodies are read in pieces of a fixed size.',
      description: 'Accepted for Fluent Bit files; bodies are read in pieces.',
    },
  },
} as const;

/** Options after normalising: times in milliseconds, sizes in bytes. */
export interface HttpInputOptions {
  readonly listen: string;
  readonly port: number;
  readonly key: string;
  readonly ack: 'settled' | 'accepted';
  readonly tag_from_path: boolean;
  readonly tag_header?: string;
  readonly tag_key?: string;
  readonly successful_response_code?: 200 | 201 | 202 | 204;
  readonly success_header?: readonly string[];
  readonly token?: Secret;
  readonly http_user?: string;
  readonly http_passwd?: Secret;
  readonly request_bytes_max: number;
  readonly decompressed_bytes_max: number;
  readonly requests_max: number;
  readonly connections_max: number;
  readonly unfinished_bytes_max: number;
  readonly busy_timeout: number;
  readonly settle_timeout: number;
  readonly header_timeout: number;
  readonly request_timeout: number;
  readonly idle_timeout: number;
  readonly drain_timeout: number;
  readonly tls: boolean;
  readonly 'tls.crt_file'?: string;
  readonly 'tls.key_file'?: string;
  readonly 'tls.key_passwd'?: Secret;
  readonly 'tls.ca_file'?: string;
  readonly 'tls.verify_client_cert': boolean;
  readonly 'tls.min_version'?: 'TLSv1.2' | 'TLSv1.3';
  readonly 'tls.max_version'?: 'TLSv1.2' | 'TLSv1.3';
  readonly 'tls.ciphers'?: string;
}
