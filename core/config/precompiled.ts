import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { compileFunction } from 'node:vm';
import { readDataFile } from '../program/data_file.ts';
import type { Validator } from './compile_schema.ts';
import type { JsonSchema } from './json_schema.ts';

/** Folder of compiled validators, beside this file or, in the bundle, beside all code. */
const folder = './validators/';

/** Finds the validator that the build made of exactly this schema. The name of the file is a hash of the schema:
 *  one that differs in a letter has none. */
export function precompiledValidator(schema: JsonSchema): Validator | undefined {
  const source = readDataFile(`${folder}${validatorFile(schema)}`, import.meta.url);
  if (source === undefined) return undefined;
  // The build wrote it: a CommonJS module that exports the validator.
  const module: { exports: unknown } = { exports: {} };
  const names = ['module', 'exports', 'require'];
  const run = compileFunction(source.toString(), names);
  run(module, module.exports, createRequire(import.meta.url));
  return module.exports as Validator;
}

const hexLength = 20;

/** Name of the file that has the validator of a schema. */
export function validatorFile(schema: JsonSchema): string {
  const hash = createHash('sha256').update(JSON.stringify(schema)).digest('hex');
  return `${hash.slice(0, hexLength)}.cjs`;
}
