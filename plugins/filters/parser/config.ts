export const schema = {
  type: 'object',
  required: ['parser'],
  properties: {
    key_name: {
      type: 'string',
      minLength: 1,
      'x-type': 'field',
      description:
        'Field to parse. When absent, the raw line: `log`, else `message`, else the only field of the record.',
    },
    parser: {
      type: 'array',
      minItems: 1,
      items: { type: 'string', minLength: 1 },
      'x-ref': 'parser',
      description:
        'Parsers by name, built in or defined under `parsers:`; the first that takes the text counts.',
    },
    reserve_data: {
      type: 'boolean',
      default: false,
      description:
        'Whether the other fields of the record stay; else only the parsed ones are left.',
    },
    preserve_key: {
      type: 'boolean',
      default: false,
      description: 'Whether the field that was parsed stays.',
    },
    unescape_key: {
      type: 'boolean',
      'x-ignored': 'Use `decode_field_as` in the definition of the parser.',
      description: 'Accepted for Fluent Bit files.',
    },
    tag_on_failure: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      default: ['_parserfailure'],
      description:
        'Marks put into `tags` when no parser takes the text; the record stays as it is.',
    },
  },
} as const;

export interface Options {
  readonly key_name?: string;
  readonly parser: readonly string[];
  readonly reserve_data?: boolean;
  readonly preserve_key?: boolean;
  readonly unescape_key?: boolean;
  readonly tag_on_failure?: readonly string[];
}
