import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Validator } from './compile_schema.ts';
import type { JsonSchema } from './json_schema.ts';

/** Folder of compiled validators, beside this file or, in the bundle, beside all code. */
const folder = './validators/';

/** Finds the validator that the build made of exactly this schema. The name of the file is a hash of the schema:
 *  one that differs in a letter has none. */
export function precompiledValidator(schema: JsonSchema): Validator | undefined {
  const path = new URL(`${folder}${validatorFile(schema)}`, import.meta.url);
  if (!existsSync(path)) return undefined;
  return createRequire(import.meta.url)(fileURLToPath(path)) as Validator; // The build wrote it.
}

const hexLength = 20;

/** Name of the file that has the validator of a schema. */
export function validatorFile(schema: JsonSchema): string {
  const hash = createHash('sha256').update(JSON.stringify(schema)).digest('hex');
  return `${hash.slice(0, hexLength)}.cjs`;
}
