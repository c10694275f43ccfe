import assert from 'node:assert/strict';
import { buildComponentSchema } from '../config/schema.ts';
import { SchemaValidator } from '../config/validate.ts';
import type { ContractRule, ContractSubject } from './contract_subject.ts';
import { schemaOf } from '../config/schema_of.ts';

const namePattern = /^[a-z][a-z0-9]*(?:_[a-z0-9]+)*$/;
/** Other names may be those that other agents have. */
const aliasPattern = /^[a-z][a-z0-9]*(?:[_-][a-z0-9]+)*$/;

/** What every plugin keeps to, whatever its kind. */
export const pluginContract: readonly ContractRule[] = [
  {
    says: 'has a name in snake_case and a summary of one sentence',
    check({ plugin }) {
      assert.match(plugin.name, namePattern);
      for (const alias of plugin.aliases ?? []) assert.match(alias, aliasPattern);
      assertSentence(plugin.summary, 'summary');
      assert.ok(!plugin.summary.includes('\n'), 'The summary has several lines.');
    },
  },
  {
    says: 'describes every option in full sentences',
    check({ plugin }) {
      for (const [key, option] of Object.entries(plugin.schema.properties)) {
        const description = option['description'];
        assert.ok(typeof description === 'string', `The option ${key} has no description.`);
        assertSentence(description, `description of ${key}`);
      }
    },
  },
  {
    says: 'has a schema that ajv takes in strict mode',
    check({ plugin }) {
      const schema = buildComponentSchema(schemaOf(plugin));
      const validator = new SchemaValidator();
      // Compiled at the first use; what is wrong with the schema itself is thrown.
      const position = { file: 'contract', line: 1, column: 1 };
      validator.validate({ kind: 'map', entries: [], position }, schema);
    },
  },
  {
    says: 'has an example that loads without a warning, and that uses it',
    check(subject) {
      const { config } = subject;
      assert.ok(config.inputs.length > 0 && config.outputs.length > 0, 'The example is a piece.');
      if (subject.plugin.kind === 'parser') subject.parserDefinition;
      else subject.component;
    },
  },
];

/** What inputs, filters and outputs keep to: life from `create` to `close`. */
export const lifeContract: readonly ContractRule[] = [
  {
    says: 'does no I/O and starts no timer in create',
    async check(subject) {
      const before = process.getActiveResourcesInfo().sort();
      const instances = [subject.create(), subject.create()];
      const after = process.getActiveResourcesInfo().sort();
      for (const instance of instances) await instance.close?.();
      assert.deepEqual(after, before);
    },
  },
  {
    says: 'closes without having been opened, and twice',
    async check(subject) {
      const instance = subject.create();
      await instance.close?.();
      await instance.close?.();
    },
  },
];

function assertSentence(text: string, what: string): void {
  assert.match(text, /^(?:[A-Z0-9]|`|<)/, `The ${what} does not begin like a sentence: ${text}`);
  assert.match(text, /[.`]$/, `The ${what} does not end like a sentence: ${text}`);
  assert.ok(text.trim().split(/\s+/).length >= 2, `The ${what} is one word: ${text}`);
}

/** Throws when the promise takes longer than `limitMs`. */
export async function soon<T>(what: string, work: Promise<T>, limitMs = 5000): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took more than ${limitMs} ms.`)), limitMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The component of the subject's example, known to be of this kind. */
export function componentOf<Kind extends 'input' | 'filter' | 'output'>(
  subject: ContractSubject,
  kind: Kind,
): Extract<ContractSubject['component'], { kind: Kind }> {
  const { component } = subject;
  assert.equal(component.kind, kind);
  // Just asserted; `extends` does not narrow a type parameter.
  return component as Extract<ContractSubject['component'], { kind: Kind }>;
}
