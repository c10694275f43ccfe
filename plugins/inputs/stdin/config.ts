export const schema = {
  type: 'object',
  properties: {
    key: {
      type: 'string',
      minLength: 1,
      default: 'log',
      description: 'Field that a line is put under.',
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
}
