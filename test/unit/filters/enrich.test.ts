import assert from 'node:assert/strict';
import { mkdtemp, rename, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, it } from 'node:test';
import fc from 'fast-check';
import type { Batch } from '../../../core/batch/batch.ts';
import { loadKernel } from '../../../core/kernel/kernel.ts';
import { systemClock } from '../../../core/time/clock.ts';
import { waitUntil } from '../../../core/testing/wait_until.ts';
import type { LookupOptions, Options } from '../../../plugins/filters/enrich/config.ts';
import { EnrichFilter } from '../../../plugins/filters/enrich/enrich_filter.ts';
import type { ReverseLookup } from '../../../plugins/filters/enrich/reverse_dns.ts';
import {
  batchOf,
  recordsOf,
  runFilter,
  testContext,
  type TestContext,
  type TestEvent,
} from '../parsers/parsing_fixture.ts';

const kernel = loadKernel({});
const database = join(
  dirname(
    createRequire(import.meta.url).resolve(
      '@ip-location-db/geo-whois-asn-country-mmdb/package.json',
    ),
  ),
  'geo-whois-asn-country.mmdb',
);

type Prepare = (batch: Batch, context: TestContext) => void;

/** Runs the filter over the events, with and without the kernel, which must not differ. */
async function enriched(
  options: Options,
  events: readonly TestEvent[],
  {
    baseDirectory = '/',
    prepare,
    lookup,
  }: { baseDirectory?: string; prepare?: Prepare; lookup?: ReverseLookup } = {},
) {
  const outcomes: { records: unknown[]; misses: number }[] = [];
  for (const memory of [kernel, undefined]) {
    const batch = batchOf(events, memory);
    const context: TestContext = { ...testContext({}, memory), baseDirectory };
    prepare?.(batch, context);
    const filter = new EnrichFilter(options, context, lookup);
    await filter.open();
    await runFilter(filter, batch);
    await filter.close();
    const misses = context.counters.get('sluice_enrich_misses_total')?.value ?? 0;
    outcomes.push({ records: recordsOf(batch), misses });
  }
  assert.deepEqual(outcomes[0], outcomes[1]);
  return outcomes[0]!;
}

async function directoryWith(files: Readonly<Record<string, string>>): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'enrich-'));
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
  return directory;
}

const record = (json: string): TestEvent => ({ record: json });

describe('set', () => {
  const cases: readonly {
    what: string;
    set: Options['set'];
    event: TestEvent;
    expected: unknown;
  }[] = [
    {
      what: 'writes values of every type',
      set: { a: 'text "x"', b: 1.5, c: true, d: null, e: ['x'], f: { g: 1 } },
      event: record('{"z":1}'),
      expected: { z: 1, a: 'text "x"', b: 1.5, c: true, d: null, e: ['x'], f: { g: 1 } },
    },
    {
      what: 'replaces what is there, objects too',
      set: { a: { b: 1 }, c: 'new' },
      event: record('{"a":{"x":1},"c":{"y":2}}'),
      expected: { a: { b: 1 }, c: 'new' },
    },
    {
      what: 'writes nested fields beside others',
      set: { '[a][b]': 1, "$a['c']": '%{x}' },
      event: record('{"a":{"z":0},"x":"y"}'),
      expected: { a: { z: 0, b: 1, c: 'y' }, x: 'y' },
    },
    {
      what: 'puts fields of the record into texts',
      set: { t: '%{a}/%{[b][c]} %{missing}' },
      event: record('{"a":1,"b":{"c":"d"}}'),
      expected: { a: 1, b: { c: 'd' }, t: '1/d %{missing}' },
    },
    {
      what: 'works on raw lines',
      set: { service: 'shop' },
      event: { line: 'hello' },
      expected: { log: 'hello', service: 'shop' },
    },
  ];
  for (const { what, set, event, expected } of cases) {
    it(what, async () => {
      const { records } = await enriched({ set }, [event, event]);
      assert.deepEqual(records, [expected, expected]);
    });
  }

  it('leaves events alone that are not selected', async () => {
    const { records } = await enriched({ set: { a: 1 } }, [{ line: 'x' }, { line: 'y' }], {
      prepare: (batch) => {
        batch.select[0] = 0;
      },
    });
    assert.deepEqual(records, [{ log: 'x' }, { log: 'y', a: 1 }]);
  });

  it('finds its way when all columns are in use', async () => {
    const { records } = await enriched({ set: { a: 1 } }, [{ line: 'x' }], {
      prepare: (batch, context) => {
        for (let i = 0; batch.columns.length < 64; i++)
          batch.setValue(0, context.field(`f${i}`), i);
      },
    });
    const [only] = records as [Record<string, unknown>];
    assert.deepEqual([only['a'], only['f0'], only['log']], [1, 0, 'x']);
  });
});

describe('environment and host', () => {
  afterEach(() => {
    delete process.env['SLUICE_TEST_REGION'];
  });

  it('add what the process and the machine say', async () => {
    process.env['SLUICE_TEST_REGION'] = 'eu "1"';
    const { records } = await enriched(
      {
        environment: { region: 'SLUICE_TEST_REGION', zone: 'SLUICE_TEST_UNSET' },
        host: 'host',
        host_facts: ['name', 'architecture', 'os'],
      },
      [{ line: 'x' }],
    );
    const [only] = records as [Record<string, unknown>];
    assert.equal(only['region'], 'eu "1"');
    assert.equal('zone' in only, false);
    const host = only['host'] as Record<string, unknown>;
    assert.deepEqual(Object.keys(host), ['name', 'architecture', 'os']);
    assert.equal(host['name'], 'host');
    assert.equal(host['architecture'], process.arch);
  });

  it('join an object that is there', async () => {
    const { records } = await enriched({ host: 'host', host_facts: ['name'] }, [
      record('{"host":{"id":7,"name":"old"}}'),
      record('{"host":"old"}'),
    ]);
    assert.deepEqual(records, [{ host: { id: 7, name: 'host' } }, { host: { name: 'host' } }]);
  });
});

describe('lookup', () => {
  const files = {
    'users.csv': 'id,name,team\n1,Ada,"core, kernel"\n2,"Bob ""B""",web\n',
    'codes.csv': 'code,text\n200,OK\n404,Not Found\n',
    'map.json': '{"1":{"name":"Ada","age":36},"2":"plain"}',
    'rows.json': '[{"id":1,"name":"Ada"},{"id":2,"name":"Bob"}]',
  };
  const cases: readonly {
    what: string;
    lookup: LookupOptions;
    event: TestEvent;
    expected: unknown;
    misses?: number;
  }[] = [
    {
      what: 'gives an object for several columns',
      lookup: { key: 'user', file: 'users.csv', target: 'who' },
      event: record('{"user":1}'),
      expected: { user: 1, who: { name: 'Ada', team: 'core, kernel' } },
    },
    {
      what: 'gives a value for one column',
      lookup: { key: 'status', file: 'codes.csv', target: 'status_text' },
      event: record('{"status":"404"}'),
      expected: { status: '404', status_text: 'Not Found' },
    },
    {
      what: 'looks under the column that it is told to',
      lookup: { key: 'who', file: 'users.csv', target: 'id', key_column: 'name', columns: ['id'] },
      event: record('{"who":"Bob \\"B\\""}'),
      expected: { who: 'Bob "B"', id: '2' },
    },
    {
      what: 'reads JSON objects',
      lookup: { key: '[u][id]', file: 'map.json', target: 'u' },
      event: record('{"u":{"id":"1"}}'),
      expected: { u: { id: '1', name: 'Ada', age: 36 } },
    },
    {
      what: 'reads JSON arrays of objects',
      lookup: { key: 'user', file: 'rows.json', target: 'name' },
      event: record('{"user":2}'),
      expected: { user: 2, name: 'Bob' },
    },
    {
      what: 'writes the default and marks what is not there',
      lookup: { key: 'user', file: 'rows.json', target: 'name', default: '?', on_missing: ['new'] },
      event: record('{"user":3}'),
      expected: { user: 3, name: '?', tags: ['new'] },
      misses: 1,
    },
    {
      what: 'leaves events without the key alone',
      lookup: { key: 'user', file: 'rows.json', target: 'name', default: '?' },
      event: record('{"x":3}'),
      expected: { x: 3 },
    },
    {
      what: 'knows no keys of its own',
      lookup: { key: 'user', file: 'map.json', target: 'name' },
      event: record('{"user":"constructor"}'),
      expected: { user: 'constructor' },
      misses: 1,
    },
  ];
  for (const { what, lookup, event, expected, misses = 0 } of cases) {
    it(what, async () => {
      const baseDirectory = await directoryWith(files);
      const outcome = await enriched({ lookup: [lookup] }, [event], { baseDirectory });
      assert.deepEqual(outcome, { records: [expected], misses });
    });
  }

  it('takes a changed table, and keeps the old one when the new is broken', async () => {
    const baseDirectory = await directoryWith({ 'rows.json': '{"a":1}' });
    const warnings: unknown[] = [];
    let poll = () => {};
    const silent = () => {};
    const context: TestContext = {
      ...testContext(),
      baseDirectory,
      log: {
        error: silent,
        info: silent,
        debug: silent,
        warn: (fields: unknown) => warnings.push(fields),
      },
      clock: {
        ...systemClock,
        every: (_, work) => {
          poll = work;
          return () => {
            poll = () => {};
          };
        },
      },
    };
    const lookup = { key: 'k', file: 'rows.json', target: 'v' };
    const filter = new EnrichFilter({ lookup: [lookup] }, context);
    await filter.open();
    const valueNow = async () => {
      const batch = batchOf([record('{"k":"a"}')]);
      await runFilter(filter, batch);
      return (recordsOf(batch)[0] as Record<string, unknown>)['v'];
    };
    const replace = async (text: string) => {
      const path = join(baseDirectory, 'next');
      await writeFile(path, text);
      await rename(path, join(baseDirectory, 'rows.json'));
    };
    assert.equal(await valueNow(), 1);
    await replace('{"a":22}');
    await waitUntil('the new value', async () => {
      poll();
      return (await valueNow()) === 22;
    });
    await replace('{"a":');
    await waitUntil('a warning', () => {
      poll();
      return warnings.length > 0;
    });
    assert.equal(await valueNow(), 22);
    await filter.close();
    assert.equal(warnings.length, 1);
  });

  it('refuses to start without its file, or with a broken one', async () => {
    const baseDirectory = await directoryWith({ 'bad.csv': 'a,b\n"1,2\n', 'list.json': '[1]' });
    for (const file of ['missing.csv', 'bad.csv', 'list.json']) {
      const lookup = { key: 'k', file, target: 'v' };
      const filter = new EnrichFilter({ lookup: [lookup] }, { ...testContext(), baseDirectory });
      await assert.rejects(filter.open(), (error: Error & { code?: string }) => {
        return error.code === 'SLUICE_OPTION_INVALID' && error.message.includes(file);
      });
      await filter.close();
    }
  });
});

describe('geoip', () => {
  const geoip = { key: 'ip', database, tag_on_failure: ['_geoip'] };
  const google = { country_iso_code: 'US', country_name: 'United States' };
  const cases: readonly [what: string, ip: unknown, expected: Record<string, unknown>][] = [
    ['finds IPv4 addresses', '8.8.8.8', { geo: google }],
    ['finds IPv6 addresses', '2001:4860:4860::8888', { geo: google }],
    ['finds IPv4 wrapped in IPv6', '::ffff:8.8.8.8', { geo: google }],
    ['skips private addresses', '10.1.2.3', {}],
    ['skips local addresses', '::1', {}],
    ['skips link-local addresses with a zone', 'fe80::1%eth0', {}],
    ['marks what is no address', 'example.com', { tags: ['_geoip'] }],
    ['marks numbers', 17, { tags: ['_geoip'] }],
  ];
  for (const [what, ip, expected] of cases) {
    it(what, async () => {
      const event = record(JSON.stringify({ ip }));
      const { records } = await enriched({ geoip: [geoip] }, [event, event]);
      assert.deepEqual(records, [
        { ip, ...expected },
        { ip, ...expected },
      ]);
    });
  }

  it('takes the fields that it is told to, into the target', async () => {
    const { records } = await enriched(
      { geoip: [{ ...geoip, target: '[source][geo]', fields: ['country_iso_code'] }] },
      [record('{"ip":"8.8.8.8","source":{"port":1}}')],
    );
    assert.deepEqual(records, [
      { ip: '8.8.8.8', source: { port: 1, geo: { country_iso_code: 'US' } } },
    ]);
  });

  it('refuses to start with a file that is no database', async () => {
    const baseDirectory = await directoryWith({ 'x.mmdb': 'nonsense' });
    const filter = new EnrichFilter(
      { geoip: [{ key: 'ip', database: 'x.mmdb' }] },
      { ...testContext(), baseDirectory },
    );
    await assert.rejects(filter.open(), { code: 'SLUICE_OPTION_INVALID' });
  });
});

describe('user_agent', () => {
  const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0';
  const expected = {
    name: 'Firefox',
    version: '127.0',
    os: { name: 'Linux', full: 'Linux' },
    device: { name: 'Other' },
  };

  it('says what an agent is, quoted or not', async () => {
    const { records } = await enriched({ user_agent: { key: 'agent' } }, [
      record(JSON.stringify({ agent: firefox })),
      record(JSON.stringify({ agent: `"${firefox}"` })),
      record('{"agent":"-"}'),
      record('{}'),
    ]);
    assert.deepEqual(records, [
      { agent: firefox, user_agent: expected },
      { agent: `"${firefox}"`, user_agent: expected },
      { agent: '-' },
      {},
    ]);
  });

  it('keeps the original that stands under the target', async () => {
    const user_agent = { key: '[user_agent][original]', target: 'user_agent' };
    const { records } = await enriched(
      { user_agent: [user_agent] },
      [{ line: 'x' }, { line: 'y' }],
      {
        prepare: (batch, context) => {
          batch.setValue(0, context.field('[user_agent][original]'), firefox);
          batch.setValue(0, context.field('[source][address]'), '8.8.8.8');
        },
      },
    );
    assert.deepEqual(records, [
      {
        log: 'x',
        user_agent: { original: firefox, ...expected },
        source: { address: '8.8.8.8' },
      },
      { log: 'y' },
    ]);
  });
});

describe('dns', () => {
  const lookup: ReverseLookup = async (address) => {
    if (address === '8.8.8.8') return ['dns.google'];
    if (address === '1.1.1.1') return new Promise(() => {});
    throw new Error('ENOTFOUND');
  };
  const events = ['8.8.8.8', '8.8.8.8', '9.9.9.9', 'none'].map((ip) =>
    record(JSON.stringify({ ip })),
  );

  it('asks nobody unless it is enabled', async () => {
    const ask: ReverseLookup = () => assert.fail('asked');
    const { records } = await enriched({ dns: { key: 'ip', target: 'name' } }, events, {
      lookup: ask,
    });
    assert.equal(records.length, 4);
  });

  it('adds the names of addresses', async () => {
    const dns = { enabled: true, key: 'ip', target: 'name' };
    const { records, misses } = await enriched({ dns }, events, { lookup });
    assert.deepEqual(records, [
      { ip: '8.8.8.8', name: 'dns.google' },
      { ip: '8.8.8.8', name: 'dns.google' },
      { ip: '9.9.9.9' },
      { ip: 'none' },
    ]);
    assert.equal(misses, 1);
  });

  it('goes on without an answer when the time is over', async () => {
    const dns = { enabled: true, key: 'ip', target: 'name', timeout: 1 };
    const { records } = await enriched({ dns }, [record('{"ip":"1.1.1.1"}')], { lookup });
    assert.deepEqual(records, [{ ip: '1.1.1.1' }]);
  });
});

describe('what enrich writes', () => {
  const value = fc.constantFrom<unknown>('t', 1, null, { k: 1 }, { b: { c: 'x' }, z: 'y' }, [1]);
  const path = fc.constantFrom('a', '[a][b]', '[a][b][c]', '[a][k]', '[x][y]', 'a.b');
  const edit = fc.record({ path, value: fc.option(value, { nil: undefined }) });
  interface Case {
    readonly root: string | undefined;
    readonly edits: readonly { readonly path: string; readonly value: unknown }[];
    readonly target: string;
    readonly added: unknown;
  }
  const cases: fc.Arbitrary<Case> = fc.record({
    root: fc.constantFrom(undefined, '{}', '{"a":{"b":1}}', '{"a":"t","x":1}', '{"a.b":{"q":1}}'),
    edits: fc.array(edit, { maxLength: 4 }),
    target: path,
    added: value,
  });

  it('is the same however the record came to be', async () => {
    const baseDirectory = await directoryWith({});
    const property = async ({ root, edits, target, added }: Case) => {
      await writeFile(join(baseDirectory, 'table.json'), JSON.stringify({ k: added }));
      const context: TestContext = { ...testContext({}, kernel), baseDirectory };
      const event = root === undefined ? { line: 'k' } : { line: 'k', record: root };
      const batch = batchOf([event, event], kernel);
      for (const { path: reference, value: old } of edits) {
        batch.setValue(0, context.field(reference), old);
      }
      // The record in one piece, and the same written directly.
      const [before] = recordsOf(batch);
      const whole = batchOf([{ record: JSON.stringify(before) }]);
      const field = context.field(target);
      const there = whole.valueAt(0, field);
      const joins = isObject(there) && isObject(added);
      whole.setValue(0, field, joins ? { ...there, ...added } : added);

      const again = batchOf([event, event], kernel);
      for (const { path: reference, value: old } of edits) {
        again.setValue(0, context.field(reference), old);
      }
      const lookup = { key: 'log', file: 'table.json', target };
      const filter = new EnrichFilter({ lookup: [lookup] }, context);
      await filter.open();
      await runFilter(filter, again);
      await filter.close();
      assert.deepEqual(recordsOf(again)[0], recordsOf(whole)[0]);
    };
    await fc.assert(fc.asyncProperty(cases, property), { numRuns: 300 });
  });
});

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
