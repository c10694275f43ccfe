import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { validatorSource } from '../core/config/compile_schema.ts';
import type { JsonSchema } from '../core/config/json_schema.ts';
import { validatorFile } from '../core/config/precompiled.ts';
import { buildComponentSchema, buildCoreSchema } from '../core/config/schema.ts';
import { schemaOf } from '../core/config/schema_of.ts';
import { findPlugins } from './generate_catalogue.ts';
import { projectRoot } from './project_root.ts';

/** The schemas that a pipeline file is held against, without third-party plugins. */
export async function shippedSchemas(): Promise<readonly JsonSchema[]> {
  const plugins = await findPlugins(projectRoot());
  return [
    buildCoreSchema(),
    ...plugins.map(({ plugin }) => buildComponentSchema(schemaOf(plugin))),
  ];
}

/** Writes the validators of all shipped schemas to a folder that has nothing else. */
export async function buildValidators(directory: string): Promise<void> {
  mkdirSync(directory, { recursive: true });
  const schemas = new Map(
    (await shippedSchemas()).map((schema) => [validatorFile(schema), schema]),
  );
  for (const file of readdirSync(directory)) {
    if (!schemas.has(file)) rmSync(join(directory, file));
  }
  for (const [file, schema] of schemas) {
    writeFileSync(join(directory, file), validatorSource(schema));
  }
}
