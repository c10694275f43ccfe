import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import {
  scriptedInput,
  scriptedOutput,
  startPipeline,
  waitUntil,
} from '../../core/testing/index.ts';
import { plugin as grok } from '../../plugins/filters/grok/index.ts';

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
