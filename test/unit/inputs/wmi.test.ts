import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { waitUntil } from '../../../core/testing/index.ts';
import { systemClock } from '../../../core/time/clock.ts';
import { cimDateTime } from '../../../plugins/inputs/wmi/cim_date_time.ts';
import { ComSource } from '../../../plugins/inputs/wmi/com_source.ts';
import { plugin } from '../../../plugins/inputs/wmi/index.ts';
import { openWmi } from '../../../plugins/inputs/wmi/open_wmi.ts';
import { WmiInput } from '../../../plugins/inputs/wmi/wmi_input.ts';
import {
  WmiError,
  type WmiRequest,
  type WmiSource,
} from '../../../plugins/inputs/wmi/wmi_source.ts';
import { type InputRig, inputRig } from './metric_rig.ts';

/** Answers by a function. */
function sourceOf(answer: (request: WmiRequest) => string[]): WmiSource {
  return {
    query: async (request) => ({
      rows: answer(request).map((properties) => ({ class: 'Win32_Thing', properties })),
      isCut: false,
    }),
    close: async () => undefined,
  };
}

async function started(
  t: TestContext,
  options: Record<string, unknown>,
  source: WmiSource,
): Promise<InputRig> {
  const rig = inputRig(plugin, { interval: 20, ...options }, { tag: 'wmi.*' }, (all, context) => {
    return new WmiInput(all, context, async () => source);
  });
  await rig.start();
  t.after(() => rig.stop());
  return rig;
}

/** A real helper process whose script stands for one with bad providers. */
function badProviders(): WmiSource & { readonly lost: { readonly hung: { value: number } } } {
  const lost = { hung: { value: 0 }, crashed: { value: 0 } };
  const silent = { error() {}, warn() {}, info() {}, debug() {} };
  const module = new URL('../windows_native/hanging_helper.js', import.meta.url);
  const program = { name: 'hanging_helper', module };
  const options = { threads: 15, clock: systemClock, log: silent, lost, graceMs: 20, program };
  return Object.assign(new ComSource({ target: {}, ...options }), { lost });
}

const words = (rig: InputRig, query: string): unknown[] =>
  rig.emitter.seen.filter(({ record }) => record['query'] === query);

test('a row is a record with its query, class, namespace, host and properties', async (t) => {
  const rig = await started(
    t,
    {
      interval: '1h',
      queries: [
        {
          ...{ name: 'disks', class: 'Win32_LogicalDisk', properties: ['DeviceID', 'Size'] },
          where: 'DriveType = 3',
        },
      ],
      classes: 'Win32_BIOS',
    },
    sourceOf(({ wql, namespace }) => [JSON.stringify({ wql, namespace, Size: 5 })]),
  );
  await waitUntil('both', () => rig.emitter.seen.length === 2);
  const [disks, bios] = rig.emitter.seen;
  assert.equal(disks!.tag, 'wmi.disks');
  const { host, ...rest } = disks!.record;
  assert.equal(typeof host, 'string');
  assert.deepEqual(rest, {
    query: 'disks',
    class: 'Win32_Thing',
    namespace: 'root\\cimv2',
    properties: {
      wql: 'SELECT DeviceID, Size FROM Win32_LogicalDisk WHERE DriveType = 3',
      namespace: 'root\\cimv2',
      Size: 5,
    },
  });
  assert.equal(bios!.tag, 'wmi.Win32_BIOS');
});

test('a provider that hangs costs its own rows only, again and again, and no old row comes', async (t) => {
  const source = badProviders();
  const queries = [
    { name: 'bad', wql: 'SELECT hang FROM x', timeout: 100 },
    { name: 'good', wql: 'SELECT well FROM x', priority: 'high' },
    { name: 'neighbour', wql: 'SELECT well FROM x' },
  ];
  const rig = await started(t, { queries, normal_workers: 2 }, source);
  const timeouts = (): number => rig.count('sluice_collector_timeout_total', { collector: 'bad' });
  await waitUntil('two deadlines', () => timeouts() >= 2, 20_000);
  const before = { good: words(rig, 'good').length, neighbour: words(rig, 'neighbour').length };
  await waitUntil('the others go on', () => {
    const more = words(rig, 'neighbour').length > before.neighbour;
    return more && words(rig, 'good').length > before.good;
  });
  assert.equal(words(rig, 'bad').length, 0);
  assert.ok(source.lost.hung.value >= 1);
  for (const name of ['good', 'neighbour']) {
    assert.equal(rig.count('sluice_collector_timeout_total', { collector: name }), 0);
  }
});

test('a query that WMI refuses is counted and named, and the others go on', async (t) => {
  const rig = await started(
    t,
    { queries: [{ name: 'no', wql: 'SELECT x FROM bad' }], classes: ['Win32_BIOS'] },
    sourceOf(({ wql }) => {
      if (wql.includes('bad')) throw new WmiError('the query is no valid WQL', 0x80041017);
      return ['{}'];
    }),
  );
  await waitUntil('rows', () => rig.emitter.seen.length > 3);
  assert.ok(rig.count('sluice_collector_failures_total', { collector: 'no' }) > 0);
  assert.ok(rig.log.some((line) => line.includes('no valid WQL')));
});

test('where access is denied the fallback is asked, and said so once', async (t) => {
  const query = { name: 'q', wql: 'SELECT secret FROM x', fallback: 'SELECT open FROM y' };
  const rig = await started(
    t,
    { queries: [query] },
    sourceOf(({ wql }) => {
      if (wql.includes('secret')) throw new WmiError('access is denied', 0x80041003);
      return [JSON.stringify({ wql })];
    }),
  );
  await waitUntil('rows', () => rig.emitter.seen.length > 3);
  assert.ok(rig.count('sluice_wmi_fallback_readings_total', { query: 'q' }) > 3);
  assert.equal(rig.log.filter((line) => line.includes('degraded')).length, 1);
  assert.equal(rig.count('sluice_collector_failures_total', { collector: 'q' }), 0);
});

test('the input is unready while no query gives rows, and ready again after that', async (t) => {
  const health: (string | undefined)[] = [];
  let isBad = true;
  const source = sourceOf(() => {
    if (isBad) throw new WmiError('the RPC server is not reachable', 0x800706ba);
    return ['{}'];
  });
  const rig = inputRig(
    plugin,
    { interval: 20, classes: ['A', 'B'] },
    { setHealth: (problem) => void health.push(problem) },
    (all, context) => new WmiInput(all, context, async () => source),
  );
  await rig.start();
  t.after(() => rig.stop());
  await waitUntil('it is unready', () => health.at(-1)?.includes('not reachable') === true);
  isBad = false;
  await waitUntil('it is ready', () => health.at(-1) === undefined);
});

test('a row beyond event_max_bytes and a cut reading are counted', async (t) => {
  const rig = await started(
    t,
    { interval: '1h', queries: [{ wql: 'SELECT cut FROM x' }] },
    {
      query: async () => ({
        rows: ['{}', `{"a":"${'x'.repeat(20_000_000)}"}`].map((properties) => ({
          class: 'C',
          properties,
        })),
        isCut: true,
      }),
      close: async () => undefined,
    },
  );
  const refused = (reason: string): number =>
    rig.count('sluice_wmi_rows_refused_total', { query: 'query_0', reason });
  await waitUntil('it', () => rig.emitter.seen.length === 1);
  assert.deepEqual([refused('rows_max'), refused('event_max_bytes')], [1, 1]);
});

const problems = (options: Record<string, unknown>): string[] => {
  const all = { queries: [], classes: [], domain: '', transport: 'auto', tls: true, ...options };
  return (plugin.check?.(all as never) ?? []).map(({ message }) => message);
};

for (const [says, options, expected] of [
  ['nothing is asked', {}, /Name what is asked/],
  ['a query has both', { queries: [{ class: 'A', wql: 'SELECT * FROM A' }] }, /either/],
  ['WQL is something else', { queries: [{ wql: 'DROP TABLE x' }] }, /WQL begins with/],
  ['two names are equal', { queries: [{ class: 'A' }, { class: 'A' }] }, /Two queries/],
  ['a where has no class', { queries: [{ wql: 'SELECT * FROM A', where: 'x' }] }, /go with/],
  ['an account has no host', { classes: ['A'], username: 'u' }, /only for another host/],
  ['a class is no name', { classes: ['A; B'] }, /no name of a class/],
  ['WinRM has no account', { classes: ['A'], transport: 'winrm', host: 'h' }, /username/],
  [
    'a password would go in clear',
    {
      ...{ classes: ['A'], transport: 'winrm', host: 'h', username: 'u', password: 'p' },
      ...{ authentication: 'basic', tls: false },
    },
    /could be read/,
  ],
] as const) {
  test(`the check says so when ${says}`, () => {
    assert.match(problems(options).join(), expected);
  });
}

test('elsewhere than on Windows the input says that it needs a host', async () => {
  const context = {} as never;
  const options = { transport: 'auto' } as never;
  await assert.rejects(openWmi(options, context, 'linux'), /name a `host`/);
});

for (const [text, expected] of [
  ['20251121163910.123456+060', '2025-11-21T16:39:10.123456+01:00'],
  ['20251121163910.123456-330', '2025-11-21T16:39:10.123456-05:30'],
  ['20251121163910.000000+000', '2025-11-21T16:39:10.000000Z'],
  ['00000001020304.500000:000', 'P1DT2H3M4.5S'],
  ['2025112116****.******+***', '2025112116****.******+***'],
  ['', ''],
] as const) {
  test(`the CIM time ${JSON.stringify(text)} is ${JSON.stringify(expected)}`, () => {
    assert.equal(cimDateTime(text), expected);
  });
}
