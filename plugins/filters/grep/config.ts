const rules = { type: 'array', minItems: 1, items: { type: 'string', minLength: 1 } } as const;

export const schema = {
  type: 'object',
  properties: {
    regex: {
      ...rules,
      description:
        'Rules `KEY REGEX`: records whose field matches stay. The expression may stand between slashes, with options: `/error/i`.',
    },
    exclude: {
      ...rules,
      description: 'Rules `KEY REGEX`: records whose field matches go.',
    },
    logical_op: {
      enum: ['legacy', 'and', 'or'],
      default: 'legacy',
      description:
        'How several rules count together. `legacy`: in order, the first one that decides. `and`, `or`: all or any of them match; then either `regex` or `exclude` is used, not both.',
    },
  },
} as const;

export interface Options {
  readonly regex?: readonly string[];
  readonly exclude?: readonly string[];
  readonly logical_op?: 'legacy' | 'and' | 'or';
}
