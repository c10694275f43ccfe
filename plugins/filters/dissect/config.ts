export const schema = {
  type: 'object',
  properties: {
    mapping: {
      type: 'object',
      additionalProperties: { type: 'string', minLength: 1 },
      description:
        'Patterns by the field that each takes apart, done in this order: `{message: "%{time} %{text}"}`.',
    },
    key_name: {
      type: 'string',
      minLength: 1,
      'x-type': 'field',
      description:
        'Field that `pattern` takes apart. When absent, the raw line: `log`, else `message`, else the only field of the record.',
    },
    pattern: {
      type: 'string',
      minLength: 1,
      description:
        'Fields and the texts between them, such as `%{time} %{level->} [%{thread}] %{message}`.',
    },
    convert_datatype: {
      type: 'object',
      additionalProperties: { enum: ['int', 'float'] },
      description: 'Fields to make numbers after that: `{status: int, took: float}`.',
    },
    tag_on_failure: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      default: ['_dissectfailure'],
      description:
        'Marks put into `tags` of a record whose text does not fit; an empty list for none.',
    },
  },
} as const;

export interface DissectFilterOptions {
  readonly mapping?: Readonly<Record<string, string>>;
  readonly key_name?: string;
  readonly pattern?: string;
  readonly convert_datatype?: Readonly<Record<string, 'int' | 'float'>>;
  readonly tag_on_failure?: readonly string[];
}
