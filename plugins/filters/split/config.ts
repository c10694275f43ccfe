export const schema = {
  type: 'object',
  properties: {
    field: {
      type: 'string',
      minLength: 1,
      'x-type': 'field',
      default: 'message',
      description: 'Field to split: an array, or a text.',
    },
    target: {
      type: 'string',
      minLength: 1,
      'x-type': 'field',
      description:
        'Field of the new records that gets the piece; the whole stays in `field` then. When absent, the piece takes the place of the whole.',
    },
    terminator: {
      type: 'string',
      minLength: 1,
      default: '\n',
      description: 'What stands between the pieces of a text; empty pieces are left out.',
    },
    pieces_max: {
      type: 'integer',
      minimum: 1,
      maximum: 1_000_000,
      default: 10_000,
      description: 'Most records to make out of one; one with more pieces stays whole, marked.',
    },
    tag_on_failure: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      default: ['_split_type_failure'],
      description:
        'Marks put into `tags` of records that cannot be split: the field is missing, of another type, or has too many pieces.',
    },
  },
} as const;

export interface Options {
  readonly field?: string;
  readonly target?: string;
  readonly terminator?: string;
  readonly pieces_max?: number;
  readonly tag_on_failure?: readonly string[];
}
