import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compileRegex, type MultilineDefinition } from '../../../core/sdk/index.ts';
import { compileMultiline, MultilineAssembler } from '../../../plugins/shared/multiline/index.ts';
import { inPlace } from './tail_harness.ts';

const runaway: MultilineDefinition = {
  name: 'runaway',
  type: 'regex',
  flushTimeoutMs: 60_000,
  rules: [
    { state: 'start_state', regex: '(a+)+$', nextState: 'cont' },
    { state: 'cont', regex: '^ ', nextState: 'cont' },
  ],
};
const evil = `${'a'.repeat(64 * 1024 - 1)}b`;

/** Sees how long others have to wait for their turn. */
class Neighbour {
  longestMs = 0;
  turns = 0;
  private lastMs = performance.now();
  private readonly timer = setInterval(() => {
    const nowMs = performance.now();
    this.longestMs = Math.max(this.longestMs, nowMs - this.lastMs);
    this.lastMs = nowMs;
    this.turns++;
  }, 1);

  stop(): void {
    clearInterval(this.timer);
  }
}

describe('tail with an expression that runs away', () => {
  it('passes every line on, those that the multiline rule was given up on as well', () =>
    inPlace(async (place) => {
      const lines = ['aaa', ' more', evil, 'baa', ...Array.from({ length: 12 }, () => evil), 'aa'];
      place.write('a.log', `${lines.join('\n')}\n`);
      const run = await place.readAll(
        { 'multiline.parser': ['runaway'] },
        { multilineRules: () => runaway },
      );
      assert.deepEqual(run.lines.join('\n').split('\n'), lines);
      assert.ok(run.lines.includes('aaa\n more'));
      assert.equal(run.counter('sluice_tail_multiline_timeouts_total'), 13);
    }));

  it('lets others have their turn between two lines that the rule runs away on', async () => {
    const rules = compileMultiline(
      runaway,
      (source) => compileRegex(source),
      () => assert.fail('no parser'),
    );
    const assembler = new MultilineAssembler([rules], { bytesMax: 1e6, onCut: () => {} });
    const neighbour = new Neighbour();
    // Each differs, so that each is tried.
    await assembler.prepare(Array.from({ length: 40 }, (_, i) => evil.slice(i) + '!'.repeat(i)));
    neighbour.stop();
    assert.equal(assembler.settle(), 40);
    assert.ok(neighbour.turns >= 3, `${neighbour.turns} turns`);
  });

  it('finds the tag of a path that tag_regex runs away on empty', () =>
    inPlace(async (place) => {
      const name = `${'a'.repeat(200)}!.log`;
      place.write(name, 'line\n');
      const run = await place.readAll({ tag_regex: '(?<name>(a+)+)\\.log$' }, { tag: 'x.<name>' });
      assert.deepEqual(run.lines, ['line']);
      assert.equal(run.sent[0]!.tag, 'x.');
    }));
});
