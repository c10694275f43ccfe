export const schema = {
  type: 'object',
  properties: {
    percentage: {
      type: 'number',
      minimum: 0,
      maximum: 100,
      description: 'Share of the records to keep, in percent.',
    },
    one_of: {
      type: 'integer',
      minimum: 1,
      maximum: 1_000_000_000,
      description: 'Keeps one of so many records, on average; instead of `percentage`.',
    },
    key: {
      type: 'string',
      minLength: 1,
      'x-type': 'field',
      description:
        'Field that decides: records with the same value stay or go together. When absent, or missing in a record, the origin of the record decides.',
    },
    seed: {
      type: 'string',
      default: '',
      description:
        'Text mixed into the decision. Samplers with the same seed keep the same records; one behind another needs a seed of its own.',
    },
  },
} as const;

export interface Options {
  readonly percentage?: number;
  readonly one_of?: number;
  readonly key?: string;
  readonly seed?: string;
}
