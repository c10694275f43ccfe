import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ownPlugins } from '../../cli/plugin_set.ts';
import {
  scriptedInput,
  scriptedOutput,
  startPipeline,
  waitUntil,
} from '../../core/testing/index.ts';

const own = await ownPlugins();

type Event = Readonly<Record<string, unknown>>;

const lines: readonly Event[] = [
  { m: 'user=ann id=7' },
  { m: 'id=8 user=bob' },
  { m: '1 x', tag: 'first' },
  { m: 'y 2' },
  { m: 'z' },
  { m: 'level=info user=cid extra=1', tag: 'last' },
  { m: 'extra=2 alpha=3 level=warn', list: [1, 2] },
  { m: '3 4' },
  { m: 'alpha=1 zeta=2' },
  { m: 'zeta=2 alpha=1' },
];

const filters = {
  'grok with several patterns': `
    - name: grok
      match: '*'
      patterns:
        m:
          - '^user=%{WORD:user} id=%{INT:id:int}'
          - '^id=%{INT:id:int} user=%{WORD:user}'
          - '^%{INT:first} %{WORD:second}'
          - '^%{WORD:second} %{INT:first}'
          - '^%{WORD:last}$'`,
  'keys out of the text': `
    - {name: parser, match: '*', key_name: m, parser: logfmt, reserve_data: true, preserve_key: true}`,
  'fields set for some events only': `
    - {name: mutate, match: '*', set: {late: 1}, when: m =~ /^id/}
    - {name: mutate, match: '*', set: {early: 2, late: 3}, when: exists(tag)}
    - {name: record_modifier, match: '*', record: [early 4, more 5], when: m =~ /z/}
    - {name: script, match: '*', code: "(event) => { if (event.has('list')) { event.set('s2', 1); event.set('s1', 2); } else { event.set('s1', 3); event.set('s2', 4); } }"}`,
  'splits between': `
    - {name: mutate, match: '*', set: {a: 1}}
    - {name: mutate, match: '*', set: {b: 1}, when: exists(tag)}
    - {name: split, match: '*', field: list, when: exists(list)}
    - {name: mutate, match: '*', set: {c: 1, a: 2}}`,
};

/** What an output gets of the events, cut into batches of `size`. */
async function run(filterYaml: string, size: number, kernel: boolean): Promise<string[]> {
  const input = scriptedInput();
  const output = scriptedOutput();
  const pipeline = await startPipeline({
    yaml: `
service: {flush: 20ms}
pipeline:
  inputs: [{name: scripted, tag: test}]
  filters:${filterYaml}
  outputs: [{name: scripted, alias: out, match: '*'}]
`,
    plugins: [input.plugin, output.plugin, ...own.plugins],
    builtInParsers: own.builtInParsers,
    kernel,
  });
  for (let at = 0; at < lines.length; at += size) await input.emit(lines.slice(at, at + size));
  await waitUntil('all settled', () => input.settled() === lines.length);
  await pipeline.stop();
  return output.texts;
}

for (const [name, yaml] of Object.entries(filters)) {
  test(`${name}: a record's bytes depend neither on its batch nor on the kernel`, async () => {
    const whole = await run(yaml, lines.length, true);
    for (const size of [1, 2, 3, 7]) {
      for (const kernel of [true, false]) {
        assert.deepEqual(await run(yaml, size, kernel), whole, `${size} a batch, kernel ${kernel}`);
      }
    }
    assert.deepEqual(await run(yaml, lines.length, false), whole);
  });
}

test('fields stand in the order in which filters name them', async () => {
  const texts = await run(filters['fields set for some events only'], 4, true);
  assert.equal(texts[1], '{"m":"id=8 user=bob","late":1,"s1":3,"s2":4}');
  assert.equal(texts[2], '{"m":"1 x","tag":"first","late":3,"early":2,"s1":3,"s2":4}');
});

test('what a script did to a record before it threw is taken back, wherever its fields stand', async () => {
  const code = `(event) => {
    event.set('m', 'kept');
    event.set('zz', 1);
    if (event.has('list')) {
      event.set('aa', 2);
      throw new Error('no');
    }
  }`;
  const texts = await run(
    `\n    - {name: mutate, match: '*', set: {c: 1}}\n    - {name: script, match: '*', code: ${JSON.stringify(code)}}`,
    lines.length,
    true,
  );
  assert.equal(
    texts[6],
    '{"m":"extra=2 alpha=3 level=warn","list":[1,2],"c":1,"tags":["_scriptfailure"]}',
  );
  assert.equal(texts[7], '{"c":1,"m":"kept","zz":1}');
});
