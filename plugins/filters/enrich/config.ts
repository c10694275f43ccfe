import { geoFieldNames } from '../../shared/geoip/geo_fields.ts';

const key = {
  type: 'string',
  minLength: 1,
  'x-type': 'field',
  description: 'Field whose value is looked up.',
} as const;

const marks = {
  type: 'array',
  items: { type: 'string', minLength: 1 },
  default: [],
} as const;

const lookup = {
  type: 'object',
  required: ['key', 'file', 'target'],
  properties: {
    key,
    file: {
      type: 'string',
      minLength: 1,
      description:
        'Table: CSV with column names, a JSON object, or a JSON array of objects; relative to the pipeline file.',
    },
    format: {
      enum: ['csv', 'json'],
      description: 'Format of the file; by its ending when absent.',
    },
    target: {
      type: 'string',
      minLength: 1,
      'x-type': 'field',
      description:
        'Field that gets what the table says: a value, or an object where there are several columns.',
    },
    key_column: {
      type: 'string',
      minLength: 1,
      description: 'Column with the keys; the first one when absent.',
    },
    columns: {
      type: 'array',
      minItems: 1,
      items: { type: 'string', minLength: 1 },
      description: 'Columns to take; all others when absent.',
    },
    default: { description: 'Value for keys that are not in the table; none when absent.' },
    on_missing: { ...marks, description: 'Marks put into `tags` when a key is not in the table.' },
  },
} as const;

const geoip = {
  type: 'object',
  required: ['key', 'database'],
  properties: {
    key: { ...key, description: 'Field with the IP address.' },
    target: {
      type: 'string',
      minLength: 1,
      'x-type': 'field',
      default: 'geo',
      description: 'Field that gets the place as an object.',
    },
    database: {
      type: 'string',
      minLength: 1,
      description:
        'MaxMind database (.mmdb) of countries, cities or networks; relative to the pipeline file.',
    },
    fields: {
      type: 'array',
      minItems: 1,
      items: { enum: geoFieldNames },
      description: 'Fields to take; all that the database has when absent.',
    },
    tag_on_failure: {
      ...marks,
      description:
        'Marks put into `tags` when an address is none, or not in the database; local addresses get none.',
    },
  },
} as const;

const userAgent = {
  type: 'object',
  required: ['key'],
  properties: {
    key: { ...key, description: 'Field with the user agent.' },
    target: {
      type: 'string',
      minLength: 1,
      'x-type': 'field',
      default: 'user_agent',
      description: 'Field that gets name, version, os and device as an object.',
    },
  },
} as const;

const dns = {
  type: 'object',
  required: ['key', 'target'],
  properties: {
    enabled: {
      type: 'boolean',
      default: false,
      description:
        'Whether addresses are looked up; each new one costs a question to the name server.',
    },
    key: { ...key, description: 'Field with the IP address.' },
    target: {
      type: 'string',
      minLength: 1,
      'x-type': 'field',
      description: 'Field that gets the name.',
    },
    timeout: {
      'x-type': 'duration',
      'x-minimum': 1,
      'x-maximum': 60000,
      default: '500ms',
      description: 'Time after which records go on without the names that are not there yet.',
    },
    ttl: {
      'x-type': 'duration',
      'x-minimum': 1000,
      default: '1h',
      description: 'Time for which a name is kept; that there is none is kept for a minute.',
    },
  },
} as const;

export const schema = {
  type: 'object',
  properties: {
    environment: {
      type: 'object',
      additionalProperties: { type: 'string', minLength: 1 },
      description:
        'Fields by name and the variables that fill them when the filter starts: of `env` in the pipeline file, else of the environment of the process.',
    },
    host: {
      type: 'string',
      minLength: 1,
      'x-type': 'field',
      description: 'Field that gets facts about this machine as an object.',
    },
    host_facts: {
      type: 'array',
      minItems: 1,
      items: { enum: ['name', 'architecture', 'os', 'ip'] },
      default: ['name', 'architecture', 'os'],
      description: 'Facts to tell; they are taken when the pipeline starts.',
    },
    lookup: {
      description: 'Tables in files, read again when they change; one or a list.',
      anyOf: [{ type: 'array', items: lookup }, lookup],
    },
    geoip: {
      description: 'Places of IP addresses; one or a list.',
      anyOf: [{ type: 'array', items: geoip }, geoip],
    },
    user_agent: {
      description: 'Browsers, systems and devices of user agents; one or a list.',
      anyOf: [{ type: 'array', items: userAgent }, userAgent],
    },
    set: {
      type: 'object',
      additionalProperties: true,
      description:
        'Fields and their values; a text may refer to fields as `%{name}`. Comes after the look-ups.',
    },
    dns: {
      ...dns,
      description: 'Names of IP addresses, asked from the name server. Comes last.',
    },
    reload_interval: {
      'x-type': 'duration',
      'x-minimum': 100,
      default: '10s',
      description: 'How often files are looked at for changes.',
    },
    cache_size: {
      type: 'integer',
      minimum: 2,
      maximum: 1000000,
      default: 10000,
      description: 'Results that each look-up keeps in memory.',
    },
  },
} as const;

export type HostFact = 'name' | 'architecture' | 'os' | 'ip';

export interface LookupOptions {
  readonly key: string;
  readonly file: string;
  readonly format?: 'csv' | 'json';
  readonly target: string;
  readonly key_column?: string;
  readonly columns?: readonly string[];
  readonly default?: unknown;
  readonly on_missing?: readonly string[];
}

export interface GeoipOptions {
  readonly key: string;
  readonly target?: string;
  readonly database: string;
  readonly fields?: readonly (typeof geoFieldNames)[number][];
  readonly tag_on_failure?: readonly string[];
}

export interface UserAgentOptions {
  readonly key: string;
  readonly target?: string;
}

export interface DnsOptions {
  readonly enabled?: boolean;
  readonly key: string;
  readonly target: string;
  readonly timeout?: number;
  readonly ttl?: number;
}

export interface Options {
  readonly environment?: Readonly<Record<string, string>>;
  readonly host?: string;
  readonly host_facts?: readonly HostFact[];
  readonly lookup?: LookupOptions | readonly LookupOptions[];
  readonly geoip?: GeoipOptions | readonly GeoipOptions[];
  readonly user_agent?: UserAgentOptions | readonly UserAgentOptions[];
  readonly set?: Readonly<Record<string, unknown>>;
  readonly dns?: DnsOptions;
  readonly reload_interval?: number;
  readonly cache_size?: number;
}

/** One, several or none, as a list. */
export function listOf<Item extends object>(
  value: Item | readonly Item[] | undefined,
): readonly Item[] {
  if (value === undefined) return [];
  // `Array.isArray` does not narrow to a readonly list.
  return Array.isArray(value) ? (value as readonly Item[]) : [value as Item];
}
