import type { ParserOptions } from '../../shared/parsing/parser_options.ts';

export const schema = {
  type: 'object',
  properties: {
    field_split: {
      type: 'string',
      minLength: 1,
      default: ' ',
      description: 'Characters between two pairs; `\\t` and `\\n` are a tab and a line feed.',
    },
    value_split: {
      type: 'string',
      minLength: 1,
      default: '=',
      description: 'Characters between a key and its value.',
    },
    trim_key: {
      type: 'string',
      default: '',
      description: 'Characters to take off both ends of keys.',
    },
    trim_value: {
      type: 'string',
      default: '',
      description: 'Characters to take off both ends of values.',
    },
    prefix: { type: 'string', default: '', description: 'Text to put before every key.' },
    include_brackets: {
      type: 'boolean',
      default: true,
      description: 'Whether `(…)`, `[…]` and `<…>` around a value work like quotes.',
    },
    allow_duplicate_values: {
      type: 'boolean',
      default: true,
      description: 'Whether a key that comes again with the same value gets it twice in its list.',
    },
    include_keys: {
      type: 'array',
      items: { type: 'string' },
      description: 'Keys to take, before the prefix; all when absent.',
    },
    exclude_keys: {
      type: 'array',
      items: { type: 'string' },
      description: 'Keys to leave out, before the prefix.',
    },
    whitespace: {
      enum: ['lenient', 'strict'],
      default: 'lenient',
      description: 'Whether blanks around `value_split` are passed over.',
    },
  },
} as const;

export interface Options extends ParserOptions {
  readonly field_split?: string;
  readonly value_split?: string;
  readonly trim_key?: string;
  readonly trim_value?: string;
  readonly prefix?: string;
  readonly include_brackets?: boolean;
  readonly allow_duplicate_values?: boolean;
  readonly include_keys?: readonly string[];
  readonly exclude_keys?: readonly string[];
  readonly whitespace?: 'lenient' | 'strict';
}
