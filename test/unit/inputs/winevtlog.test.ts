import assert from 'node:assert/strict';
import { test } from 'node:test';
import { waitUntil } from '../../../core/testing/index.ts';
import type { SourceOptions, SourceRegistry } from '../../../core/sdk/contracts.ts';
import { scratchSource } from '../../../core/testing/index.ts';
import { readMark } from '../../../plugins/inputs/winevtlog/channel_mark.ts';
import type { WinevtlogOptions } from '../../../plugins/inputs/winevtlog/config.ts';
import { plugin } from '../../../plugins/inputs/winevtlog/index.ts';
import { reconnectDelayMs } from '../../../plugins/inputs/winevtlog/reconnect_pace.ts';
import { PublisherCache } from '../../../plugins/inputs/winevtlog/publisher_cache.ts';
import { checkOptions, WinevtlogInput } from '../../../plugins/inputs/winevtlog/winevtlog_input.ts';
import { withDefaults } from '../outputs/chunk_harness.ts';
import { eventXml, FakeEventLog } from './event_log_fake.ts';
import { type InputRig, inputRig } from './metric_rig.ts';

const quick = { poll_interval: 1, retry_interval: 60 };

function rigOf(
  log: FakeEventLog,
  options: Record<string, unknown> = {},
  parts: Parameters<typeof inputRig>[2] = {},
): InputRig {
  const all = { channels: ['System'], read_existing_events: true, ...quick, ...options };
  return inputRig(
    plugin,
    all,
    parts,
    (one, context) => new WinevtlogInput(one, context, log.openLog),
  );
}

const idsOf = (rig: InputRig): unknown[] =>
  rig.emitter.seen.map(({ record }) => record['EventRecordID']);

async function untilIds(rig: InputRig, ids: readonly number[]): Promise<void> {
  await waitUntil(`records ${ids}`, () => rig.emitter.seen.length >= ids.length);
  assert.deepEqual(idsOf(rig), ids);
}

/** A registry that keeps what was opened, and begins with a checkpoint. */
function keptSources(stored?: { identity: unknown; positions: Record<string, number> }) {
  const opened: SourceOptions[] = [];
  const sources: SourceRegistry = {
    open: async (options) => {
      opened.push(options);
      // Nothing is settled but by the test.
      return scratchSource({ ...options, onSettled: () => undefined });
    },
    checkpoints: () =>
      new Map(
        stored === undefined ? [] : [['System', { generation: 'g', updatedAtMs: 0, ...stored }]],
      ),
    forget: () => undefined,
  };
  return { opened, sources };
}

const markAt = (recordId: number) => ({
  position: recordId + 1,
  base: 0,
  recordId,
  time: new Date(Date.UTC(2026, 0, 1, 0, recordId)).toISOString(),
  bookmark: `<BookmarkList><Bookmark RecordId='${recordId}'/></BookmarkList>`,
});

test('events that are there are read, then those that come', async () => {
  const log = new FakeEventLog();
  for (const id of [1, 2]) log.add('System', id);
  const rig = rigOf(log);
  await rig.start();
  await untilIds(rig, [1, 2]);
  log.add('System', 3);
  await untilIds(rig, [1, 2, 3]);
  await rig.stop();
  const { record, seconds } = rig.emitter.seen[2]!;
  assert.equal(seconds, Date.UTC(2026, 0, 1, 0, 3) / 1000);
  assert.deepEqual(record['EventData'], { number: '3' });
  assert.deepEqual(record['StringInserts'], ['3']);
  assert.equal(record['message_source'], 'none');
  assert.equal(rig.count('sluice_winevtlog_missed_events_total'), 0);
  assert.equal(log.open, 0, 'what was opened is closed');
});

test('the first start leaves out what is there, unless asked', async () => {
  const log = new FakeEventLog();
  log.add('System', 5);
  const { opened, sources } = keptSources();
  const rig = rigOf(log, { read_existing_events: false }, { sources });
  await rig.start();
  await waitUntil('subscribed', () => log.subscriptions.length === 1);
  log.add('System', 6);
  await untilIds(rig, [6]);
  assert.equal(opened[0]!.startPosition, 6, 'the place is known before the first event');
  await rig.stop();
});

test('messages and names come from the publisher, else from the forwarded event, else nowhere', async () => {
  const log = new FakeEventLog();
  log.add('System', 1, {
    xml: eventXml('System', 1),
    rendered: { message: 'It works.', task: 'Working', keywords: ['Classic'] },
  });
  const extra = '<RenderingInfo Culture="en-US"><Message>From afar.</Message></RenderingInfo>';
  log.add('System', 2, { xml: eventXml('System', 2, { extra }) });
  log.add('System', 3);
  const rig = rigOf(log);
  await rig.start();
  await untilIds(rig, [1, 2, 3]);
  await rig.stop();
  const picked = rig.emitter.seen.map(({ record }) => [
    record['message_source'],
    record['Message'],
    record['TaskName'],
  ]);
  assert.deepEqual(picked, [
    ['publisher', 'It works.', 'Working'],
    ['rendering_info', 'From afar.', undefined],
    ['none', undefined, undefined],
  ]);
});

test('an event may come as one text, or without its data by name', async () => {
  const read = async (options: Record<string, unknown>): Promise<Record<string, unknown>> => {
    const log = new FakeEventLog();
    const rendered = { message: 'It works.\r\nWell.' };
    log.add('System', 7, { xml: eventXml('System', 7), rendered });
    const rig = rigOf(log, options);
    await rig.start();
    await waitUntil('a record', () => rig.emitter.seen.length === 1);
    await rig.stop();
    return rig.emitter.seen[0]!.record;
  };
  const record = await read({ render_event_as_text: true, render_event_text_key: 'event' });
  assert.deepEqual(Object.keys(record), ['event', 'StringInserts']);
  const lines = String(record['event']).split('\n');
  assert.equal(lines.length, 20);
  assert.match(lines[0]!, /^ProviderName=./);
  assert.ok(lines.includes('EventRecordID=7') && lines.includes('RelatedActivityID='));
  assert.deepEqual(lines.slice(-2), ['Message=It works.\r', 'Well.']);
  const withoutInserts = { render_event_as_text: true, string_inserts: false };
  assert.deepEqual(Object.keys(await read(withoutInserts)), ['log']);
  const listed = await read({ event_data_as_map: false });
  assert.deepEqual([listed['EventData'], listed['StringInserts']], [undefined, ['7']]);
});

test('waits between tries grow as Fluent Bit’s keys say, and are its own without them', () => {
  const delays = (keys: Record<string, number>): number[] => {
    const options = withDefaults<WinevtlogOptions>(plugin.schema, keys);
    return [1, 2, 3, 50].map((failures) => reconnectDelayMs(options, failures, 0.5));
  };
  assert.deepEqual(delays({}), [500, 1000, 2000, 30_000]);
  assert.deepEqual(delays({ retry_interval: 600 }), [10, 20, 40, 600]);
  const own = { 'reconnect.base_ms': 100, 'reconnect.max_ms': 400, 'reconnect.multiplier': 3 };
  assert.deepEqual(delays(own), [100, 300, 400, 400]);
  const options = withDefaults<WinevtlogOptions>(plugin.schema, { 'reconnect.jitter_pct': 10 });
  assert.deepEqual(
    [450, 550],
    [0, 1].map((random) => reconnectDelayMs(options, 1, random)),
  );
});

for (const code of [6, 1722, 1818, 15011, 15012]) {
  test(`after error ${code} reading goes on behind the last event`, async () => {
    const log = new FakeEventLog();
    for (const id of [1, 2]) log.add('System', id);
    const rig = rigOf(log);
    await rig.start();
    await untilIds(rig, [1, 2]);
    log.nextFaults.push(code);
    log.subscribeFaults.push(1722);
    await waitUntil('subscribed again', () => log.subscriptions.length >= 3);
    log.add('System', 3);
    await untilIds(rig, [1, 2, 3]);
    await rig.stop();
    assert.match(log.subscriptions[2]!, /RecordId='2'/);
    assert.equal(rig.count('sluice_winevtlog_resubscriptions_total'), 2);
    assert.equal(rig.count('sluice_winevtlog_missed_events_total'), 0);
  });
}

test('a remote call that is refused for its size is tried with half the events, to one', async () => {
  const log = new FakeEventLog();
  log.add('System', 1);
  log.nextFaults.push(1734, 1734, 1734, 1734);
  const rig = rigOf(log, { batch_events: 4 });
  await rig.start();
  await untilIds(rig, [1]);
  await rig.stop();
  assert.deepEqual(log.asked.slice(0, 5), [4, 2, 1, 1, 1]);
});

test('a log that wrapped past the bookmark is read from its oldest event, and the gap is counted', async () => {
  const log = new FakeEventLog();
  for (const id of [10, 11]) log.add('System', id);
  const { sources } = keptSources({ identity: markAt(4), positions: { out: 5 } });
  const rig = rigOf(log, {}, { sources });
  await rig.start();
  await untilIds(rig, [10, 11]);
  await rig.stop();
  assert.equal(rig.count('sluice_winevtlog_missed_events_total'), 5);
  assert.equal(rig.count('sluice_winevtlog_bookmarks_lost_total'), 1);
  assert.deepEqual(
    rig.emitter.seen.map(({ offset }) => offset),
    [10, 11],
  );
});

test('with a useless bookmark, what was read before is not read again', async () => {
  const log = new FakeEventLog();
  for (const id of [1, 2, 3, 4]) log.add('System', id);
  const { sources } = keptSources({ identity: markAt(2), positions: { out: 3 } });
  log.subscribeFaults.push(15011);
  const rig = rigOf(log, {}, { sources });
  await rig.start();
  await untilIds(rig, [3, 4]);
  await rig.stop();
  assert.equal(rig.count('sluice_winevtlog_missed_events_total'), 0);
});

test('a cleared log whose ids begin anew is read whole, at positions that no output has settled', async () => {
  const log = new FakeEventLog();
  for (const id of [1, 2])
    log.add('System', id, { xml: eventXml('System', id, { minute: 100 + id }) });
  // One output has more than the mark: it must not take the new events for those it had.
  const { sources } = keptSources({ identity: markAt(50), positions: { a: 51, b: 60 } });
  const rig = rigOf(log, {}, { sources });
  await rig.start();
  await untilIds(rig, [1, 2]);
  await rig.stop();
  assert.deepEqual(
    rig.emitter.seen.map(({ offset }) => offset),
    [60, 61],
  );
});

test('a channel that is missing leaves the others alone, and is read whole when it appears', async () => {
  const log = new FakeEventLog();
  log.add('System', 1);
  const problems: (string | undefined)[] = [];
  const rig = rigOf(
    log,
    { channels: ['Later', 'System'], read_existing_events: false },
    { setHealth: (problem) => problems.push(problem) },
  );
  await rig.start();
  await waitUntil('System subscribed', () => log.subscriptions.length >= 1);
  await waitUntil('a problem', () => problems.some((one) => one?.includes('15007')));
  log.add('System', 2);
  await waitUntil('System is read', () => rig.emitter.seen.length === 1);
  log.add('Later', 1);
  await waitUntil('Later is read', () => rig.emitter.seen.length === 2);
  assert.equal(rig.emitter.seen[1]!.record['Channel'], 'Later');
  await waitUntil('all is well', () => problems.at(-1) === undefined);
  await rig.stop();
});

test('the bookmark of a position is of an event before it, and stays until that is settled', async () => {
  const log = new FakeEventLog();
  for (const id of [1, 2, 3, 4]) log.add('System', id);
  const { opened, sources } = keptSources();
  const rig = rigOf(log, { batch_events: 2 }, { sources });
  await rig.start();
  await untilIds(rig, [1, 2, 3, 4]);
  await rig.stop();
  const bookmarkOf = async (position: number) => readMark(await opened[0]!.identity!(position))!;
  assert.equal((await bookmarkOf(2)).recordId, 0);
  assert.equal((await bookmarkOf(3)).recordId, 2);
  assert.equal((await bookmarkOf(4)).recordId, 2);
  assert.equal((await bookmarkOf(5)).recordId, 4);
  opened[0]!.onSettled!(4);
  assert.equal((await bookmarkOf(4)).recordId, 2);
  opened[0]!.onSettled!(5);
  assert.equal((await bookmarkOf(5)).recordId, 4);
});

test('forwarded events, whose ids come in no order, are all read', async () => {
  const log = new FakeEventLog();
  for (const id of [7, 3, 900, 3]) log.add('ForwardedEvents', id);
  const rig = rigOf(log, { channels: ['ForwardedEvents'] });
  await rig.start();
  await untilIds(rig, [7, 3, 900, 3]);
  await rig.stop();
  const offsets = rig.emitter.seen.map(({ offset }) => offset);
  assert.deepEqual(
    offsets,
    [...offsets].sort((a, b) => a - b),
  );
  assert.equal(rig.count('sluice_winevtlog_missed_events_total'), 0);
});

test('bad events are counted, and their neighbours read', async () => {
  const log = new FakeEventLog();
  log.add('System', 1);
  log.add('System', 2, { problem: 'EvtRender failed with 15005' });
  log.add('System', 3, { xml: '<Event><unclosed' });
  const big = `<UserData>${'x'.repeat(2_000_000)}</UserData>`;
  log.add('System', 4, { xml: eventXml('System', 4, { extra: big }) });
  log.add('System', 5);
  const rig = rigOf(log, { event_query: '*[System]' });
  await rig.start();
  await waitUntil('the last is read', () => rig.emitter.seen.length === 3);
  await rig.stop();
  assert.deepEqual(idsOf(rig), [1, undefined, 5]);
  assert.equal(rig.emitter.seen[1]!.record['Xml'], '<Event><unclosed');
  assert.equal(rig.count('sluice_winevtlog_unrendered_events_total'), 1);
  assert.equal(rig.count('sluice_winevtlog_malformed_events_total'), 1);
  assert.equal(rig.count('sluice_winevtlog_too_large_events_total'), 1);
});

test('publishers beyond the limit are closed, the one not used for longest first; missing ones are asked for again later', () => {
  let nowMs = 0;
  const opened: string[] = [];
  const closed: string[] = [];
  const cache = new PublisherCache<string>(
    2,
    (name) => {
      opened.push(name);
      return name === 'missing' ? undefined : name;
    },
    (name) => closed.push(name),
    () => nowMs,
  );
  const asked: number[] = [];
  const ask = (publisher: string) =>
    cache.rendered({ publisher, level: '4', task: '', opcode: '', keywords: '0x1' }, (_, kind) => {
      asked.push(kind);
      return kind === 5 ? 'A\0B\0' : `text ${kind}`;
    });
  assert.deepEqual(ask('a'), { message: 'text 1', level: 'text 2', keywords: ['A', 'B'] });
  ask('a');
  assert.deepEqual(asked, [5, 1, 2, 1], 'names are asked for once');
  ask('b');
  ask('a');
  ask('c');
  assert.deepEqual(closed, ['b']);
  assert.equal(ask('missing'), undefined);
  assert.equal(ask('missing'), undefined);
  assert.equal(opened.filter((name) => name === 'missing').length, 1);
  nowMs = 300_000;
  ask('missing');
  assert.equal(opened.filter((name) => name === 'missing').length, 2);
  assert.equal(cache.size, 2);
});

test('options that say nothing or twice the same are refused', () => {
  const base = { channels: [], event_query: '*' };
  const pathsOf = (options: object) =>
    checkOptions(options as Parameters<typeof checkOptions>[0]).map(({ path }) => path.join('.'));
  assert.deepEqual(pathsOf(base), ['channels']);
  assert.deepEqual(pathsOf({ ...base, channels: ['A'], event_query: '<QueryList/>' }), [
    'channels',
  ]);
  assert.deepEqual(pathsOf({ ...base, event_query: '<QueryList/>' }), []);
  assert.deepEqual(pathsOf({ ...base, channels: ['A'], 'remote.username': 'u' }), [
    'remote.username',
  ]);
});

test('elsewhere than on Windows the input says what to use instead', {
  skip: process.platform === 'win32' ? 'this is Windows' : false,
}, async () => {
  const rig = inputRig(plugin, { channels: ['System'], event_query: '*', ...quick });
  await assert.rejects(rig.start(), /needs Windows.*evtx/);
});

test('an input that is stopped while its channel cannot be read ends at once', async () => {
  const log = new FakeEventLog();
  const rig = rigOf(log, { retry_interval: 3_600_000 });
  await rig.start();
  await waitUntil('it failed', () => rig.count('sluice_winevtlog_resubscriptions_total') === 1);
  await rig.stop();
  assert.equal(log.open, 0);
});
