import type { PluginContext } from '../../../core/sdk/index.ts';

/** Options that every definition under `parsers:` may have, normalised; `core/config` has their schema. */
export interface ParserOptions {
  readonly time_key?: string;
  readonly time_format?: string;
  readonly time_keep?: boolean;
  readonly time_offset?: string;
  readonly time_zone?: string;
  readonly time_system_timezone?: boolean;
  readonly time_strict?: boolean;
  /** `key:type` each. */
  readonly types?: readonly string[];
  readonly skip_empty_values?: boolean;
  /** `decoder field [action]` each. */
  readonly decode_field?: readonly string[];
  readonly decode_field_as?: readonly string[];
}

/** What a parser is created with. */
export type ParserContext = PluginContext & { readonly parserName: string };
