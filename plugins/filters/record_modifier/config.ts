const keys = { type: 'array', items: { type: 'string', minLength: 1 } } as const;

export const schema = {
  type: 'object',
  properties: {
    record: { ...keys, description: 'Fields to set, each `KEY VALUE`.' },
    remove_key: {
      ...keys,
      description: 'Fields to take away; `*` at the end means all that begin so.',
    },
    allowlist_key: {
      ...keys,
      description: 'The only fields that stay; `*` at the end means all that begin so.',
    },
    whitelist_key: {
      ...keys,
      deprecated: true,
      description: 'Older name of `allowlist_key`.',
    },
    uuid_key: {
      type: 'string',
      minLength: 1,
      'x-type': 'field',
      description:
        'Field that gets a UUID, made from the origin of the record: the same when it is read again.',
    },
  },
} as const;

export interface Options {
  readonly record?: readonly string[];
  readonly remove_key?: readonly string[];
  readonly allowlist_key?: readonly string[];
  readonly whitelist_key?: readonly string[];
  readonly uuid_key?: string;
}
