import type { Secret, TlsOptions } from '../../../core/sdk/index.ts';

/** The `tls.*` options of inputs that connect to servers; outputs have them from the engine. Spread
 *  into the plugin's `properties`. */
export const clientTlsProperties = {
  'tls.verify': {
    type: 'boolean',
    default: true,
    description: 'Whether the certificate of the server is checked.',
  },
  'tls.verify_hostname': {
    type: 'boolean',
    default: true,
    description: 'Whether the certificate must be for the name of the server.',
  },
  'tls.ca_file': {
    type: 'string',
    minLength: 1,
    description:
      'File of the certificates that vouch for the server, PEM; the system’s when absent.',
  },
  'tls.crt_file': {
    type: 'string',
    minLength: 1,
    description: 'File of the certificate that is shown to the server, PEM.',
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
  'tls.vhost': {
    type: 'string',
    minLength: 1,
    description: 'Name that the server is asked for (SNI), where it is not that of the address.',
  },
} as const;

export interface ClientTlsOptions {
  readonly 'tls.verify': boolean;
  readonly 'tls.verify_hostname': boolean;
  readonly 'tls.ca_file'?: string;
  readonly 'tls.crt_file'?: string;
  readonly 'tls.key_file'?: string;
  readonly 'tls.key_passwd'?: Secret;
  readonly 'tls.vhost'?: string;
}

export function clientTls(options: ClientTlsOptions): TlsOptions {
  return {
    enabled: true,
    verify: options['tls.verify'],
    verifyHostname: options['tls.verify_hostname'],
    caFile: options['tls.ca_file'],
    caPath: undefined,
    crtFile: options['tls.crt_file'],
    keyFile: options['tls.key_file'],
    keyPasswd: options['tls.key_passwd'],
    vhost: options['tls.vhost'],
    minVersion: undefined,
    maxVersion: undefined,
    ciphers: undefined,
  };
}
