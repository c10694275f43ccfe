import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { messageOf, SluiceError } from '../errors/sluice_error.ts';
import type { Diagnostic } from './diagnostic.ts';
import { annotationKeywords, type JsonSchema } from './json_schema.ts';
import type { ConfigNode } from './node.ts';
import { toValue } from './node.ts';
import { explainErrors } from './schema_errors.ts';
import { checkSpelling, type SyntaxChecks } from './spelling_check.ts';

/** ajv reads the errors of a keyword from its function. */
interface SpellingKeyword {
  (value: unknown): boolean;
  errors?: Partial<ErrorObject>[];
}

/** Validates trees against schemas; every error becomes a diagnostic at its place. Schemas are compiled when
 *  first used, so that a file pays for the plugins that it names. */
export class SchemaValidator {
  readonly #ajv: Ajv;
  readonly #compiled = new Map<JsonSchema, ValidateFunction>();

  constructor(checks: SyntaxChecks = {}) {
    this.#ajv = new Ajv({
      strict: true,
      // Plugins split an object over `properties` and `anyOf: [{required}]`, which these two refuse.
      strictTypes: false,
      strictRequired: false,
      allowUnionTypes: true,
      allErrors: true,
      verbose: true,
      validateSchema: false,
      addUsedSchema: false,
      logger: false,
      formats: {},
    });
    for (const keyword of annotationKeywords) this.#ajv.addKeyword({ keyword });
    this.#ajv.addKeyword({
      keyword: 'x-type',
      errors: true,
      compile: (_type: unknown, parentSchema) => {
        const schema = parentSchema as JsonSchema; // The schema that has the keyword.
        const validate: SpellingKeyword = (value) => {
          const problem = checkSpelling(schema, value, checks);
          if (problem === undefined) return true;
          const params = { ...problem, type: schema['x-type'] };
          validate.errors = [{ keyword: 'x-type', message: problem.message, params }];
          return false;
        };
        return validate;
      },
    });
  }

  /** Validates one tree. `path` is where it stands in the file. Throws SLUICE_BUG for a schema that is broken. */
  validate(
    node: ConfigNode,
    schema: JsonSchema,
    path: readonly (string | number)[] = [],
  ): readonly Diagnostic[] {
    const validate = this.#compile(schema);
    if (validate(toValue(node))) return [];
    return explainErrors(validate.errors ?? [], node, path);
  }

  #compile(schema: JsonSchema): ValidateFunction {
    const known = this.#compiled.get(schema);
    if (known !== undefined) return known;
    try {
      const compiled = this.#ajv.compile(schema);
      this.#compiled.set(schema, compiled);
      return compiled;
    } catch (error) {
      throw new SluiceError('SLUICE_BUG', `An option schema is broken: ${messageOf(error)}.`, {
        cause: error,
      });
    }
  }
}
