import { messageOf, SluiceError } from '../errors/sluice_error.ts';
import { SchemaCompiler, type ValidationContext, type Validator } from './compile_schema.ts';
import type { Diagnostic } from './diagnostic.ts';
import type { JsonSchema } from './json_schema.ts';
import type { ConfigNode } from './node.ts';
import { toValue } from './node.ts';
import { precompiledValidator } from './precompiled.ts';
import { explainErrors } from './schema_errors.ts';
import { checkSpelling, repetitionIn, type SyntaxChecks } from './spelling_check.ts';

/** Validates trees against schemas; every error becomes a diagnostic at its place. The build compiled the schemas
 *  of built-in plugins; others are compiled when first used. */
export class SchemaValidator {
  readonly #compiler = new SchemaCompiler();
  readonly #validators = new Map<JsonSchema, Validator>();
  readonly #context: ValidationContext;

  constructor(checks: SyntaxChecks = {}) {
    this.#context = {
      spelling(schema, value) {
        const problem = checkSpelling(schema, value, checks);
        return problem === undefined ? undefined : { ...problem, type: schema['x-type'] };
      },
      repetition: repetitionIn,
    };
  }

  /** Validates one tree. `path` is where it stands in the file. Throws SLUICE_BUG for a schema that is broken. */
  validate(
    node: ConfigNode,
    schema: JsonSchema,
    path: readonly (string | number)[] = [],
  ): readonly Diagnostic[] {
    const validate = this.#validatorOf(schema);
    if (validate.call(this.#context, toValue(node))) return [];
    return explainErrors(validate.errors ?? [], node, path);
  }

  #validatorOf(schema: JsonSchema): Validator {
    const known = this.#validators.get(schema);
    if (known !== undefined) return known;
    try {
      const found = precompiledValidator(schema) ?? this.#compiler.compile(schema);
      this.#validators.set(schema, found);
      return found;
    } catch (error) {
      throw new SluiceError('SLUICE_BUG', `An option schema is broken: ${messageOf(error)}.`, {
        cause: error,
      });
    }
  }
}
