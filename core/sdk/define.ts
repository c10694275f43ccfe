import type {
  BatchFilter,
  EventFilter,
  Input,
  InputContext,
  OptionProblem,
  Output,
  OutputContext,
  Parser,
  PluginContext,
} from './contracts.ts';

export type Stability = 'experimental' | 'beta' | 'stable';

/** What every plugin says of itself. `Options` is the shape that its schema gives after
 *  defaults and units are applied. */
export interface PluginDescription<Options> {
  readonly name: string;
  readonly aliases?: readonly string[];
  /** One sentence, for lists. */
  readonly summary: string;
  /** Paragraphs in Markdown, for the reference. */
  readonly description?: string;
  readonly stability: Stability;
  /** JSON Schema of the plugin's own options: `{type: 'object', properties, required?}`. */
  readonly schema: OptionsSchema;
  /** A pipeline file, or a piece of one, that works as it stands. */
  readonly example: string;
  /** What a schema cannot say; pure. */
  check?(options: Options): OptionProblem[];
}

export interface OptionsSchema {
  readonly type: 'object';
  readonly properties: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly required?: readonly string[];
}

export interface InputPlugin<Options = unknown> extends PluginDescription<Options> {
  readonly kind: 'input';
  /** May end by itself (`exit_on_eof`), with these options. */
  isFinite?(options: Options): boolean;
  /** The input can replay what was not acknowledged (files); others want a disk buffer. */
  readonly replayable?: boolean;
  /** The input refuses what was not taken to its sender, who can send it again. */
  readonly refusable?: boolean;
  create(options: Options, context: InputContext): Input;
}

export interface FilterPlugin<Options = unknown> extends PluginDescription<Options> {
  readonly kind: 'filter';
  /** What becomes of a record depends on that record and the options alone, so that each worker
   *  thread may have an instance (`service.workers`). A filter that remembers earlier records, or
   *  counts them, leaves it out. */
  readonly isStateless?: boolean;
  create(options: Options, context: PluginContext): BatchFilter | EventFilter;
}

export interface OutputPlugin<Options = unknown> extends PluginDescription<Options> {
  readonly kind: 'output';
  /** Defaults that suit the destination better than the engine's. */
  readonly batch?: { readonly bytes?: number; readonly records?: number };
  readonly concurrency?: number;
  /** The encoder is complete when the output is created, and keeps nothing that `deliver` looks
   *  at: worker threads may have encoders of outputs that are never opened (`service.workers`). */
  readonly encodesApart?: boolean;
  create(options: Options, context: OutputContext): Output;
}

export interface ParserPlugin<Options = unknown> extends PluginDescription<Options> {
  readonly kind: 'parser';
  /** Usable by its name without a definition under `parsers:`, with these options. */
  readonly builtIn?: boolean;
  /** With these options, what becomes of a text depends on that text alone, so that filters in
   *  several worker threads may use it (`service.workers`). */
  isStateless?(options: Options): boolean;
  create(options: Options, context: PluginContext & { readonly parserName: string }): Parser;
}

// The registry holds plugins of every option type; each checks its own by its schema.
export type AnyPlugin =
  | InputPlugin<never>
  | FilterPlugin<never>
  | OutputPlugin<never>
  | ParserPlugin<never>;

/** What can be known of a plugin without its code. */
export interface PluginEntry {
  readonly kind: AnyPlugin['kind'];
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly summary: string;
  readonly stability: Stability;
  /** Imports the code; any plugin is checked by its own schema, so its option type is left out. */
  readonly load: () => Promise<PluginDescription<never>>;
}

/** Declares an input. */
export function defineInput<Options>(
  plugin: Omit<InputPlugin<Options>, 'kind'>,
): InputPlugin<Options> {
  return { kind: 'input', ...plugin };
}

/** Declares a filter. */
export function defineFilter<Options>(
  plugin: Omit<FilterPlugin<Options>, 'kind'>,
): FilterPlugin<Options> {
  return { kind: 'filter', ...plugin };
}

/** Declares an output. */
export function defineOutput<Options>(
  plugin: Omit<OutputPlugin<Options>, 'kind'>,
): OutputPlugin<Options> {
  return { kind: 'output', ...plugin };
}

/** Declares a parser: a `format` that definitions under `parsers:` can name. */
export function defineParser<Options>(
  plugin: Omit<ParserPlugin<Options>, 'kind'>,
): ParserPlugin<Options> {
  return { kind: 'parser', ...plugin };
}
