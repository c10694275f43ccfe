import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { waitUntil } from '../../core/testing/index.ts';
import { plugin } from '../../plugins/inputs/perfcounter/index.ts';
import { type PdhAnswer, PdhReader } from '../../plugins/inputs/perfcounter/pdh_reader.ts';
import { loadKoffi } from '../../plugins/shared/windows_native/load_koffi.ts';
import { inputRig } from '../unit/inputs/metric_rig.ts';

const skip =
  process.platform === 'win32' ? false : 'runs in Node for Windows: npm run test:windows';
const libraryPath = join(process.cwd(), 'stand_in_pdh.dll');

/** The test's side of the stand-in. */
interface StandIn {
  set(object: string, counter: string, instance: string, isRate: number, value: number): void;
  add(object: string, counter: string, instance: string, isRate: number, value: number): void;
  remove(object: string, instance: string | null): void;
  advance(seconds: number): void;
  handles(): number;
  refreshes(): number;
  forgetNames(known: number): void;
  fault(name: string, status: number, times: number): void;
}

async function standIn(): Promise<StandIn> {
  const library = (await loadKoffi()).load(libraryPath);
  const text = 'const char16_t *';
  return {
    set: library.func('StandInSet', 'void', [text, text, text, 'int', 'double']),
    add: library.func('StandInAdd', 'void', [text, text, text, 'int', 'double']),
    remove: library.func('StandInRemove', 'void', [text, text]),
    advance: library.func('StandInAdvance', 'void', ['double']),
    handles: library.func('StandInHandles', 'int', []),
    refreshes: library.func('StandInRefreshes', 'int', []),
    forgetNames: library.func('StandInForgetNames', 'void', ['int']),
    fault: library.func('StandInFault', 'void', ['const char *', 'uint32_t', 'int']),
  };
}

async function readerOf(t: TestContext): Promise<PdhReader> {
  const reader = new PdhReader(await loadKoffi(), libraryPath);
  t.after(() => reader.close());
  return reader;
}

const valuesOf = ({ samples }: PdhAnswer): Record<string, number> =>
  Object.fromEntries(samples.map(({ instance, value }) => [instance, value]));

after(async () => {
  if (skip === false) assert.equal((await standIn()).handles(), 0, 'every query was closed');
});

test('rates are over the time between two readings; the first gives none', { skip }, async (t) => {
  const pdh = await standIn();
  const reader = await readerOf(t);
  const request = { object: 'Disk', paths: ['\\Disk(*)\\Reads/sec', '\\Disk(*)\\Free'] };
  pdh.set('Disk', 'Reads/sec', 'C:', 1, 1000);
  pdh.set('Disk', 'Free', 'C:', 0, 55.5);
  const first = await reader.read(request);
  assert.deepEqual(first.samples, [{ path: '\\Disk(*)\\Free', instance: 'C:', value: 55.5 }]);
  assert.deepEqual(first.missing, []);
  for (const [by, grows, rate] of [
    [10, 500, 50],
    [2, 500, 250],
  ] as const) {
    pdh.advance(by);
    const value = 1000 + 500 * (by === 10 ? 1 : 2);
    pdh.set('Disk', 'Reads/sec', 'C:', 1, value);
    const { samples } = await reader.read(request);
    assert.equal(samples.find(({ path }) => path.includes('Reads'))!.value, rate, `${grows}`);
  }
});

test('instances come, go and come back; their rates never reach over the gap', {
  skip,
}, async (t) => {
  const pdh = await standIn();
  const reader = await readerOf(t);
  const request = { object: 'Proc', paths: ['\\Proc(*)\\Time'] };
  pdh.set('Proc', 'Time', 'a', 1, 100);
  await reader.read(request);
  pdh.advance(1);
  pdh.set('Proc', 'Time', 'a', 1, 300);
  pdh.set('Proc', 'Time', 'b', 1, 5);
  assert.deepEqual(valuesOf(await reader.read(request)), { a: 200 });
  pdh.advance(1);
  pdh.remove('Proc', 'a');
  pdh.set('Proc', 'Time', 'b', 1, 7);
  assert.deepEqual(valuesOf(await reader.read(request)), { b: 2 });
  pdh.advance(1);
  pdh.set('Proc', 'Time', 'a', 1, 1);
  assert.deepEqual(valuesOf(await reader.read(request)), { b: 0 });
  pdh.advance(1);
  assert.deepEqual(valuesOf(await reader.read(request)), { a: 0, b: 0 });
  pdh.remove('Proc', null);
  const none = await reader.read(request);
  assert.match(none.missing[0]!.reason, /no such instance/);
  pdh.set('Proc', 'Time', 'c', 1, 1);
  await reader.read(request);
  pdh.advance(1);
  assert.deepEqual(valuesOf(await reader.read(request)), { c: 0 });
});

test('a counter that goes backwards gives no value, and is counted', { skip }, async (t) => {
  const pdh = await standIn();
  const reader = await readerOf(t);
  const request = { object: 'Net', paths: ['\\Net(*)\\Bytes'] };
  pdh.set('Net', 'Bytes', 'eth', 1, 100);
  await reader.read(request);
  pdh.advance(1);
  pdh.set('Net', 'Bytes', 'eth', 1, 50);
  const { samples, negative, missing } = await reader.read(request);
  assert.deepEqual([samples.length, negative, missing.length], [0, 1, 0]);
});

test('instances of one name are told apart, and more of them than fit come whole', {
  skip,
}, async (t) => {
  const pdh = await standIn();
  const reader = await readerOf(t);
  for (let at = 0; at < 3; at++) pdh.add('Many', 'Threads', 'svchost', 0, at);
  for (let at = 0; at < 2000; at++) pdh.add('Many', 'Threads', `worker number ${at} – é`, 0, at);
  const values = valuesOf(await reader.read({ object: 'Many', paths: ['\\Many(*)\\Threads'] }));
  assert.deepEqual([values['svchost'], values['svchost#1'], values['svchost#2']], [0, 1, 2]);
  assert.equal(values['worker number 1999 – é'], 1999);
  pdh.remove('Many', null);
});

test('more than 100 % and an object without instances come as they are', { skip }, async (t) => {
  const pdh = await standIn();
  const reader = await readerOf(t);
  pdh.set('System', 'Busy', '', 0, 350);
  const { samples } = await reader.read({ object: 'System', paths: ['\\System\\Busy'] });
  assert.deepEqual(samples, [{ path: '\\System\\Busy', instance: '', value: 350 }]);
});

test('a counter in another language says so, costs nothing else, and is found once it is there', {
  skip,
}, async (t) => {
  const pdh = await standIn();
  const reader = await readerOf(t);
  pdh.set('Here', 'Threads', '', 0, 7);
  const paths = ['\\Here\\Threads', '\\Here\\Faeden'];
  const { samples, missing } = await reader.read({ object: 'Here', paths });
  assert.equal(samples.length, 1);
  assert.match(missing[0]!.reason, /English.*0xc0000bb9/);
  const later = { object: 'Later', paths: ['\\Later\\Count'] };
  assert.match((await reader.read(later)).missing[0]!.reason, /no such object/);
  pdh.forgetNames(1);
  pdh.set('Later', 'Count', '', 0, 1);
  let readings = 0;
  while ((await reader.read(later)).samples.length === 0) assert.ok(readings++ < 10);
  assert.equal(pdh.refreshes(), 1);
});

for (const [name, status, reason] of [
  ['PdhCollectQueryData', 0xc0000bfe, /did not answer in time/],
  ['PdhCollectQueryData', 0x800007d0, /cannot be reached/],
  ['PdhOpenQuery', 0xc0000bbb, /PdhOpenQuery failed with 0xc0000bbb/],
] as const) {
  test(`${name} that fails with ${status.toString(16)} fails one reading`, { skip }, async (t) => {
    const pdh = await standIn();
    const reader = await readerOf(t);
    pdh.set('Well', 'Count', '', 0, 1);
    const request = { object: 'Well', paths: ['\\Well\\Count'] };
    pdh.fault(name, status, 1);
    await assert.rejects(reader.read(request), reason);
    assert.equal((await reader.read(request)).samples.length, 1);
  });
}

test('access denied to a counter is missing with what to do', { skip }, async (t) => {
  const pdh = await standIn();
  const reader = await readerOf(t);
  pdh.set('Well', 'Count', '', 0, 1);
  pdh.fault('PdhAddEnglishCounter', 0xc0000bdb, 1);
  const { missing } = await reader.read({ object: 'Well', paths: ['\\Well\\Count'] });
  assert.match(missing[0]!.reason, /Performance Monitor Users/);
});

// Wine's own library can say that a counter is not there.
test('the real pdh.dll is asked in the helper process', { skip }, async (t) => {
  const counter = '\\Nothing(*)\\Like It';
  const rig = inputRig(plugin, { counters: [counter], interval: 200 });
  await rig.start();
  t.after(() => rig.stop());
  const missing = (): number => rig.count('sluice_perfcounter_missing_total', { counter });
  await waitUntil('two readings', () => missing() >= 2);
  assert.equal(rig.count('sluice_collector_helpers_lost_total', { reason: 'crashed' }), 0);
  assert.match(rig.log.join(), /English/);
});

// Wine's own library ends its process when it is asked for the names of objects anew.
test('a library that ends its process costs a reading, not the agent', { skip }, async (t) => {
  const rig = inputRig(plugin, { counters: ['\\Nothing(*)\\Like It'], interval: 100 });
  await rig.start();
  t.after(() => rig.stop());
  await waitUntil(
    'the process ends',
    () => rig.count('sluice_collector_helpers_lost_total', { reason: 'crashed' }) >= 1,
    60_000,
  ).finally(() => t.diagnostic(rig.log.join()));
  assert.ok(rig.count('sluice_collector_failures_total', { collector: 'Nothing' }) >= 1);
});
