export const schema = {
  type: 'object',
  properties: {
    path: {
      type: 'string',
      minLength: 1,
      description:
        'Directory with journal files, or one journal file; the journal of this host when absent.',
    },
    systemd_filter: {
      type: 'array',
      items: { type: 'string', pattern: '^[A-Z0-9_]+=' },
      maxItems: 256,
      default: [],
      description:
        'Entries that are read, each `FIELD=value`, such as `_SYSTEMD_UNIT=ssh.service`; all when absent.',
    },
    systemd_filter_type: {
      enum: ['or', 'and', 'Or', 'And'],
      default: 'or',
      description:
        'Whether an entry must fit one filter or all of them; filters of one field are alternatives either way.',
    },
    read_from_tail: {
      type: 'boolean',
      default: false,
      description:
        'Whether the first start leaves out what stands in the journal already. Later starts go on where the last one stopped.',
    },
    lowercase: {
      type: 'boolean',
      default: false,
      description: 'Whether the names of fields are written in lower case.',
    },
    strip_underscores: {
      type: 'boolean',
      default: false,
      description: 'Whether fields lose the underscores before their names: `_PID` becomes `PID`.',
    },
    max_fields: {
      type: 'integer',
      minimum: 1,
      maximum: 100_000,
      default: 8000,
      description: 'Fields of an entry; those beyond are left out and counted.',
    },
    field_bytes_max: {
      'x-type': 'size',
      'x-minimum': 1,
      default: '64K',
      description: 'Bytes of a field’s value; longer ones are cut and counted.',
    },
    journalctl: {
      type: 'string',
      minLength: 1,
      default: 'journalctl',
      description: 'The program that reads the journal: a name on PATH, or a path.',
    },
    max_entries: {
      type: 'integer',
      minimum: 1,
      'x-ignored': 'Entries are read as fast as the outputs take them.',
      description: 'Accepted for Fluent Bit files; the outputs set the pace.',
    },
    db: {
      type: 'string',
      'x-ignored': 'Positions are kept below `storage.path`.',
      description: 'Accepted for Fluent Bit files; positions are kept with those of other inputs.',
    },
    'db.sync': {
      type: 'string',
      'x-ignored': 'Positions are written durably, about once a second.',
      description: 'Accepted for Fluent Bit files; positions are always durable.',
    },
  },
} as const;

/** Options after normalising: sizes in bytes. */
export interface JournaldOptions {
  readonly path?: string;
  readonly systemd_filter: readonly string[];
  readonly systemd_filter_type: 'or' | 'and' | 'Or' | 'And';
  readonly read_from_tail: boolean;
  readonly lowercase: boolean;
  readonly strip_underscores: boolean;
  readonly max_fields: number;
  readonly field_bytes_max: number;
  readonly journalctl: string;
}
