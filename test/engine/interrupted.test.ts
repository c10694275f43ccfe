import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  scriptedInput,
  scriptedOutput,
  startPipeline,
  waitUntil,
} from '../../core/testing/index.ts';
import { SimulatedClock } from '../neighbours/simulated_clock.ts';

const yaml = (input: string) => `
service: {flush: 5ms, scheduler.base: 1s, scheduler.cap: 2s, grace: 500ms, memory_limit: 16777216}
pipeline:
  inputs: [{name: scripted, tag: ${input}}]
  outputs: [{name: one, alias: one, match: '*'}]
`;

for (const [replayable, metric, labels] of [
  [true, 'sluice_records_returned_total', {}],
  [false, 'sluice_records_dropped_total', { reason: 'interrupted' }],
] as const) {
  const how = replayable ? 'that can be read again is counted as given back' : 'is counted as lost';
  test(`a batch that waits for room while its input is replaced ${how}`, async () => {
    const input = scriptedInput('scripted', { replayable });
    const output = scriptedOutput('one');
    output.answer = () => ({ kind: 'retry', reason: 'down' });
    const clock = new SimulatedClock();
    const plugins = [input.plugin, output.plugin];
    const pipeline = await startPipeline({ yaml: yaml('a'), plugins, clock });
    const { agent } = pipeline;
    const text = 'x'.repeat(400_000);
    let taken = 0;
    let isRefused = false;
    const work = (async () => {
      for (let n = 0; n < 100; n++) {
        await input.emit([{ n, text }], 'a').then(() => taken++);
      }
    })().catch(() => {
      isRefused = true;
    });
    const [stage] = agent.inputs.map((one) => one.stage);
    const isFull = () => !agent.outputs[0]!.stage.hasRoom();
    while (!isFull() || stage!.underWayMs() < 500) await clock.advance(100);
    let isReloaded = false;
    const reloading = agent.reload(pipeline.load(yaml('b'))).then(({ ok }) => {
      assert.ok(ok);
      isReloaded = true;
    });
    while (!isReloaded) await clock.advance(100);
    await Promise.all([reloading, work]);
    assert.ok(isRefused);
    const id = agent.inputs[0]!.config.id;
    const value = (name: string, more = {}) =>
      agent.metrics.value(name, { component: id, kind: 'input', ...more });
    assert.equal(value('sluice_records_in_total'), taken + 1);
    assert.equal(value(metric, labels), 1);
    assert.equal(value('sluice_records_in_flight'), 0);
    const stopping = agent.stop();
    let report: Awaited<typeof stopping> | undefined;
    void stopping.then((one) => {
      report = one;
    });
    while (report === undefined) await clock.advance(100);
    // With what the output held until the end.
    assert.equal(report.dropped, replayable ? 0 : taken + 1);
    await pipeline.stop({ drained: false });
  });
}

for (const replayable of [true, false]) {
  const what = replayable ? 'comes again is no loss' : 'nobody can give again is counted as lost';
  test(`what a stopped agent still holds that ${what}`, async () => {
    const input = scriptedInput('scripted', { replayable });
    const output = scriptedOutput('one');
    // One of three is accepted, the rest is tried again without an end; all three come again.
    output.answer = ({ count }) =>
      count === 3
        ? { kind: 'partial', rejected: [], retry: [1, 2], reason: 'not now' }
        : { kind: 'retry', reason: 'down' };
    const plugins = [input.plugin, output.plugin];
    const pipeline = await startPipeline({ yaml: yaml('a'), plugins });
    await input.emit([{ n: 1 }, { n: 2 }, { n: 3 }], 'a');
    await waitUntil('one is delivered', () => output.accepted.length === 1);
    const { delivered, returned, dropped } = await pipeline.agent.stop();
    assert.deepEqual(
      { delivered, returned, dropped },
      { delivered: 1, returned: replayable ? 3 : 0, dropped: replayable ? 0 : 2 },
    );
    const labels = { component: 'one', kind: 'output', reason: 'stopped' };
    const lost = pipeline.agent.metrics.value('sluice_records_dropped_total', labels);
    assert.equal(lost, replayable ? 0 : 2);
    await pipeline.stop({ drained: false });
  });
}
