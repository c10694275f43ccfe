import type { ParserOptions } from '../../shared/parsing/parser_options.ts';

export const schema = {
  type: 'object',
  required: ['regex'],
  properties: {
    regex: {
      type: 'string',
      minLength: 1,
      'x-type': 'regex',
      description:
        "Regular expression in Ruby's syntax; each named group becomes a field. May be written as `/…/` with the letters i, m and x behind it.",
    },
  },
} as const;

export interface Options extends ParserOptions {
  readonly regex: string;
}
