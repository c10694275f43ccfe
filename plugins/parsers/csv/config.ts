import type { ParserOptions } from '../../shared/parsing/parser_options.ts';

export const schema = {
  type: 'object',
  properties: {
    columns: {
      'x-type': 'comma_list',
      description: 'Names of the columns, in order; further ones are column5 and so on, from 1.',
    },
    autodetect_column_names: {
      type: 'boolean',
      default: false,
      description:
        'Whether the first text names the columns; it, and every text equal to it, is dropped. For inputs whose files all have the same header.',
    },
    skip_header: {
      type: 'boolean',
      default: false,
      description: 'Whether a text that holds just the names in `columns` is dropped.',
    },
    separator: {
      type: 'string',
      minLength: 1,
      maxLength: 16,
      default: ',',
      description: 'Text between two values; `\\t` is a tab.',
    },
    quote_char: {
      type: 'string',
      maxLength: 1,
      default: '"',
      description: 'Character around values that hold separators; doubled inside. Empty: none.',
    },
  },
} as const;

export interface Options extends ParserOptions {
  readonly columns?: readonly string[];
  readonly autodetect_column_names?: boolean;
  readonly skip_header?: boolean;
  readonly separator?: string;
  readonly quote_char?: string;
}
