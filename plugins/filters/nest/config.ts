export const schema = {
  type: 'object',
  required: ['operation'],
  properties: {
    operation: {
      enum: ['nest', 'lift'],
      description:
        '`nest` puts fields into an object, `lift` takes the members of an object to the top.',
    },
    wildcard: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      description: 'For `nest`: keys of the fields; `*` at the end means all that begin so.',
    },
    nest_under: {
      type: 'string',
      minLength: 1,
      description: 'For `nest`: key of the object to put them into.',
    },
    nested_under: {
      type: 'string',
      minLength: 1,
      description: 'For `lift`: key of the object whose members are lifted.',
    },
    add_prefix: {
      type: 'string',
      description: 'Text to put before the keys that are moved.',
    },
    remove_prefix: {
      type: 'string',
      description: 'Text to take from the beginning of the keys that are moved.',
    },
  },
} as const;

export interface Options {
  readonly operation: 'nest' | 'lift';
  readonly wildcard?: readonly string[];
  readonly nest_under?: string;
  readonly nested_under?: string;
  readonly add_prefix?: string;
  readonly remove_prefix?: string;
}
