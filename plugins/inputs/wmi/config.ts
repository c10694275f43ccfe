import type { Secret } from '../../../core/sdk/index.ts';
import { type LaneName, type LaneOptions, laneProperties } from '../../shared/collect/lanes.ts';
import { type ClientTlsOptions, clientTlsProperties } from '../../shared/tls/client_options.ts';

const name = { type: 'string', pattern: '^[A-Za-z_][A-Za-z0-9_]*$', maxLength: 255 } as const;

const querySchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    name: {
      type: 'string',
      pattern: '^[A-Za-z0-9_.-]{1,64}$',
      description: 'Name of the query in records, metrics and tags; its class when absent.',
    },
    class: { ...name, description: 'Class that is asked for, such as `Win32_LogicalDisk`.' },
    properties: {
      type: 'array',
      items: name,
      minItems: 1,
      maxItems: 500,
      description: 'Properties that are read; all when absent. Providers are faster for few.',
    },
    where: {
      type: 'string',
      minLength: 1,
      description: 'Condition in WQL on the class, such as `DriveType = 3`.',
    },
    wql: {
      type: 'string',
      minLength: 1,
      description: 'A whole query in WQL, in place of `class`.',
    },
    fallback: {
      type: 'string',
      minLength: 1,
      description:
        'WQL that is asked while access to the first is denied, for a source that needs fewer rights.',
    },
    namespace: { type: 'string', minLength: 1, description: 'In place of the input’s own.' },
    interval: {
      'x-type': 'duration',
      'x-minimum': 100,
      description: 'Time between two readings, in place of the input’s own.',
    },
    timeout: {
      'x-type': 'duration',
      'x-minimum': 1,
      description: 'How long a reading may take, in place of what its lane allows.',
    },
    priority: {
      enum: ['high', 'normal'],
      default: 'normal',
      description: 'Lane that the query runs in; those of one lane never wait for the other’s.',
    },
  },
} as const;

export const schema = {
  type: 'object',
  properties: {
    queries: {
      type: 'array',
      items: querySchema,
      maxItems: 200,
      default: [],
      description:
        'What is asked, each at its interval, apart from the others: a `class` with `properties` and `where`, or `wql`.',
    },
    classes: {
      'x-type': 'comma_list',
      default: [],
      description: 'Classes that are asked for all their properties.',
    },
    namespace: {
      type: 'string',
      minLength: 1,
      default: 'root\\cimv2',
      description: 'Namespace of queries that name none.',
    },
    interval: {
      'x-type': 'duration',
      'x-minimum': 100,
      default: '10s',
      description: 'Time between two readings, counted from the start, without drift.',
    },
    rows_max: {
      type: 'integer',
      minimum: 1,
      maximum: 1_000_000,
      default: 10_000,
      description: 'Most rows of one reading; the others are left out and counted.',
    },
    transport: {
      enum: ['auto', 'com', 'winrm'],
      default: 'auto',
      description:
        'How WMI is reached: over COM (DCOM to another host), which only Windows has, or over WinRM. `auto` is COM on Windows and WinRM elsewhere.',
    },
    host: {
      type: 'string',
      minLength: 1,
      description: 'Host that is asked; this one when absent, which only Windows can.',
    },
    port: {
      type: 'integer',
      minimum: 1,
      maximum: 65535,
      description: 'Port of WinRM; 5986 with TLS and 5985 without when absent.',
    },
    username: {
      type: 'string',
      minLength: 1,
      description: 'Account on the host; with COM, the agent’s own when absent.',
    },
    password: { type: 'string', 'x-type': 'secret', description: 'Password of that account.' },
    domain: { type: 'string', default: '', description: 'Domain of that account.' },
    authentication: {
      enum: ['ntlm', 'basic'],
      default: 'ntlm',
      description:
        'How WinRM is told who asks. `basic` needs TLS. Without TLS, NTLM encrypts what is sent.',
    },
    path: {
      type: 'string',
      pattern: '^/[!-~]*$',
      default: '/wsman',
      description: 'Path of WinRM.',
    },
    ...laneProperties,
    ...clientTlsProperties,
    tls: {
      type: 'boolean',
      default: true,
      description: 'Whether WinRM is reached over TLS.',
    },
  },
} as const;

export interface QueryOptions {
  readonly name?: string;
  readonly class?: string;
  readonly properties?: readonly string[];
  readonly where?: string;
  readonly wql?: string;
  readonly fallback?: string;
  readonly namespace?: string;
  readonly interval?: number;
  readonly timeout?: number;
  readonly priority?: LaneName;
}

/** Options after normalising: times in milliseconds. */
export interface WmiOptions extends LaneOptions, ClientTlsOptions {
  readonly queries: readonly QueryOptions[];
  readonly classes: readonly string[];
  readonly namespace: string;
  readonly interval: number;
  readonly rows_max: number;
  readonly transport: 'auto' | 'com' | 'winrm';
  readonly host?: string;
  readonly port?: number;
  readonly username?: string;
  readonly password?: Secret;
  readonly domain: string;
  readonly authentication: 'ntlm' | 'basic';
  readonly path: string;
  readonly tls: boolean;
}
