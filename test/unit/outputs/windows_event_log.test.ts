import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type {
  EventWriter,
  WindowsEvent,
} from '../../../plugins/shared/windows_native/event_writer.ts';
import { schema } from '../../../plugins/outputs/windows_event_log/config.ts';
import { plugin } from '../../../plugins/outputs/windows_event_log/index.ts';
import { WindowsEventLogOutput } from '../../../plugins/outputs/windows_event_log/windows_event_log_output.ts';
import { ManualClock } from '../collect/manual_clock.ts';
import { chunkOf, optionsOf, outputContext } from '../shared/output_harness.ts';

/** A log in memory. Stands in for Windows' where it cannot be had, and for its refusals. */
class Log implements EventWriter {
  readonly registration = undefined;
  readonly events: WindowsEvent[] = [];
  /** Answers to come before all is well again. */
  readonly codes: number[] = [];
  isClosed = false;

  async write(event: WindowsEvent): Promise<number> {
    const code = this.codes.shift() ?? 0;
    if (code === 0) this.events.push(event);
    return code;
  }

  close(): void {
    this.isClosed = true;
  }
}

function rig(given: Readonly<Record<string, unknown>> = {}) {
  const log = new Log();
  const clock = new ManualClock();
  const context = { ...outputContext(), clock };
  const output = new WindowsEventLogOutput(optionsOf(schema, given), context, async () => log);
  const deliver = async (events: readonly object[], signal = new AbortController().signal) => {
    const chunk = chunkOf(
      output,
      events.map((json) => ({ json, tag: 'app' })),
    );
    return await output.deliver(chunk, { signal, attempt: 1 });
  };
  const count = (name: string): number =>
    context.counters.get(`sluice_windows_event_log_${name}_total`)?.value ?? 0;
  return { log, clock, context, output, deliver, count };
}

const onlyText = { include_record: false };

describe('the output windows_event_log', () => {
  const levels: readonly [level: unknown, type: number | undefined][] = [
    ['error', 1],
    ['FATAL', 1],
    ['crit', 1],
    ['Warning', 2],
    [4, 2],
    ['notice', 4],
    ['info', undefined],
    [undefined, undefined],
    ['nonsense', undefined],
    [{ a: 1 }, undefined],
  ];
  for (const [level, type] of levels) {
    it(`writes level ${JSON.stringify(level)} as type ${type ?? 'nothing'}`, async () => {
      const { log, output, deliver, count } = rig({ severity_min: 'notice' });
      await output.open();
      const outcome = await deliver([{ level, message: 'm' }]);
      assert.deepEqual(outcome, { kind: 'accepted' });
      assert.deepEqual(
        log.events.map((event) => event.type),
        type === undefined ? [] : [type],
      );
      assert.equal(count('below_severity'), type === undefined ? 1 : 0);
    });
  }

  it('writes the message, then the record', async () => {
    const { log, output, deliver } = rig({
      message: '%{service}: %{message} of $TAG',
      event_id: 7,
    });
    await output.open();
    await deliver([{ level: 'error', service: 'pay', message: 'broke' }]);
    const json = '{"level":"error","service":"pay","message":"broke"}';
    assert.deepEqual(log.events, [{ type: 1, id: 7, text: `pay: broke of app\r\n\r\n${json}` }]);
  });

  it('writes the record alone where the message lacks a field', async () => {
    const { log, output, deliver } = rig(onlyText);
    await output.open();
    await deliver([{ level: 'error', error: 'broke' }]);
    assert.equal(log.events[0]?.text, '{"level":"error","error":"broke"}');
  });

  it('takes nothing out of a text that Event Viewer would put something else for', async () => {
    const { log, output, deliver } = rig(onlyText);
    await output.open();
    await deliver([{ level: 'error', message: 'fe80::1%1 50% %%2 a\0b' }]);
    assert.equal(log.events[0]?.text, 'fe80::1% 1 50% % % 2 a\u2400b');
  });

  it('cuts a long text between characters and counts it, one of the very length not', async () => {
    const { log, output, deliver, count } = rig({ ...onlyText, text_max: 100 });
    await output.open();
    await deliver(
      ['x'.repeat(100), 'x'.repeat(101), `${'x'.repeat(97)}😀yyy`].map((message) => ({
        level: 'error',
        message,
      })),
    );
    assert.deepEqual(
      log.events.map(({ text }) => text),
      ['x'.repeat(100), `${'x'.repeat(98)} …`, `${'x'.repeat(97)} …`],
    );
    assert.equal(count('cut_texts'), 2);
  });

  it('leaves out what is above the rate, counts it, and says a minute later how much', async () => {
    const { log, clock, output, deliver, count } = rig({ ...onlyText, rate: 2 });
    await output.open();
    const events = ['a', 'b', 'c', 'd', 'e'].map((message) => ({ level: 'error', message }));
    assert.deepEqual(await deliver(events), { kind: 'accepted' });
    assert.equal(count('left_out'), 3);
    await clock.advance(60_000);
    assert.deepEqual(await deliver([{ level: 'error', message: 'f' }]), { kind: 'accepted' });
    const texts = log.events.map(({ text }) => text);
    assert.deepEqual([texts[0], texts[1], texts[3]], ['a', 'b', 'f']);
    assert.match(texts[2]!, /^3 more records of level error and above/);
    await output.close();
    assert.equal(log.events.length, 4);
    assert.ok(log.isClosed);
  });

  it('says at its end what it left out', async () => {
    const { log, output, deliver } = rig({ ...onlyText, rate: 1 });
    await output.open();
    await deliver(['a', 'b'].map((message) => ({ level: 'error', message })));
    await output.close();
    assert.match(log.events[1]!.text, /^1 more records/);
  });

  it('waits above the rate when it is told to, and loses nothing', async () => {
    const { log, clock, output, deliver } = rig({ ...onlyText, rate: 1, over_rate: 'wait' });
    await output.open();
    const done = deliver(['a', 'b'].map((message) => ({ level: 'error', message })));
    let isDone = false;
    void done.then(() => (isDone = true));
    while (!isDone) {
      await clock.advance(1000);
    }
    assert.deepEqual(
      log.events.map(({ text }) => text),
      ['a', 'b'],
    );
    assert.ok(clock.monotonicMs() >= 60_000);
  });

  it('gives back what it had not written when it is stopped while it waits', async () => {
    const { log, output, deliver } = rig({ ...onlyText, rate: 1, over_rate: 'wait' });
    await output.open();
    const stop = new AbortController();
    const done = deliver(
      ['a', 'b', 'c'].map((message) => ({ level: 'error', message })),
      stop.signal,
    );
    stop.abort();
    const outcome = await done;
    assert.ok(outcome.kind === 'partial');
    assert.equal(outcome.retry.length + log.events.length, 3);
  });

  it('tries again from the record that the log refused, and rejects one that is itself wrong', async () => {
    const { log, output, deliver } = rig(onlyText);
    await output.open();
    log.codes.push(0, 87, 1502);
    const outcome = await deliver(['a', 'b', 'c'].map((message) => ({ level: 'error', message })));
    assert.ok(outcome.kind === 'partial');
    assert.deepEqual(outcome.retry, [2]);
    assert.deepEqual(
      outcome.rejected.map(({ index }) => index),
      [1],
    );
    assert.match(outcome.reason, /1502 \(the log is full/);
    assert.deepEqual(
      log.events.map(({ text }) => text),
      ['a'],
    );
  });

  it('refuses the log Security', () => {
    const problems = plugin.check?.(optionsOf(schema, { log: 'security' })) ?? [];
    assert.deepEqual(
      problems.map(({ path }) => path),
      [['log']],
    );
  });

  it('says on other systems that it needs Windows', {
    skip: process.platform === 'win32' ? 'this is Windows' : false,
  }, async () => {
    const output = plugin.create(optionsOf(schema), outputContext());
    await assert.rejects(async () => output.open?.(), /needs Windows/);
  });
});
