import type { AnyPlugin } from '../core/sdk/define.ts';
import { cell, page } from './generate_reference.ts';

/** One page for each kind of plugin, with the options of all its plugins, and an index. */
export function pluginPages(
  plugins: readonly AnyPlugin[],
): { readonly path: string; readonly content: string }[] {
  const kinds = ['input', 'parser', 'filter', 'output'] as const;
  return kinds.map((kind) => {
    const own = plugins
      .filter((plugin) => plugin.kind === kind)
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    const title = `${kind.slice(0, 1).toUpperCase()}${kind.slice(1)}s`;
    const list = own.map(({ name, summary }) => `- [\`${name}\`](#${name}): ${summary}`);
    const sections = own.flatMap(pluginSection);
    return {
      path: `docs/reference/${kind}s.md`,
      content: page(title, `the schemas below plugins/${kind}s`, [...list, '', ...sections]),
    };
  });
}

function pluginSection(plugin: AnyPlugin): string[] {
  const { name, aliases, summary, description, stability, schema, example } = plugin;
  const also =
    aliases === undefined ? '' : ` Also called ${aliases.map((one) => `\`${one}\``).join(', ')}.`;
  const required = new Set(schema.required ?? []);
  const rows = Object.entries(schema.properties).map(
    ([key, option]) =>
      `| \`${key}\`${required.has(key) ? ' (required)' : ''} | ${cell(typeOf(option))} | ${cell(defaultOf(option))} | ${cell(String(option['description'] ?? ''))} |`,
  );
  const table =
    rows.length === 0
      ? ['It has no options of its own.']
      : ['| option | type | default | meaning |', '|---|---|---|---|', ...rows];
  return [
    `## ${name}`,
    '',
    `${summary}${also} Stability: ${stability}.`,
    '',
    ...(description === undefined ? [] : [description, '']),
    ...table,
    '',
    ...(example === '' ? [] : ['```yaml', example.trimEnd(), '```', '']),
  ];
}

function typeOf(option: Readonly<Record<string, unknown>>): string {
  if (Array.isArray(option['enum'])) {
    return option['enum'].map((value) => `\`${String(value)}\``).join(', ');
  }
  const special = option['x-type'];
  if (typeof special === 'string') return special.replaceAll('_', ' ');
  const type = option['type'];
  if (Array.isArray(type)) return type.join(' or ');
  return typeof type === 'string' ? type : 'one of several forms';
}

function defaultOf(option: Readonly<Record<string, unknown>>): string {
  const value = option['default'];
  if (value === undefined) return '';
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}
