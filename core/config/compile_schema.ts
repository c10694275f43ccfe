import { createRequire } from 'node:module';
import type { Ajv, Code, ErrorObject, KeywordCxt } from 'ajv';
import { annotationKeywords, type JsonSchema } from './json_schema.ts';

/** What a validator is called on: the checks that only a running loader has. */
export interface ValidationContext {
  /** What is wrong with a value that has an `x-type`; undefined when nothing is. */
  spelling(schema: JsonSchema, value: unknown): { readonly message: string } | undefined;
  /** Where an array has the same item twice; undefined when it does not. */
  repetition(items: readonly unknown[]): { readonly message: string } | undefined;
}

/** A compiled schema, as ajv makes it. */
export interface Validator {
  (this: ValidationContext, value: unknown): boolean;
  errors?: readonly ErrorObject[] | null;
}

/** Compiles schemas when the program runs: those of third-party plugins. ajv takes as long to load as all the
 *  rest of a start, so it is loaded here and not before. Throws ajv's error for a schema that is broken. */
export class SchemaCompiler {
  #ajv: Ajv | undefined;

  compile(schema: JsonSchema): Validator {
    this.#ajv ??= openAjv(false);
    return this.#ajv.compile(schema) as Validator; // With `passContext` ajv hands `this` on.
  }
}

/** The text of a CommonJS module that exports the validator of a schema: what the build writes, so that built-in
 *  plugins need no ajv. */
export function validatorSource(schema: JsonSchema): string {
  const ajv = openAjv(true);
  // ajv's own types describe the module that its CommonJS is seen as from ES modules.
  const { default: standaloneCode } = requireModule('ajv/dist/standalone') as {
    default: (ajv: Ajv, validate: unknown) => string;
  };
  return `${standaloneCode(ajv, ajv.compile(schema))}\n`;
}

const requireModule = createRequire(import.meta.url);

function openAjv(withSource: boolean): Ajv {
  const library = requireModule('ajv') as typeof import('ajv');
  const ajv = new library.Ajv({
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
    passContext: true,
    code: { source: withSource },
  });
  for (const keyword of annotationKeywords) ajv.addKeyword({ keyword });
  const { _ } = library;
  addOwnKeyword(library, ajv, 'x-type', {}, ({ it, data }) => {
    const schema = _`${it.topSchemaRef}${it.schemaPath}`;
    return _`this.spelling(${schema}, ${data})`;
  });
  // ajv's own compares by the items' `valueOf`, which is whatever the user wrote under that name.
  ajv.removeKeyword('uniqueItems');
  const arrays = { type: 'array', schemaType: 'boolean' } as const;
  addOwnKeyword(library, ajv, 'uniqueItems', arrays, ({ data, schema }) =>
    schema === true ? _`this.repetition(${data})` : _`undefined`,
  );
  return ajv;
}

/** Adds a keyword that asks the context: as code instead of a function, which could not be written to a file. */
function addOwnKeyword(
  { _ }: typeof import('ajv'),
  ajv: Ajv,
  keyword: string,
  where: { readonly type?: 'array'; readonly schemaType?: 'boolean' },
  problemOf: (context: KeywordCxt) => Code,
): void {
  ajv.addKeyword({
    keyword,
    ...where,
    code(context: KeywordCxt) {
      const problem = context.gen.const('problem', problemOf(context));
      context.setParams({ problem });
      context.fail(_`${problem} !== undefined`);
    },
    error: {
      message: ({ params }) => _`${params['problem']}.message`,
      params: ({ params }) => _`${params['problem']}`,
    },
  });
}
