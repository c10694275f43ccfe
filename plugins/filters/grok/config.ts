const texts = { type: 'array', items: { type: 'string', minLength: 1 } } as const;

export const schema = {
  type: 'object',
  properties: {
    key_name: {
      type: 'string',
      minLength: 1,
      'x-type': 'field',
      description:
        'Field to match. When absent, the raw line: `log`, else `message`, else the only field of the record.',
    },
    pattern: {
      type: 'string',
      minLength: 1,
      description:
        'The pattern, such as `%{COMBINEDAPACHELOG}` or `%{IP:client} %{NUMBER:ms:float}`.',
    },
    patterns: {
      description:
        'Patterns tried in order; or a map of fields to patterns, each field being matched against its own.',
      anyOf: [
        { type: 'array', minItems: 1, items: { type: 'string', minLength: 1 } },
        {
          type: 'object',
          minProperties: 1,
          additionalProperties: {
            anyOf: [
              { type: 'string', minLength: 1 },
              { type: 'array', minItems: 1, items: { type: 'string', minLength: 1 } },
            ],
          },
        },
      ],
    },
    pattern_definitions: {
      type: 'object',
      additionalProperties: { type: 'string' },
      description: 'Patterns of your own by name; they win over files, which win over the library.',
    },
    patterns_dir: {
      ...texts,
      description:
        'Files, directories of files, or paths with wildcards (`*`, `**`, `?`, `[..]`, `{a,b}`), with a definition `NAME expression` a line; relative to the pipeline file.',
    },
    patterns_files_glob: {
      type: 'string',
      minLength: 1,
      default: '*',
      description: 'Which files are read of the directories in `patterns_dir`, such as `*.grok`.',
    },
    ecs_compatibility: {
      enum: ['disabled', 'v1'],
      default: 'disabled',
      description:
        'Field names of the library: flat as `clientip`, or those of the Elastic Common Schema as `[source][address]`.',
    },
    named_captures_only: {
      type: 'boolean',
      default: true,
      description:
        'Whether only what has a field name is stored; else `%{WORD}` fills the field WORD.',
    },
    break_on_match: {
      type: 'boolean',
      default: true,
      description: 'Whether the first pattern that matches is the last one tried.',
    },
    keep_empty_captures: {
      type: 'boolean',
      default: false,
      description: 'Whether captures of nothing are stored, too.',
    },
    overwrite: {
      ...texts,
      default: [],
      description:
        'Fields whose value a capture replaces; elsewhere a capture joins what is there to a list.',
    },
    target: {
      type: 'string',
      minLength: 1,
      'x-type': 'field',
      description: 'Field under which all captures go.',
    },
    tag_on_failure: {
      ...texts,
      default: ['_grokparsefailure'],
      description: 'Marks put into `tags` when no pattern matches.',
    },
    tag_on_timeout: {
      type: 'string',
      default: '_groktimeout',
      description: 'Mark put into `tags` when matching took longer than `timeout_millis`.',
    },
    timeout_millis: {
      'x-type': 'duration',
      'x-unit': 'ms',
      'x-minimum': 1,
      'x-maximum': 60000,
      default: '20ms',
      description: 'Time that one line may take in one pattern; a bare number is in milliseconds.',
    },
    add_field: {
      type: 'object',
      additionalProperties: {
        anyOf: [
          { type: ['string', 'number', 'boolean'] },
          { type: 'array', items: { type: 'string' } },
        ],
      },
      description: 'Fields to add when a pattern matched; texts may refer to fields as `%{name}`.',
    },
    remove_field: { ...texts, description: 'Fields to remove when a pattern matched.' },
    add_tag: { ...texts, description: 'Marks to put into `tags` when a pattern matched.' },
    remove_tag: { ...texts, description: 'Marks to take out of `tags` when a pattern matched.' },
  },
} as const;

export interface Options {
  readonly key_name?: string;
  readonly pattern?: string;
  readonly patterns?: readonly string[] | Readonly<Record<string, string | readonly string[]>>;
  readonly pattern_definitions?: Readonly<Record<string, string>>;
  readonly patterns_dir?: readonly string[];
  readonly patterns_files_glob?: string;
  readonly ecs_compatibility?: 'disabled' | 'v1';
  readonly named_captures_only?: boolean;
  readonly break_on_match?: boolean;
  readonly keep_empty_captures?: boolean;
  readonly overwrite?: readonly string[];
  readonly target?: string;
  readonly tag_on_failure?: readonly string[];
  readonly tag_on_timeout?: string;
  readonly timeout_millis?: number;
  readonly add_field?: Readonly<Record<string, string | number | boolean | readonly string[]>>;
  readonly remove_field?: readonly string[];
  readonly add_tag?: readonly string[];
  readonly remove_tag?: readonly string[];
}

/** A field (undefined: the raw line) and its patterns. */
export interface FieldPatterns {
  readonly field: string | undefined;
  readonly patterns: readonly string[];
}

/** The patterns of the options by field, in order. */
export function fieldPatterns(options: Options): readonly FieldPatterns[] {
  const { key_name: field, pattern, patterns = [] } = options;
  if (pattern !== undefined) return [{ field, patterns: [pattern] }];
  if (isList(patterns)) return [{ field, patterns }];
  return Object.entries(patterns).map(([name, own]) => ({
    field: name,
    patterns: typeof own === 'string' ? [own] : own,
  }));
}

/** `Array.isArray` does not tell a readonly list from a map. */
export function isList(patterns: NonNullable<Options['patterns']>): patterns is readonly string[] {
  return Array.isArray(patterns);
}
