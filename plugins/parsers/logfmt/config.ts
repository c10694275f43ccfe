import type { ParserOptions } from '../../shared/parsing/parser_options.ts';

export const schema = {
  type: 'object',
  properties: {
    logfmt_no_bare_keys: {
      type: 'boolean',
      default: false,
      description:
        'Whether a key without a value (`debug` in `a=1 debug`) makes a text unfit; else it becomes `true`.',
    },
  },
} as const;

export interface Options extends ParserOptions {
  readonly logfmt_no_bare_keys?: boolean;
}
