import assert from 'node:assert/strict';
import { cpus, freemem, networkInterfaces, totalmem } from 'node:os';
import { type TestContext, test } from 'node:test';
import { waitUntil } from '../../core/testing/index.ts';
import { plugin } from '../../plugins/inputs/host_metrics/index.ts';
import { openKernel } from '../../plugins/inputs/host_metrics/windows/koffi_kernel.ts';
import { parseProcesses } from '../../plugins/inputs/host_metrics/windows/processes.ts';
import { type InputRig, inputRig } from '../unit/inputs/metric_rig.ts';

const skip =
  process.platform === 'win32' ? false : 'runs in Node for Windows: npm run test:windows';

async function reading(t: TestContext): Promise<InputRig> {
  const rig = inputRig(plugin, { interval: '1h', top_processes: 100 });
  await rig.start();
  t.after(() => rig.stop());
  await waitUntil(
    'all collectors',
    () =>
      rig.emitter.seen.filter(({ record }) => record['name'] === success).length >= collectorCount,
  );
  return rig;
}

const success = 'windows_exporter_collector_success';
const collectorCount = 7;

function values(rig: InputRig, name: string): number[] {
  return rig.emitter.seen
    .filter(({ record }) => record['name'] === name)
    .map(({ record }) => Number(record['value']));
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

test('the kernel’s numbers are those that Node has of it', { skip }, async (t) => {
  const rig = await reading(t);
  assert.deepEqual(values(rig, 'windows_cpu_logical_processor'), [cpus().length]);
  const total = values(rig, 'windows_memory_physical_total_bytes')[0]!;
  assert.equal(total, totalmem());
  const available = values(rig, 'windows_memory_available_bytes')[0]!;
  assert.ok(Math.abs(available - freemem()) < total / 4);
  const times = cpus().map(({ times: of }) => of.idle + of.user + of.sys);
  const ours = sum(
    rig.emitter.seen
      .filter(({ record }) => record['name'] === 'windows_cpu_time_total')
      .filter(({ record }) => {
        const { mode } = record['labels'] as Record<string, string>;
        return mode === 'idle' || mode === 'user' || mode === 'privileged';
      })
      .map(({ record }) => Number(record['value'])),
  );
  assert.ok(Math.abs(ours - sum(times) / 1000) < 0.05 * ours + 30, `${ours} ${sum(times) / 1000}`);
  const free = values(rig, 'windows_logical_disk_free_bytes');
  const size = values(rig, 'windows_logical_disk_size_bytes');
  assert.ok(free.length > 0 && free.every((bytes, at) => bytes > 0 && bytes <= size[at]!));
  const isNetworked = Object.keys(networkInterfaces()).length > 0;
  if (isNetworked) assert.ok(values(rig, 'windows_net_bytes_received_total').length > 0);
  const boot = values(rig, 'windows_system_boot_time_timestamp')[0]!;
  assert.ok(boot > 1e9 && boot < Date.now() / 1000);
});

test('this very process is among those that are named', { skip }, async (t) => {
  const rig = await reading(t);
  const own = rig.emitter.seen.find(({ record }) => {
    const labels = record['labels'] as Record<string, string>;
    return labels['process_id'] === String(process.pid);
  });
  assert.equal((own!.record['labels'] as Record<string, string>)['process'], 'node');
  const kernel = await openKernel();
  const facts = parseProcesses(kernel.processes()).find(({ id }) => id === String(process.pid))!;
  assert.ok(facts.threads > 1);
  assert.ok(facts.workingSetBytes > 1e6);
});

test('a hundred readings leave nothing open', { skip }, async () => {
  const kernel = await openKernel();
  const handles = (): number =>
    parseProcesses(kernel.processes()).find(({ id }) => id === String(process.pid))!.handles;
  const before = handles();
  for (let round = 0; round < 100; round++) {
    for (const drive of kernel.drives()) kernel.diskPerformance(drive);
    kernel.interfaces();
  }
  assert.ok(handles() <= before + 5, `${before} ${handles()}`);
});
