import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ownPlugins } from '../../cli/plugin_set.ts';
import {
  scriptedInput,
  scriptedOutput,
  startPipeline,
  waitUntil,
} from '../../core/testing/index.ts';

const own = await ownPlugins();

type Event = Readonly<Record<string, unknown>>;

/** Runs batches through filters (YAML list items) and returns what the outputs got. */
async function run(
  filters: string,
  batches: readonly (readonly Event[])[],
  kernel = true,
): Promise<string[]> {
  const input = scriptedInput();
  const output = scriptedOutput();
  const pipeline = await startPipeline({
    yaml: `
service: {flush: 20ms, grace: 2s}
pipeline:
  inputs: [{name: scripted, tag: test}]
  filters:
${filters}
  outputs: [{name: scripted, alias: out, match: '*'}]
`,
    plugins: [input.plugin, output.plugin, ...own.plugins],
    kernel,
  });
  for (const batch of batches) await input.emit(batch);
  await waitUntil('all settled', () => input.settled() === input.position());
  await pipeline.stop();
  return output.texts;
}

const words = (texts: readonly string[]): unknown[] =>
  texts.map((text) => {
    const { n, m, by } = JSON.parse(text) as Record<string, unknown>;
    return [n, m, by].filter((one) => one !== undefined).join('.');
  });

test('the pieces of a split record stand where it stood', async () => {
  const texts = await run("    - {name: split, match: '*', field: m}", [
    [{ n: 1 }, { n: 2, m: ['a', 'b'] }, { n: 3 }, { n: 4, m: ['c'] }, { n: 5 }],
    [{ n: 6 }],
  ]);
  assert.deepEqual(words(texts), ['1', '2.a', '2.b', '3', '4.c', '5', '6']);
});

test('records that a script returns stand where theirs stood, through further filters', async () => {
  const filters = `
    - {name: script, match: '*', code: "(event) => event.get('n') % 2 ? [{n: event.get('n'), m: ['x', 'y']}, {n: -1}] : undefined"}
    - {name: split, match: '*', field: m}
    - {name: modify, match: '*', set: by 7}`;
  const texts = await run(filters, [[{ n: 0 }, { n: 1 }, { n: 2 }, { n: 3 }]]);
  assert.deepEqual(words(texts), [
    '0.7',
    '1.x.7',
    '1.y.7',
    '-1.7',
    '2.7',
    '3.x.7',
    '3.y.7',
    '-1.7',
  ]);
});

test('more pieces than a batch holds keep their order', async () => {
  const many = Array.from({ length: 5000 }, (_, m) => m);
  const texts = await run("    - {name: split, match: '*', field: m}", [
    [{ n: 1 }, { n: 2, m: many }, { n: 3 }, { n: 4, m: many }, { n: 5 }],
  ]);
  const expected = ['1', ...many.map((m) => `2.${m}`), '3', ...many.map((m) => `4.${m}`), '5'];
  assert.deepEqual(words(texts), expected);
});

test('records under a new tag keep their places, and so do copies, behind the original', async () => {
  const filters = `
    - {name: modify, match: 'odd.*', set: by odd}
    - name: rewrite_tag
      match: test
      rule:
        - $n ^[13]$ odd.$n false
        - $n ^4$ odd.copy true`;
  const texts = await run(filters, [[{ n: 0 }, { n: 1 }, { n: 2 }, { n: 3 }, { n: 4 }, { n: 5 }]]);
  assert.deepEqual(words(texts), ['0', '1.odd', '2', '3.odd', '4', '4.odd', '5']);
});

test('a record that filters send round in a circle ends it after eight rounds, its neighbours are sent back all the same', async () => {
  const filters = `
    - {name: modify, match: '*', add: rounds 0}
    - {name: script, match: '*', code: "(event) => { event.set('rounds', Number(event.get('rounds')) + 1); }"}
    - {name: rewrite_tag, match: test, rule: '$n ^1$ other false'}
    - {name: rewrite_tag, match: other, rule: '$n ^1$ test false'}
    - {name: rewrite_tag, match: test, rule: '$n ^2$ last false'}`;
  const texts = await run(filters, [[{ n: 0 }, { n: 1 }, { n: 2 }, { n: 3 }]]);
  assert.deepEqual(
    texts.map((text) => (JSON.parse(text) as { n: number; rounds: number }).rounds),
    [1, 9, 2, 1],
  );
});

test('order holds for any mix of splits, drops and new tags', async () => {
  const filters = `
    - {name: split, match: '*', field: m, when: exists(m)}
    - {name: rewrite_tag, match: test, rule: '$by ^tag$ other false'}
    - {name: grep, match: '*', exclude: by drop}
    - {name: script, match: other, code: "(event) => event.get('n') % 2 ? [{n: event.get('n'), m: event.get('m')}, {n: event.get('n'), m: 'more'}] : undefined"}`;
  const event = fc.record(
    {
      m: fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 4 }),
      by: fc.constantFrom('tag', 'drop', 'stay'),
    },
    { requiredKeys: ['by'] },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(event, { minLength: 1, maxLength: 12 }), async (events) => {
      const numbered = events.map((one, n) => ({ n, ...one }));
      const expected = numbered.flatMap(({ n, m, by }) => {
        if (by === 'drop') return [];
        const pieces = m === undefined ? [undefined] : m;
        return pieces.flatMap((piece) =>
          by === 'tag' && n % 2 === 1
            ? [
                [n, piece],
                [n, 'more'],
              ]
            : [[n, piece]],
        );
      });
      const texts = await run(filters, [numbered]);
      assert.deepEqual(
        texts.map((text) => {
          const { n, m } = JSON.parse(text) as { n: number; m?: string };
          return [n, m];
        }),
        expected,
      );
    }),
    { numRuns: 25 },
  );
});
