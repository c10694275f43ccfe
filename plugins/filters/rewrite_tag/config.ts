export const schema = {
  type: 'object',
  required: ['rule'],
  properties: {
    rule: {
      type: 'array',
      minItems: 1,
      items: { type: 'string', minLength: 1 },
      description:
        'Rules `KEY REGEX NEW_TAG KEEP`; the first that matches counts. The new tag may have `$0` to `$9` of the match, `$TAG`, `$TAG[n]` and `$field`. KEEP says whether the record also goes on under its old tag.',
    },
    emitter_name: {
      type: 'string',
      'x-ignored': 'Records go back to the first filter without an input of their own.',
      description: 'Accepted for Fluent Bit files.',
    },
    'emitter_storage.type': {
      enum: ['memory', 'filesystem'],
      'x-ignored': 'Records under a new tag share the acknowledgement of their source.',
      description: 'Accepted for Fluent Bit files.',
    },
    emitter_mem_buf_limit: {
      'x-type': 'size',
      'x-ignored': 'Records under a new tag are not buffered here.',
      description: 'Accepted for Fluent Bit files.',
    },
  },
} as const;

export interface Options {
  readonly rule: readonly string[];
  readonly emitter_name?: string;
  readonly 'emitter_storage.type'?: 'memory' | 'filesystem';
  readonly emitter_mem_buf_limit?: number;
}
