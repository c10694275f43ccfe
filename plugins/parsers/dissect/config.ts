export const schema = {
  type: 'object',
  required: ['pattern'],
  properties: {
    pattern: {
      type: 'string',
      minLength: 1,
      description:
        'Fields and the texts between them, such as `%{time} %{level->} [%{thread}] %{message}`.',
    },
    convert_datatype: {
      type: 'object',
      additionalProperties: { enum: ['int', 'float'] },
      description: 'Types of fields as a map, as in Logstash; `types` says the same.',
    },
    skip_empty_values: {
      type: 'boolean',
      default: false,
      description: 'Whether empty values are left out.',
    },
  },
} as const;
