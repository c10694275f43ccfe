import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { type TestContext, test } from 'node:test';
import { waitUntil } from '../../core/testing/index.ts';
import { plugin } from '../../plugins/inputs/wmi/index.ts';
import { type InputRig, inputRig } from '../unit/inputs/metric_rig.ts';

const skip =
  process.platform === 'win32' ? false : 'runs in Node for Windows: npm run test:windows';

async function started(t: TestContext, options: Record<string, unknown>): Promise<InputRig> {
  const rig = inputRig(plugin, { interval: '1h', ...options });
  await rig.start();
  t.after(() => rig.stop());
  return rig;
}

type Row = Readonly<Record<string, unknown>>;
const rowsOf = (rig: InputRig, query: string): Row[] =>
  rig.emitter.seen
    .filter(({ record }) => record['query'] === query)
    .map(({ record }) => record['properties'] as Row);

test('rows of real classes come over COM with numbers, texts, lists, times and nulls', {
  skip,
}, async (t) => {
  const rig = await started(t, {
    classes: 'Win32_OperatingSystem, Win32_ComputerSystem, Win32_NetworkAdapterConfiguration',
    queries: [
      {
        ...{ name: 'disks', class: 'Win32_LogicalDisk', where: 'DriveType = 3', priority: 'high' },
        properties: ['DeviceID', 'FreeSpace', 'Size'],
      },
      { name: 'self', wql: "SELECT Name, ProcessId FROM Win32_Process WHERE Name = 'node.exe'" },
    ],
  });
  await waitUntil('all', () => {
    const names = ['disks', 'self', 'Win32_OperatingSystem', 'Win32_ComputerSystem'];
    return names.every((name) => rowsOf(rig, name).length > 0);
  });
  const system = rowsOf(rig, 'Win32_OperatingSystem')[0]!;
  assert.match(String(system['Caption']), /Windows/);
  assert.match(String(system['LastBootUpTime']), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}/);
  assert.equal(typeof system['TotalVisibleMemorySize'], 'number');
  const computer = rowsOf(rig, 'Win32_ComputerSystem')[0]!;
  assert.equal(String(computer['Name']).toLowerCase(), hostname().toLowerCase());
  const disk = rowsOf(rig, 'disks')[0]!;
  assert.match(String(disk['DeviceID']), /^[A-Z]:$/);
  assert.ok(Number(disk['Size']) >= Number(disk['FreeSpace']));
  assert.equal(typeof disk['Size'], 'number');
  const { record } = rig.emitter.seen.find((one) => one.record['query'] === 'disks')!;
  assert.equal(record['class'], 'Win32_LogicalDisk');
  // Wine writes some names in other letters than Windows.
  const pids = rowsOf(rig, 'self').flatMap((row) =>
    Object.entries(row).flatMap(([name, value]) => (/^processid$/i.test(name) ? [value] : [])),
  );
  assert.ok(pids.includes(process.pid));
});

test('bad WQL and an unknown namespace fail by themselves, with what to do', {
  skip,
}, async (t) => {
  const rig = await started(t, {
    queries: [
      { name: 'wql', wql: 'SELECT FROM WHERE' },
      { name: 'space', class: 'Win32_Process', namespace: 'root\\nowhere' },
      { name: 'good', class: 'Win32_OperatingSystem' },
    ],
  });
  const failures = (collector: string): number =>
    rig.count('sluice_collector_failures_total', { collector });
  await waitUntil('all', () => failures('wql') + failures('space') === 2);
  await waitUntil('the good one', () => rowsOf(rig, 'good').length === 1);
  const log = rig.log.join('\n');
  assert.match(log, /no valid WQL.*0x80041017/);
  assert.match(log, /no such namespace.*0x8004100e/);
});

test('another host that is not there fails with what to check', { skip }, async (t) => {
  const rig = await started(t, {
    ...{ host: 'no-such-host', username: 'reader', password: 'secret' },
    ...{ domain: 'lab', transport: 'com', classes: 'Win32_BIOS' },
  });
  await waitUntil(
    'it fails',
    () => rig.count('sluice_collector_failures_total', { collector: 'Win32_BIOS' }) === 1,
  );
  assert.doesNotMatch(rig.log.join('\n'), /secret/);
});

test('three hundred readings leave nothing behind', { skip }, async (t) => {
  const rig = await started(t, { interval: 100, queries: [{ name: 'p', class: 'Win32_Process' }] });
  const count = (): number => rowsOf(rig, 'p').length;
  await waitUntil('many rows', () => count() > 200, 60_000);
  assert.equal(rig.count('sluice_collector_failures_total', { collector: 'p' }), 0);
  assert.equal(rig.count('sluice_collector_helpers_lost_total', { reason: 'crashed' }), 0);
});
