import { baseProperties } from '../../core/config/base_options.ts';
import type { JsonSchema } from '../../core/config/json_schema.ts';
import type { AnyPlugin } from '../../core/sdk/define.ts';
import type { Command } from '../command.ts';
import { exitCode } from '../exit_codes.ts';
import { findPlugins } from '../find_plugins.ts';
import { TextOutput } from '../text_output.ts';
import { usageError } from '../usage_error.ts';

/** `sluice docs PLUGIN`: what a plugin does, its options, an example. */
export const docs: Command = {
  name: 'docs',
  summary: 'Explains a plugin: what it does, every option, an example.',
  usage: 'sluice docs PLUGIN',
  options: {},
  async run(call) {
    const [name] = call.positionals;
    if (name === undefined || call.positionals.length > 1) {
      return usageError(call, docs, 'name one plugin');
    }
    const found = await findPlugins(name);
    if (typeof found === 'string') {
      call.stderr.write(`error: ${found}\n`);
      return exitCode.failure;
    }
    const out = new TextOutput(call.stdout);
    const width = call.stdout.isTTY === true ? Math.min(process.stdout.columns ?? 100, 120) : 100;
    await out.write(found.map((plugin) => pluginText(plugin, width)).join('\n\n'));
    await out.finish();
    return exitCode.ok;
  },
};

function pluginText(plugin: AnyPlugin, width: number): string {
  const { kind, name, aliases, summary, description, stability, schema, example } = plugin;
  const title = `${name} (${kind}, ${stability})`;
  const also = aliases === undefined ? '' : `Also called: ${aliases.join(', ')}.\n\n`;
  const about =
    description === undefined ? '' : `${wrap(description.replaceAll('\n', ' '), width, '')}\n\n`;
  // Plugins write JSON Schema with the loader's annotations.
  const own = schema.properties as unknown as Readonly<Record<string, JsonSchema>>;
  const required = schema.required ?? [];
  const inherited = Object.fromEntries(
    Object.entries(baseProperties[kind]).filter(([key]) => own[key] === undefined),
  );
  return `${title}\n${'='.repeat(title.length)}\n${wrap(summary, width, '')}\n\n${about}${also}Options\n\n${optionsText(own, required, width)}
Options that every ${kind} has\n\n${optionsText(inherited, [], width)}
Example\n\n${example.trimEnd().replace(/^/gm, '  ')}\n`;
}

function optionsText(
  properties: Readonly<Record<string, JsonSchema>>,
  required: readonly string[],
  width: number,
  indent = '  ',
): string {
  const entries = Object.entries(properties);
  if (entries.length === 0) return `${indent}none\n`;
  return entries
    .map(([key, schema]) => optionText(key, schema, required.includes(key), width, indent))
    .join('');
}

function optionText(
  key: string,
  schema: JsonSchema,
  isRequired: boolean,
  width: number,
  indent: string,
): string {
  const fallback =
    schema.default === undefined ? '' : `, default ${JSON.stringify(schema.default)}`;
  const head = `${indent}${key} (${typeText(schema)}${isRequired ? ', required' : fallback})\n`;
  const about = wrap(schema.description ?? '', width, `${indent}    `);
  const inner = schema.properties ?? schema.items?.properties;
  const innerRequired = schema.required ?? schema.items?.required ?? [];
  const below =
    inner === undefined ? '' : optionsText(inner, innerRequired, width, `${indent}      `);
  return `${head}${about}\n${below}`;
}

const spellings: Readonly<Record<string, string>> = {
  duration: 'duration, as 5s',
  size: 'size, as 2MB',
  secret: 'secret: text, {file: PATH} or {env: NAME}',
  field: "field, as a.b or $a['b']",
  expression: 'expression',
  regex: 'regular expression',
  template: 'text with references, as %{field}',
  date_format: 'date format',
  time_zone: 'time zone',
  comma_list: 'list, or text with commas',
  space_list: 'list, or text with spaces',
  boolean_word: 'boolean',
  retry_limit: 'number, no_limits or no_retries',
};

function typeText(schema: JsonSchema): string {
  const spelled = schema['x-type'];
  if (spelled !== undefined) return spellings[spelled] ?? spelled;
  if (schema.enum !== undefined) return schema.enum.map(String).join(' | ');
  if (schema.type === 'array') {
    return `list of ${schema.items === undefined ? 'anything' : typeText(schema.items)}`;
  }
  const branches = schema.oneOf ?? schema.anyOf;
  if (branches !== undefined && schema.type === undefined) {
    return [...new Set(branches.map(typeText))].join(' or ');
  }
  if (schema.type === undefined) return 'anything';
  return typeof schema.type === 'string' ? schema.type : schema.type.join(' or ');
}

/** Breaks a text into lines of at most `width` characters, each with the indent. */
function wrap(text: string, width: number, indent: string): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line !== '' && indent.length + line.length + 1 + word.length > width) {
      lines.push(indent + line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  lines.push(indent + line);
  return lines.join('\n');
}
