import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import {
  scriptedInput,
  scriptedOutput,
  startPipeline,
  waitUntil,
} from '../../core/testing/index.ts';
import { plugin as grep } from '../../plugins/filters/grep/index.ts';
import { plugin as grok } from '../../plugins/filters/grok/index.ts';
import { plugin as modify } from '../../plugins/filters/modify/index.ts';
import { plugin as mutate } from '../../plugins/filters/mutate/index.ts';
import { plugin as parser } from '../../plugins/filters/parser/index.ts';
import { plugin as rewriteTag } from '../../plugins/filters/rewrite_tag/index.ts';
import { plugin as regexParser } from '../../plugins/parsers/regex/index.ts';

for (const [what, text] of [
  ['short texts', `${'a'.repeat(60)}!`],
  ['texts of 64 KiB', `${'a'.repeat(65_535)}!`],
] as const) {
  test(`while a pattern runs away on ${what}, batches of another input go on`, async () => {
    const hostile = scriptedInput('hostile');
    const neighbour = scriptedInput('neighbour');
    const output = scriptedOutput();
    const { agent, stop } = await startPipeline({
      yaml: `
service: {flush: 1ms}
pipeline:
  inputs: [{name: hostile, tag: h}, {name: neighbour, tag: n}]
  filters: [{name: grok, match: h, key_name: text, pattern: '^(a+)+$', timeout_millis: 20}]
  outputs: [{name: scripted, alias: out, match: '*'}]
`,
      plugins: [hostile.plugin, neighbour.plugin, grok, output.plugin] as never,
    });
    const count = 12;
    let isOver = false;
    const attack = hostile
      .emit(
        Array.from({ length: count }, () => ({ text })),
        'h',
      )
      .then(() => {
        isOver = true;
      });
    let through = 0;
    while (!isOver) {
      await neighbour.emit([{ n: through }], 'n');
      if (!isOver) through++;
      await setImmediate();
    }
    await attack;
    assert.ok(through >= 4, `${through} batches got through`);
    await waitUntil('all arrives', () => output.accepted.length >= through + count);
    // Nothing is dropped, and each text that was given up says so.
    const marked = output.accepted.filter(({ tags }) => String(tags).includes('_groktimeout'));
    assert.equal(marked.length, count);
    const labels = { component: agent.filters[0]!.config.id, kind: 'filter' };
    assert.equal(agent.metrics.value('sluice_grok_timeouts_total', labels), count);
    await stop();
  });
}

/** Everything besides grok that holds texts of records against an expression of the user. */
const matching: readonly { name: string; filter?: string; when?: string }[] = [
  { name: 'mutate', filter: "name: mutate, gsub: ['text', '^(a+)+$', 'x']" },
  {
    name: 'modify',
    filter: "name: modify, condition: 'Key_value_matches text ^(a+)+$', add: 'x y'",
  },
  { name: 'grep', filter: "name: grep, exclude: 'text ^(a+)+$'" },
  { name: 'parser', filter: 'name: parser, key_name: text, parser: hostile' },
  { name: 'rewrite_tag', filter: "name: rewrite_tag, rule: '$text ^(a+)+$ new true'" },
  { name: 'the when of a filter', filter: "name: modify, add: 'x y', when: 'text =~ \"^(a+)+$\"'" },
  { name: 'the when of an output', when: 'text !~ "^(a+)+$"' },
];

for (const { name, filter, when } of matching) {
  test(`a batch of texts that an expression of ${name} runs away on leaves the others their turns`, async () => {
    const hostile = scriptedInput('hostile');
    const output = scriptedOutput();
    const { stop } = await startPipeline({
      yaml: `
service: {flush: 1ms}
parsers: [{name: hostile, format: regex, regex: '^(?<x>(a+)+)$'}]
pipeline:
  inputs: [{name: hostile, tag: h}]
  filters: [${filter === undefined ? '' : `{match: h, ${filter}}`}]
  outputs: [{name: scripted, alias: out, match: '*'${when === undefined ? '' : `, when: '${when}'`}}]
`,
      plugins: [
        hostile.plugin,
        grep,
        modify,
        mutate,
        parser,
        rewriteTag,
        regexParser,
        output.plugin,
      ] as never,
    });
    const count = 200;
    const text = `${'a'.repeat(60)}!`;
    const records = Array.from({ length: count }, (_, n) => ({
      n,
      text: n % 20 === 0 ? 'bbb' : text,
    }));
    let isOver = false;
    const attack = hostile.emit(records, 'h').then(() => {
      isOver = true;
    });
    // Processor time, not the clock's: other programs run beside this one.
    let longestMs = 0;
    let before = process.cpuUsage();
    while (!isOver) {
      await setImmediate();
      const used = process.cpuUsage(before);
      longestMs = Math.max(longestMs, (used.user + used.system) / 1000);
      before = process.cpuUsage();
    }
    await attack;
    await waitUntil('all arrives', () => output.accepted.length === count);
    assert.ok(longestMs < 400, `one turn took ${longestMs} ms of processor time`);
    await stop();
  });
}
