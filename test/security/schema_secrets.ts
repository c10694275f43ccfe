import type { JsonSchema } from '../../core/config/json_schema.ts';
import type { PluginSchema } from '../../core/config/schema.ts';
import { inputProperties, outputProperties } from '../../core/config/base_options.ts';
import { schemaOf } from '../../core/config/schema_of.ts';
import { ownPlugins } from '../../cli/plugin_set.ts';

export interface PluginOptions {
  readonly plugin: PluginSchema;
  readonly section: 'inputs' | 'filters' | 'outputs';
  /** Options whose values are secrets. */
  readonly secrets: readonly string[];
  /** Options that take any text, so that a URL with a password may stand in them. */
  readonly texts: readonly string[];
  /** Lists of HTTP headers. */
  readonly headers: readonly string[];
}

const sharedBy: Readonly<Record<string, Readonly<Record<string, JsonSchema>>>> = {
  input: inputProperties,
  output: outputProperties,
};

/** What each plugin's schema says about its options: nothing here names a plugin. */
export async function pluginOptions(): Promise<PluginOptions[]> {
  const { plugins } = await ownPlugins();
  const seen = new Set<string>();
  return plugins
    .map((plugin) => schemaOf(plugin))
    .filter((plugin) => plugin.kind !== 'parser')
    .map((plugin) => {
      const own: Readonly<Record<string, JsonSchema>> = plugin.schema.properties ?? {};
      // What all of a kind have counts for the first of them.
      const shared: Readonly<Record<string, JsonSchema>> =
        (seen.has(plugin.kind) ? undefined : sharedBy[plugin.kind]) ?? {};
      seen.add(plugin.kind);
      const options = Object.entries({ ...shared, ...own });
      const named = (is: (schema: JsonSchema) => boolean) =>
        options.filter(([, schema]) => is(schema)).map(([name]) => name);
      return {
        plugin,
        section: `${plugin.kind as 'input' | 'filter' | 'output'}s` as const,
        secrets: named((schema) => schema['x-type'] === 'secret'),
        texts: named(isText),
        headers: named((schema) => schema.items?.['x-header'] === true),
      };
    });
}

function isText(schema: JsonSchema): boolean {
  const types = [schema.type ?? []].flat();
  const isList = types.includes('array') && schema.items?.type === 'string';
  return (
    (types.includes('string') || isList) &&
    schema['x-type'] === undefined &&
    schema.enum === undefined
  );
}
