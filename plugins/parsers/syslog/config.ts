import type { ParserOptions } from '../../shared/parsing/parser_options.ts';

export const schema = {
  type: 'object',
  properties: {
    standard: {
      enum: ['auto', 'rfc3164', 'rfc5424'],
      default: 'auto',
      description: 'Which syslog format the texts have; `auto` looks at each.',
    },
  },
} as const;

export interface Options extends ParserOptions {
  readonly standard?: 'auto' | 'rfc3164' | 'rfc5424';
}
