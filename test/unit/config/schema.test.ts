import assert from 'node:assert/strict';
import test from 'node:test';
import { Ajv } from 'ajv';
import fc from 'fast-check';
import { expandSchema } from '../../../core/config/expand_schema.ts';
import type { Infer } from '../../../core/config/infer.ts';
import { annotationKeywords, type JsonSchema } from '../../../core/config/json_schema.ts';
import { buildFileSchema } from '../../../core/config/schema.ts';
import type { Secret } from '../../../core/config/secret.ts';
import { loadText, samplePlugins } from './sample_plugins.ts';

function compile(form: 'editor' | 'validation') {
  const ajv = new Ajv({
    strict: true,
    strictTypes: false,
    strictRequired: false,
    allowUnionTypes: true,
    allErrors: true,
  });
  for (const keyword of [...annotationKeywords, 'x-type']) ajv.addKeyword({ keyword });
  return ajv.compile(buildFileSchema(samplePlugins, form));
}

const file = (outputs: unknown, more: Record<string, unknown> = {}) => ({
  pipeline: { inputs: [{ name: 'stdin' }], outputs: [outputs] },
  ...more,
});

const verdicts: readonly [unknown, boolean, boolean][] = [
  [file({ name: 'es', port: 9200, 'storage.type': 'memory' }), true, true],
  [file({ name: 'elasticsearch', http_passwd: { file: 'x' } }), true, true],
  [file({ name: 'es', port: '${PORT}' }), true, false],
  [file({ name: 'es', storage: { type: 'memory' }, tls: { verify: 'off' } }), true, false],
  [file({ name: 'es', header: 'A b', compress: '${C}' }), true, false],
  [file({ name: 'es' }, { service: { http_server: 'on', storage: { path: 'x' } } }), true, false],
  [file({ name: 'es', port: 'abc' }), false, false],
  [file({ name: 'es', prt: 1 }), false, false],
  [file({ name: 'es', storage: { typ: 'memory' } }), false, false],
  [file({ name: 'tail' }), false, false],
  [file({ port: 1 }), false, false],
  [file({ name: 'es' }, { servce: {} }), false, false],
  [file({ name: 'es' }, { parsers: [{ name: 'p', format: 'regex', regex: 'x' }] }), true, true],
  [file({ name: 'es' }, { parsers: [{ name: 'p', format: 'regex' }] }), false, false],
  [file({ name: 'es' }, { env: { A: 1 } }), true, true],
];

test('The merged schema is sound, for editors and for validation.', () => {
  const [editor, validation] = [compile('editor'), compile('validation')];
  for (const [value, inEditor, inValidation] of verdicts) {
    const text = JSON.stringify(value);
    assert.deepEqual([editor(value), validation(value)], [inEditor, inValidation], text);
  }
});

test('The merged schema is plain JSON, the same each time.', () => {
  const schema = buildFileSchema(samplePlugins);
  assert.deepEqual(JSON.parse(JSON.stringify(schema)), schema);
  assert.equal(JSON.stringify(schema), JSON.stringify(buildFileSchema(samplePlugins)));
});

test('Every object of the merged schema refuses unknown keys or says what it takes.', () => {
  const visit = (schema: JsonSchema, path: string): void => {
    if (schema.properties !== undefined && !path.endsWith('if')) {
      assert.notEqual(schema.additionalProperties, undefined, path);
    }
    for (const [key, child] of Object.entries(schema)) {
      if (typeof child !== 'object' || child === null || key === 'default') continue;
      const children = key === 'properties' || key === 'definitions' ? child : { '': child };
      for (const [name, grandchild] of Object.entries(children as Record<string, unknown>)) {
        const list = Array.isArray(grandchild) ? grandchild : [grandchild];
        for (const item of list) {
          if (typeof item === 'object') visit(item as JsonSchema, `${path}/${key}${name}`);
        }
      }
    }
  };
  visit(buildFileSchema(samplePlugins, 'validation'), '');
});

test('Expanding keeps what a plugin says about unknown keys.', () => {
  const schema: JsonSchema = { properties: { a: { type: 'string' } }, additionalProperties: true };
  assert.equal(expandSchema(schema, 'validation').additionalProperties, true);
});

type Equal<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

test('The type of options follows from their schema.', () => {
  const schema = {
    type: 'object',
    required: ['path'],
    properties: {
      path: { 'x-type': 'comma_list' },
      wait: { 'x-type': 'duration', default: '5s' },
      size: { 'x-type': 'size' },
      password: { 'x-type': 'secret' },
      mode: { enum: ['a', 'b'], default: 'a' },
      fixed: { const: 5 },
      names: { type: 'object', additionalProperties: { type: 'integer' } },
      list: {
        type: 'array',
        items: { type: 'object', required: ['x'], properties: { x: { type: 'boolean' } } },
      },
      either: { oneOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] },
      free: { type: 'object', additionalProperties: true },
      union: { type: ['string', 'null'] },
    },
  } as const satisfies JsonSchema;
  interface Expected {
    readonly path: readonly string[];
    readonly wait: number;
    readonly mode: 'a' | 'b';
    readonly size?: number;
    readonly password?: Secret;
    readonly fixed?: 5;
    readonly names?: Readonly<Record<string, number>>;
    readonly list?: readonly { readonly x: boolean }[];
    readonly either?: string | readonly string[];
    readonly free?: Readonly<Record<string, unknown>>;
    readonly union?: string | null;
  }
  const isEqual: Equal<Infer<typeof schema>, { [K in keyof Expected]: Expected[K] }> = true;
  assert.ok(isEqual);
});

test('Whatever the file says, loading gives a configuration or errors, and never throws.', () => {
  const scalar = fc.constantFrom(
    ...[
      '5',
      'x',
      'on',
      '"9200"',
      '',
      '5s',
      '10MB',
      '"${A}"',
      '"${B}"',
      '[a]',
      '~',
      '1e3',
      '{a: 1}',
      '[1, b]',
    ],
    ...['"level >= 5"', '{file: x}', '{env: A}', '99999999999999999999', '-1', '.inf', 'true'],
  );
  const key = fc.constantFrom(
    ...['tag', 'alias', 'port', 'host', 'when', 'match', 'retry', 'retry_limit', 'flush', 'tls'],
    ...[
      'storage.type',
      'storage',
      'batch',
      'http_passwd',
      'header',
      'regex',
      'remove',
      'rename',
      'set',
    ],
    ...[
      'level',
      'rules',
      'formats',
      'parser',
      'multiline.parser',
      'bufferMaxSize',
      'refresh_interval',
    ],
  );
  const component = (name: string) =>
    fc
      .uniqueArray(fc.tuple(key, scalar), { maxLength: 4, selector: ([option]) => option })
      .map((options) => {
        const members = [['name', name], ...options].map(
          ([option, value]) => `${option}: ${value}`,
        );
        return `{${members.join(', ')}}`;
      });
  const text = fc
    .tuple(
      component('tail, path: x'),
      component('mutate'),
      component('grep'),
      component('es'),
      scalar,
    )
    .map(
      ([input, mutate, grep, es, flush]) =>
        `service: {flush: ${flush}}\npipeline:\n  inputs: [${input}]\n  filters: [${mutate}, ${grep}]\n  outputs: [${es}]\n`,
    );
  fc.assert(
    fc.property(text, (source) => {
      const { config, diagnostics } = loadText(source, { env: { A: 'a' } });
      const errors = diagnostics.filter(({ severity }) => severity === 'error');
      assert.equal(config === undefined, errors.length > 0);
      for (const { line, column } of errors) assert.ok(line >= 1 && column >= 1, source);
    }),
    { numRuns: 60 },
  );
});
