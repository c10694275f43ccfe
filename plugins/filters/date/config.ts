export const schema = {
  type: 'object',
  properties: {
    key: {
      type: 'string',
      minLength: 1,
      'x-type': 'field',
      default: 'timestamp',
      description: 'Field that holds the date; records without it are left alone.',
    },
    formats: {
      type: 'array',
      minItems: 1,
      items: { type: 'string', minLength: 1, 'x-type': 'date_format' },
      default: ['ISO8601'],
      description:
        'Formats tried in order: strptime (`%d/%b/%Y:%H:%M:%S %z`), Joda (`dd/MMM/yyyy:HH:mm:ss Z`), `ISO8601`, `UNIX`, `UNIX_MS` or `TAI64N`.',
    },
    timezone: {
      type: 'string',
      'x-type': 'time_zone',
      default: 'UTC',
      description: 'IANA zone or offset of dates that name none.',
    },
    target: {
      type: 'string',
      minLength: 1,
      'x-type': 'field',
      description:
        'Field that gets the date as ISO 8601 text in UTC. When absent, or `@timestamp`, it becomes the time of the record.',
    },
    locale: {
      enum: ['en', 'en-US', 'en-GB', 'en_US', 'en_GB', 'C', 'POSIX'],
      default: 'en',
      description: 'Language of month and weekday names; English is the only one.',
    },
    remove: {
      type: 'boolean',
      default: false,
      description: 'Whether the field goes once its date is read.',
    },
    tag_on_failure: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      default: ['_dateparsefailure'],
      description: 'Marks put into `tags` when no format fits; the record keeps its time.',
    },
  },
} as const;

export interface Options {
  readonly key?: string;
  readonly formats?: readonly string[];
  readonly timezone?: string;
  readonly target?: string;
  readonly locale?: string;
  readonly remove?: boolean;
  readonly tag_on_failure?: readonly string[];
}
