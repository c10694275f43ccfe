import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, afterEach, test } from 'node:test';
import { waitUntil } from '../../core/testing/index.ts';
import { EventLogError } from '../../plugins/inputs/winevtlog/event_log.ts';
import { plugin } from '../../plugins/inputs/winevtlog/index.ts';
import {
  type EventLogOptions,
  openEventLog,
} from '../../plugins/inputs/winevtlog/koffi_event_log.ts';
import { WinevtlogInput } from '../../plugins/inputs/winevtlog/winevtlog_input.ts';
import { loadKoffi } from '../../plugins/shared/windows_native/load_koffi.ts';
import { eventXml } from '../unit/inputs/event_log_fake.ts';
import { type InputRig, inputRig } from '../unit/inputs/metric_rig.ts';

const skip =
  process.platform === 'win32' ? false : 'runs in Node for Windows: npm run test:windows';
const libraryPath = join(process.cwd(), 'wevtapi.dll');

/** The test's side of the stand-in. */
interface StandIn {
  append(channel: string, xml: string | null): void;
  dropOldest(channel: string, count: number): void;
  message(publisher: string, key: string, text: string): void;
  fault(name: string, error: number, times: number): void;
  handles(): number;
}

async function standIn(): Promise<StandIn> {
  const koffi = await loadKoffi();
  const library = koffi.load(libraryPath);
  const text = 'const char16_t *';
  return {
    append: library.func('StandInAppend', 'void', [text, text]),
    dropOldest: library.func('StandInDropOldest', 'void', [text, 'int']),
    message: library.func('StandInMessage', 'void', [text, text, text]),
    fault: library.func('StandInFault', 'void', ['const char *', 'uint32_t', 'int']),
    handles: library.func('StandInHandles', 'int32_t', []),
  };
}

const logOptions: EventLogOptions = { renderMessages: true, publishersMax: 8, libraryPath };

const rigs: InputRig[] = [];

function rigOf(channel: string, options: Record<string, unknown> = {}): InputRig {
  const all = {
    channels: [channel],
    read_existing_events: true,
    poll_interval: 5,
    retry_interval: 300,
    ...options,
  };
  const rig = inputRig(
    plugin,
    all,
    {},
    (one, context) => new WinevtlogInput(one, context, () => openEventLog(logOptions)),
  );
  rigs.push(rig);
  return rig;
}

const idsOf = (rig: InputRig): unknown[] =>
  rig.emitter.seen.map(({ record }) => record['EventRecordID']);

// A test that fails leaves its input running.
afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.stop();
});

after(async () => {
  if (skip !== false) return;
  assert.equal((await standIn()).handles(), 0, 'every handle was closed');
});

test('events, messages, names and live events come through the calls', { skip }, async () => {
  const log = await standIn();
  log.message('Maker', '7', 'Number %1 – é€😀 – is made.');
  log.message('Maker', '2:4', 'Notice');
  log.message('Maker', '3:2', 'Making');
  log.append('App', eventXml('App', 1));
  const rig = rigOf('App');
  await rig.start();
  await waitUntil('the first', () => rig.emitter.seen.length === 1);
  log.append('App', eventXml('App', 2));
  await waitUntil('the live one', () => rig.emitter.seen.length === 2);
  await rig.stop();
  // An empty log is no error: the code of a call on another thread arrives with it.
  assert.equal(rig.count('sluice_winevtlog_resubscriptions_total'), 0);
  const { record } = rig.emitter.seen[1]!;
  assert.equal(record['Message'], 'Number 2 – é€😀 – is made.');
  assert.equal(record['message_source'], 'publisher');
  assert.equal(record['LevelName'], 'Notice');
  assert.equal(record['TaskName'], 'Making');
  assert.deepEqual(record['EventData'], { number: '2' });
});

test('a publisher without metadata leaves an event without a message', { skip }, async () => {
  const log = await standIn();
  log.append('Bare', eventXml('Bare', 1).replace('Maker', 'Nobody'));
  const rig = rigOf('Bare');
  await rig.start();
  await waitUntil('it', () => rig.emitter.seen.length === 1);
  await rig.stop();
  assert.equal(rig.emitter.seen[0]!.record['message_source'], 'none');
});

test('an event and a message larger than the buffers come whole', { skip }, async () => {
  const log = await standIn();
  const text = 'x'.repeat(200_000);
  log.message('Wordy', '7', text);
  const extra = `<UserData><Text>${text}</Text></UserData>`;
  log.append('Long', eventXml('Long', 1, { extra }).replace('Maker', 'Wordy'));
  const rig = rigOf('Long');
  await rig.start();
  await waitUntil('it', () => rig.emitter.seen.length === 1);
  await rig.stop();
  assert.equal(rig.emitter.seen[0]!.record['Message'], text);
  assert.deepEqual(rig.emitter.seen[0]!.record['UserData'], { Text: text });
});

for (const [call, code] of [
  ['EvtNext', 1722],
  ['EvtNext', 1734],
  ['EvtNext', 6],
  ['EvtNext', 15011],
  ['EvtNext', 15012],
  ['EvtSubscribe', 15007],
  ['EvtSubscribe', 5],
  ['EvtSubscribe', 15011],
  ['EvtUpdateBookmark', 6],
  ['EvtCreateBookmark', 13],
] as const) {
  test(`no event is lost or comes twice when ${call} fails with ${code}`, { skip }, async () => {
    const log = await standIn();
    const channel = `Fault ${call} ${code}`;
    log.append(channel, eventXml(channel, 1));
    const rig = rigOf(channel);
    await rig.start();
    await waitUntil('the first', () => rig.emitter.seen.length === 1);
    // A subscription opens again after its reading has failed.
    if (call === 'EvtSubscribe' || call === 'EvtCreateBookmark') log.fault('EvtNext', 1722, 1);
    log.fault(call, code, 1);
    for (const id of [2, 3]) log.append(channel, eventXml(channel, id));
    await waitUntil('all', () => rig.emitter.seen.length >= 3);
    assert.deepEqual(idsOf(rig), [1, 2, 3]);
    await waitUntil(
      'the fault was seen',
      () => rig.count('sluice_winevtlog_resubscriptions_total') > 0,
    );
    assert.equal(rig.count('sluice_winevtlog_missed_events_total'), 0);
    await rig.stop();
  });
}

test('events that were overwritten before they were read are counted', { skip }, async () => {
  const log = await standIn();
  log.append('Wrap', eventXml('Wrap', 1));
  const rig = rigOf('Wrap', { retry_interval: 6000 });
  await rig.start();
  await waitUntil('the first', () => rig.emitter.seen.length === 1);
  log.fault('EvtNext', 1722, 1);
  log.append('Wrap', eventXml('Wrap', 2));
  await waitUntil('it fails', () => rig.count('sluice_winevtlog_resubscriptions_total') === 1);
  for (const id of [3, 4, 5]) log.append('Wrap', eventXml('Wrap', id));
  log.dropOldest('Wrap', 3);
  await waitUntil('the rest', () => rig.emitter.seen.length === 3);
  await rig.stop();
  assert.deepEqual(idsOf(rig), [1, 4, 5]);
  assert.equal(rig.count('sluice_winevtlog_missed_events_total'), 2);
});

test('a channel that appears later, XPath and the first start at the newest event', {
  skip,
}, async () => {
  const log = await standIn();
  log.append('Old', eventXml('Old', 1));
  const newest = rigOf('Old', { read_existing_events: false });
  const late = rigOf('Late', { read_existing_events: false, event_query: '*[System[EventID=7]]' });
  await Promise.all([newest.start(), late.start()]);
  await waitUntil(
    'Late is looked for',
    () => late.count('sluice_winevtlog_resubscriptions_total') > 0,
  );
  log.append('Late', eventXml('Late', 1).replace('<EventID>7', '<EventID>8'));
  log.append('Late', eventXml('Late', 2));
  await waitUntil('Late is read', () => late.emitter.seen.length === 1);
  // The first start has put its mark behind event 1 before it subscribed.
  await waitUntil(
    'Old is subscribed',
    () => newest.count('sluice_winevtlog_resubscriptions_total') === 0,
  );
  log.append('Old', eventXml('Old', 2));
  await waitUntil('Old is read', () => newest.emitter.seen.length >= 1);
  await Promise.all([newest.stop(), late.stop()]);
  assert.deepEqual(idsOf(late), [2]);
  assert.equal(idsOf(newest).at(-1), 2);
});

test('a QueryList names its channel itself', { skip }, async () => {
  const log = await standIn();
  log.append('Listed', eventXml('Listed', 1));
  const query = '<QueryList><Query Id="0"><Select Path="Listed">*</Select></Query></QueryList>';
  const rig = rigOf('', { channels: [], event_query: query });
  await rig.start();
  await waitUntil('it', () => rig.emitter.seen.length === 1);
  await rig.stop();
});

test('another host is reached with its account, and a wrong password is refused', {
  skip,
}, async () => {
  const remote = { server: 'collector', domain: 'lab', username: 'reader', password: 'right' };
  const log = await openEventLog({ ...logOptions, remote });
  log.close();
  await assert.rejects(
    openEventLog({ ...logOptions, remote: { ...remote, password: 'wrong' } }),
    (error) => error instanceof EventLogError && error.code === 5,
  );
});

test('ten thousand events are read, rendered and made into records', { skip }, async (context) => {
  const log = await standIn();
  const count = 10_000;
  const rig = rigOf('Many');
  for (const what of ['just started', 'warm']) {
    const before = rig.emitter.seen.length;
    for (let id = 1; id <= count; id++) log.append('Many', eventXml('Many', before + id));
    const beganMs = performance.now();
    const beganCpu = process.cpuUsage();
    if (before === 0) await rig.start();
    await waitUntil('all', () => rig.emitter.seen.length === before + count, 60_000);
    const seconds = (performance.now() - beganMs) / 1000;
    const { user, system } = process.cpuUsage(beganCpu);
    const cpuSeconds = (user + system) / 1e6;
    context.diagnostic(
      `measured: ${what}, ${Math.round(count / seconds)} rendered events/s, ${Math.round(count / cpuSeconds)} per CPU second`,
    );
  }
  await rig.stop();
});
