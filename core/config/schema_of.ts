import type { AnyPlugin } from '../sdk/define.ts';
import type { PluginSchema } from './schema.ts';

/** What the loader must know of a plugin. */
export function schemaOf(plugin: AnyPlugin): PluginSchema {
  const { kind, name, aliases, summary, schema, check } = plugin;
  return {
    kind,
    name,
    summary,
    // Plugins write JSON Schema with the loader's annotations; a test checks each with ajv.
    schema: schema as unknown as PluginSchema['schema'],
    ...(aliases === undefined ? {} : { aliases }),
    // The loader calls it with options that the plugin's own schema gave their shape.
    ...(check === undefined
      ? {}
      : { check: check as unknown as NonNullable<PluginSchema['check']> }),
  };
}
