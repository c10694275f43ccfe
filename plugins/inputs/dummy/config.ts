export const schema = {
  type: 'object',
  properties: {
    dummy: {
      type: 'string',
      default: '{"message":"dummy"}',
      description: 'The record, as a JSON object.',
    },
    rate: {
      type: 'number',
      exclusiveMinimum: 0,
      default: 1,
      description: 'Records a second.',
    },
    copies: {
      type: 'integer',
      minimum: 1,
      default: 1,
      description: 'Records made each time.',
    },
    samples: {
      type: 'integer',
      minimum: 0,
      default: 0,
      description:
        'Records after which the input ends; 0 never ends. A finite input makes its records at once.',
    },
  },
} as const;

export interface DummyOptions {
  readonly dummy: string;
  readonly rate: number;
  readonly copies: number;
  readonly samples: number;
}
