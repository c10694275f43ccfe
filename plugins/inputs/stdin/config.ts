export const schema = {
  type: 'object',
  properties: {
    key: {
      type: 'string',
      minLength: 1,
      default: 'log',
      description: 'Field that a line is put under.',
    },
    parser: {
      type: 'string',
      minLength: 1,
      'x-ref': 'parser',
      description:
        'Parser that makes the fields of a record from its line; a line that it does not understand stays under `key`.',
    },
    buffer_size: {
      'x-type': 'size',
      default: '64KB',
      description: "Accepted for Fluent Bit files; lines may have the service's event_max_bytes.",
    },
  },
} as const;

export interface StdinOptions {
  readonly key: string;
  readonly parser?: string;
}
