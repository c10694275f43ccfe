import { baseProperties, type PluginKind } from './base_options.ts';
import { expandSchema, type SchemaForm } from './expand_schema.ts';
import type { JsonSchema } from './json_schema.ts';
import { serviceSchema } from './service_options.ts';

/** A problem that a plugin finds in its own options, at a path in them. */
export interface OptionProblem {
  readonly path?: string | readonly (string | number)[];
  readonly message: string;
  readonly expected?: string;
  readonly severity?: 'error' | 'warning';
}

/** What a plugin can be named by. */
export interface PluginName {
  readonly kind: PluginKind;
  readonly name: string;
  readonly aliases?: readonly string[];
}

/** Whether a text in a pipeline file names the plugin: in any case, by its name or an alias. */
export function isNamed({ name, aliases = [] }: PluginName, text: string): boolean {
  const wanted = text.trim().toLowerCase();
  return [name, ...aliases].some((one) => one.toLowerCase() === wanted);
}

/** What the pipeline file must know of a plugin. */
export interface PluginSchema extends PluginName {
  readonly summary: string;
  /** Schema of the plugin's own options: an object with `properties`. */
  readonly schema: JsonSchema;
  /** Checks the normalised options as a whole; pure. */
  readonly check?: (options: Readonly<Record<string, unknown>>) => readonly OptionProblem[];
}

/** Options that belong to every entry of `multiline_parsers`. */
export const multilineParserSchema = {
  type: 'object',
  required: ['name'],
  properties: {
    name: { type: 'string', minLength: 1, description: 'Name that `multiline.parser` refers to.' },
    type: {
      enum: ['regex', 'endswith', 'equal', 'eq'],
      default: 'regex',
      description: 'How lines are told apart: by rules, by their end, or by their whole.',
    },
    match_string: {
      type: 'string',
      minLength: 1,
      description: 'Text that `endswith` and `equal` look for.',
    },
    negate: { type: 'boolean', default: false, description: 'Whether that match is turned round.' },
    flush_timeout: {
      'x-type': 'duration',
      'x-unit': 'ms',
      'x-minimum': 1,
      default: 4000,
      description: 'Wait before an open record is passed on; a bare number is milliseconds.',
    },
    key_content: { type: 'string', minLength: 1, description: 'Field that has the text.' },
    key_group: { type: 'string', minLength: 1, description: 'Field that tells streams apart.' },
    key_pattern: { type: 'string', minLength: 1, description: 'Field that has the pattern.' },
    parser: {
      type: 'string',
      minLength: 1,
      'x-ref': 'parser',
      description: 'Parser applied to each line before the rules.',
    },
    rules: {
      type: 'array',
      description: 'State machine; the first state is `start_state`.',
      items: {
        type: 'object',
        required: ['state', 'regex', 'next_state'],
        properties: {
          state: { type: 'string', minLength: 1, description: 'State in which the rule holds.' },
          regex: {
            type: 'string',
            minLength: 1,
            'x-type': 'regex',
            description: 'What the line must match; may be written as `/…/`.',
          },
          next_state: { type: 'string', minLength: 1, description: 'State after the line.' },
        },
      },
    },
  },
} as const satisfies JsonSchema;

const testSchema = {
  type: 'object',
  required: ['name'],
  properties: {
    name: { type: 'string', minLength: 1, description: 'What the test shows, as a sentence.' },
    input: {
      type: 'string',
      minLength: 1,
      description: 'Input, by its alias, that gets the lines.',
    },
    tag: { type: 'string', minLength: 1, description: 'Tag of the lines, when no input is named.' },
    lines: { type: 'array', items: { type: 'string' }, description: 'Lines that are put in.' },
    records: {
      type: 'array',
      items: { type: 'object', additionalProperties: true },
      description: 'Records that are put in.',
    },
    output: {
      type: 'string',
      minLength: 1,
      description: 'Output, by its alias, that is looked at.',
    },
    expect: {
      type: 'array',
      items: { type: 'object', additionalProperties: true },
      description: 'Records that come out, in order; fields not written here are not compared.',
    },
  },
} as const satisfies JsonSchema;

const environmentSchema = {
  description: 'Values of variables, as a map or as a list of `{name, value}`.',
  oneOf: [
    { type: 'object', additionalProperties: { type: ['string', 'number', 'boolean', 'null'] } },
    {
      type: 'array',
      items: {
        type: 'object',
        required: ['name'],
        properties: {
          name: { type: 'string', minLength: 1, description: 'Name of the variable.' },
          value: { type: ['string', 'number', 'boolean', 'null'], description: 'Its value.' },
          uri: { type: 'string', pattern: '^file://', description: 'File that has its value.' },
          refresh_interval: { type: ['string', 'number'], 'x-ignored': 'Variables are read once.' },
        },
      },
    },
  ],
} as const satisfies JsonSchema;

const anyComponent = { type: 'object', additionalProperties: true } as const satisfies JsonSchema;

/** The sections of a file; entries that plugins describe are those of `components`. */
function sections(components: Readonly<Record<PluginKind, JsonSchema>>): JsonSchema {
  const list = (items: JsonSchema, description: string): JsonSchema => ({
    type: 'array',
    items,
    description,
  });
  return {
    type: 'object',
    properties: {
      service: serviceSchema,
      env: environmentSchema,
      includes: list(
        { type: 'string', minLength: 1 },
        'Files to read as well: paths or globs, relative to this file.',
      ),
      parsers: list(components.parser, 'Parsers that inputs and filters refer to by name.'),
      multiline_parsers: list(multilineParserSchema, 'Rules that join lines into records.'),
      plugins: list(
        { type: 'string', minLength: 1 },
        'Third-party plugins: names of npm packages, or paths of modules relative to this file.',
      ),
      pipeline: {
        type: 'object',
        description: 'Where records come from, what is done to them, and where they go.',
        properties: {
          inputs: list(components.input, 'Where records come from.'),
          filters: list(components.filter, 'What is done to records, in order.'),
          outputs: list(components.output, 'Where records go.'),
        },
      },
      tests: list(testSchema, 'Lines to put in and records to expect, for `sluice check`.'),
    },
  };
}

/** Schema of a file without its components, which are validated one by one against their own plugin. */
export function buildCoreSchema(): JsonSchema {
  const open = {
    input: anyComponent,
    filter: anyComponent,
    output: anyComponent,
    parser: anyComponent,
  };
  return expandSchema(sections(open), 'validation');
}

/** The key of an entry that names its plugin. */
export function nameKeyOf(kind: PluginKind): 'name' | 'format' {
  return kind === 'parser' ? 'format' : 'name';
}

/** Schema of one component: the base options of its kind and the plugin's own, which win. */
export function buildComponentSchema(
  plugin: PluginSchema,
  form: SchemaForm = 'validation',
): JsonSchema {
  const { schema } = plugin;
  const nameKey = nameKeyOf(plugin.kind);
  const required = plugin.kind === 'parser' ? ['name', 'format'] : ['name'];
  const names = [plugin.name, ...(plugin.aliases ?? [])];
  const name: Record<string, JsonSchema> = {
    ...(plugin.kind === 'parser'
      ? { name: { type: 'string', minLength: 1, description: 'Name of the parser.' } }
      : {}),
    [nameKey]: { enum: names, description: plugin.summary },
  };
  return expandSchema(
    {
      ...schema,
      type: 'object',
      description: plugin.summary,
      properties: { ...baseProperties[plugin.kind], ...schema.properties, ...name },
      required: [...new Set([...required, ...(schema.required ?? [])])],
    },
    form,
  );
}

const schemaDialect = 'http://json-schema.org/draft-07/schema#';

/** The one schema of the whole file, draft-07, for editors (`form: 'editor'`, the default) and for a validator
 *  over a loaded file. Each component is held to the schema of the plugin that it names. */
export function buildFileSchema(
  plugins: readonly PluginSchema[],
  form: SchemaForm = 'editor',
): JsonSchema {
  const definitions: Record<string, JsonSchema> = {};
  const branches: Record<PluginKind, JsonSchema[]> = {
    input: [],
    filter: [],
    output: [],
    parser: [],
  };
  const names: Record<PluginKind, string[]> = { input: [], filter: [], output: [], parser: [] };
  for (const plugin of plugins) {
    const id = `${plugin.kind}_${plugin.name}`;
    definitions[id] = buildComponentSchema(plugin, form);
    const spelled = [plugin.name, ...(plugin.aliases ?? [])];
    names[plugin.kind].push(...spelled);
    const nameKey = nameKeyOf(plugin.kind);
    branches[plugin.kind].push({
      if: { properties: { [nameKey]: { enum: spelled } }, required: [nameKey] },
      // biome-ignore lint/suspicious/noThenProperty: `then` is a keyword of JSON Schema.
      then: { $ref: `#/definitions/${id}` },
    });
  }
  const component = (kind: PluginKind): JsonSchema => {
    const nameKey = nameKeyOf(kind);
    return {
      type: 'object',
      properties: { [nameKey]: { enum: names[kind], description: 'The plugin.' } },
      required: kind === 'parser' ? ['name', 'format'] : ['name'],
      additionalProperties: true,
      ...(branches[kind].length === 0 ? {} : { allOf: branches[kind] }),
    };
  };
  const file = expandSchema(
    sections({
      input: component('input'),
      filter: component('filter'),
      output: component('output'),
      parser: component('parser'),
    }),
    form,
  );
  return { $schema: schemaDialect, title: 'Sluice pipeline file', ...file, definitions };
}
