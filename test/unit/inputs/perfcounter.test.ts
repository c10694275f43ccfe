import assert from 'node:assert/strict';
import { test } from 'node:test';
import { waitUntil } from '../../../core/testing/index.ts';
import {
  instanceTest,
  metricName,
  parseCounterPath,
} from '../../../plugins/inputs/perfcounter/counter_path.ts';
import { plugin } from '../../../plugins/inputs/perfcounter/index.ts';
import { openCounters } from '../../../plugins/inputs/perfcounter/open_counters.ts';
import type { PdhAnswer, PdhRequest } from '../../../plugins/inputs/perfcounter/pdh_reader.ts';
import { PerfcounterInput } from '../../../plugins/inputs/perfcounter/perfcounter_input.ts';
import { problemsOf } from '../outputs/chunk_harness.ts';
import { inputRig } from './metric_rig.ts';

for (const [text, name] of [
  ['\\Processor(*)\\% Processor Time', 'windows_processor_percent_processor_time'],
  ['\\LogicalDisk(C:)\\Avg. Disk sec/Read', 'windows_logicaldisk_avg_disk_sec_read'],
  ['\\PhysicalDisk(_Total)\\Disk Reads/sec', 'windows_physicaldisk_disk_reads_per_second'],
  ['\\\\srv1\\System\\Processor Queue Length', 'windows_system_processor_queue_length'],
  ['\\.NET CLR Memory(*)\\# Bytes in all Heaps', 'windows_net_clr_memory_bytes_in_all_heaps'],
] as const) {
  test(`the counter ${text} has the metric ${name}`, () => {
    const path = parseCounterPath(text);
    assert.ok(typeof path !== 'string');
    assert.equal(metricName(path), name);
  });
}

test('a wildcard in an instance asks for all, and takes those that it fits', () => {
  const path = parseCounterPath('\\Process(chrome*)\\Working Set');
  assert.ok(typeof path !== 'string');
  assert.equal(path.query, '\\Process(*)\\Working Set');
  const takes = instanceTest(path.instance);
  assert.deepEqual(['Chrome', 'chrome#12', 'xchrome'].map(takes), [true, true, false]);
});

for (const [says, options, expected] of [
  ['a path is none', { counters: ['Processor'] }, /no path of a counter/],
  ['the counter is a wildcard', { counters: ['\\Processor(*)\\*'] }, /only the instance/],
  ['a path is not English', { counters: ['\\Prozessor(*)\\Prozessorauslastung für %'] }, /English/],
  ['a name has no counter', { counters: ['\\A\\B'], names: { '\\A\\C': 'c' } }, /not among/],
] as const) {
  test(`the check says so when ${says}`, () => {
    const problems = problemsOf(plugin as never, options);
    assert.match(problems.map(({ message }) => message).join(), expected);
  });
}

function rigOf(
  read: (request: PdhRequest, signal: AbortSignal) => Promise<PdhAnswer>,
  options: Record<string, unknown>,
) {
  const source = { read, close: async () => undefined };
  return inputRig(
    plugin,
    { interval: 20, ...options },
    {},
    (all, context) => new PerfcounterInput(all, context, () => source),
  );
}

test('values become metrics with the instance as a label, filtered and named', async (t) => {
  const counters = ['\\Disk(C*)\\Free', '\\Disk(*)\\Reads/sec', '\\System\\Threads'];
  const rig = rigOf(
    async ({ paths }) => ({
      samples: paths.flatMap((path) =>
        (path.includes('(*)') ? ['C:', 'D:', '_Total'] : ['']).map((instance) => ({
          ...{ path, instance, value: 2.5 },
        })),
      ),
      missing: [],
      negative: 0,
    }),
    {
      ...{ counters, interval: '1h', instance_exclude: '^_Total$', labels: { cluster: 'north' } },
      names: { '\\System\\Threads': 'threads' },
    },
  );
  await rig.start();
  t.after(() => rig.stop());
  await waitUntil('all', () => rig.emitter.seen.length >= 4);
  const texts = rig.emitter.seen.map(({ record }) => {
    const { instance = '-', cluster } = record['labels'] as Record<string, string>;
    return `${record['name']} ${instance} ${cluster} ${record['type']} ${record['value']}`;
  });
  assert.deepEqual(texts.sort(), [
    'threads - north gauge 2.5',
    'windows_disk_free C: north gauge 2.5',
    'windows_disk_reads_per_second C: north gauge 2.5',
    'windows_disk_reads_per_second D: north gauge 2.5',
  ]);
});

test('an object whose reading hangs holds up no other, and a missing counter is named once', async (t) => {
  let rounds = 0;
  const rig = rigOf(
    async ({ object, paths }, signal) => {
      if (object === 'Hung') await new Promise((end) => signal.addEventListener('abort', end));
      rounds++;
      const missing = paths.map((path) => ({ path, reason: 'there is no such object' }));
      return { samples: [], missing, negative: 1 };
    },
    { counters: ['\\Hung\\X', '\\Gone\\X'], timeout: 50 },
  );
  await rig.start();
  t.after(() => rig.stop());
  const hung = { collector: 'Hung' };
  await waitUntil(
    'both',
    () => rounds > 5 && rig.count('sluice_collector_timeout_total', hung) > 0,
  );
  assert.ok(rig.count('sluice_perfcounter_missing_total', { counter: '\\Gone\\X' }) > 3);
  assert.ok(rig.count('sluice_perfcounter_negative_total') > 3);
  assert.equal(rig.log.filter((line) => line.includes('A counter has no value')).length, 1);
  assert.equal(rig.emitter.seen.length, 0);
});

test('elsewhere than on Windows the input says so', () => {
  assert.throws(() => openCounters({} as never, {} as never, 'linux'), /needs Windows/);
});
