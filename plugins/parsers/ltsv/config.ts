import type { ParserOptions } from '../../shared/parsing/parser_options.ts';

export const schema = { type: 'object', properties: {} } as const;

export type Options = ParserOptions;
