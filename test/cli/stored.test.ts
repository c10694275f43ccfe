import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openDiskBuffer } from '../../core/buffer/disk_buffer.ts';
import { openDeadLetterStore } from '../../core/dead_letter/dead_letter_store.ts';
import { silentLog } from '../../core/telemetry/log.ts';
import { cli, jsonLines, workplace } from './run_cli.ts';

const pipeline = `
service: {storage.path: data}
pipeline:
  inputs: [{name: dummy, tag: t}]
  outputs:
    - {name: file, alias: kept, match: '*', path: out, file: replayed.ndjson}
`;
const generation = '00112233445566778899aabbccddeeff';

function openStore(directory: string, output: string) {
  return openDeadLetterStore({
    directory: join(directory, 'data', 'dead_letters', output),
    output,
    limitBytes: 1_000_000,
    whenFull: 'block',
    log: silentLog,
  });
}

async function withLetters(t: TestContext, records: readonly string[], output = 'kept') {
  const directory = workplace(t, { 'p.yaml': pipeline });
  const store = await openStore(directory, output);
  await store.append(
    records.map((record, offset) => ({
      record: Buffer.from(record),
      origin: { source: '/var/log/a', generation, offset, part: 0 },
      tag: 't',
      time: { seconds: 1_778_544_000, nanos: 5 },
      reason: 'mapping of "n" is long',
      reasonCode: 'SLUICE_OUTPUT_REFUSED',
      status: 400,
      attempts: 1,
    })),
  );
  await store.close();
  return directory;
}

test('dlq list sums up and dlq show prints letters as JSON lines', async (t) => {
  const cwd = await withLetters(t, ['{"n":1}', '{"n":2}', '{"n":3}']);
  for (const place of [['--storage', 'data'], ['p.yaml']]) {
    const list = await cli(['dlq', 'list', ...place], { cwd });
    assert.equal(list.code, 0);
    assert.match(list.out, /^kept: 3 letters/);
    assert.match(list.out, /3 x SLUICE_OUTPUT_REFUSED, such as: mapping of "n" is long/);
  }
  const show = await cli(['dlq', 'show', '--limit', '2', 'p.yaml'], { cwd });
  const letters = jsonLines(show.out) as Record<string, unknown>[];
  assert.deepEqual(
    letters.map((letter) => letter['record']),
    [{ n: 1 }, { n: 2 }],
  );
  assert.deepEqual(
    { ...letters[0], failed_at: undefined },
    {
      output: 'kept',
      record: { n: 1 },
      reason: 'mapping of "n" is long',
      code: 'SLUICE_OUTPUT_REFUSED',
      status: 400,
      attempts: 1,
      tag: 't',
      time: '2026-05-12T00:00:00.000000005Z',
      failed_at: undefined,
      origin: { source: '/var/log/a', generation, offset: 0, part: 0 },
    },
  );
});

test('dlq replay delivers letters and forgets those that were accepted', async (t) => {
  const cwd = await withLetters(t, ['{"n":1}', '"no object"', '{"n":3}']);
  const replay = await cli(['dlq', 'replay', 'p.yaml'], { cwd });
  assert.equal(replay.code, 1);
  assert.match(replay.out, /kept: 2 letters accepted, 1 refused again/);
  assert.match(replay.err, /not a JSON object/);
  const written = readFileSync(join(cwd, 'out', 'replayed.ndjson'), 'utf8');
  assert.deepEqual(jsonLines(written), [{ n: 1 }, { n: 3 }]);
  const left = await cli(['dlq', 'show', 'p.yaml'], { cwd });
  assert.deepEqual(
    jsonLines(left.out).map((letter) => (letter as { record: unknown }).record),
    ['no object'],
  );
});

test('dlq replay stops at its limit', async (t) => {
  const cwd = await withLetters(t, ['{"n":1}', '{"n":2}', '{"n":3}']);
  const replay = await cli(['dlq', 'replay', '--limit', '2', 'p.yaml'], { cwd });
  assert.deepEqual([replay.code, replay.err], [0, '']);
  assert.equal(jsonLines((await cli(['dlq', 'show', 'p.yaml'], { cwd })).out).length, 1);
});

test('letters stay while an agent holds them, and when their output is gone', async (t) => {
  const cwd = await withLetters(t, ['{"n":1}']);
  const store = await openStore(cwd, 'kept');
  const held = await cli(['dlq', 'replay', 'p.yaml'], { cwd });
  await store.close();
  assert.equal(held.code, 78);
  assert.match(held.err, /^error: /);
  const gone = await withLetters(t, ['{"n":1}'], 'former');
  const { code, err } = await cli(['dlq', 'replay', 'p.yaml'], { cwd: gone });
  assert.equal(code, 78);
  assert.match(err, /no output "former"/);
  assert.equal(jsonLines((await cli(['dlq', 'show', 'p.yaml'], { cwd: gone })).out).length, 1);
});

test('dlq without letters says so, and an unknown output is an error', async (t) => {
  const cwd = workplace(t);
  assert.match((await cli(['dlq', 'list'], { cwd })).out, /There are no dead letters/);
  assert.equal((await cli(['dlq', 'show', '--output', 'x'], { cwd })).code, 1);
});

test('buffer show counts what waits and buffer verify finds damage', async (t) => {
  const cwd = workplace(t);
  assert.match((await cli(['buffer', 'show'], { cwd })).out, /There are no disk buffers/);
  const directory = join(cwd, 'sluice-data', 'buffers', 'out%2F1');
  const buffer = await openDiskBuffer({
    directory,
    limitBytes: 10_000_000,
    whenFull: 'block',
    durability: 'os',
    log: silentLog,
  });
  for (let n = 0; n < 3; n++) await buffer.append(Buffer.from('{}'), Buffer.alloc(1000, 'x'));
  await buffer.close();
  const show = await cli(['buffer', 'show'], { cwd });
  assert.match(show.out, /^out\/1 +3 +3000 +1 /m);
  const verify = await cli(['buffer', 'verify', 'out/1'], { cwd });
  assert.equal(verify.code, 0);
  assert.match(verify.out, /3 chunks intact, 3 of them waiting\n {2}no damage/);
  const json = JSON.parse((await cli(['buffer', 'show', '--format', 'json'], { cwd })).out) as {
    'out/1': { segments: { name: string }[] };
  };
  const segment = join(directory, json['out/1'].segments[0]!.name);
  const bytes = readFileSync(segment);
  bytes[bytes.indexOf('xxxxxxxx') + 500]! ^= 1;
  writeFileSync(segment, bytes);
  const damaged = await cli(['buffer', 'verify'], { cwd });
  assert.equal(damaged.code, 1);
  assert.match(damaged.out, /2 chunks intact[\s\S]*damaged: .* from byte \d+ to \d+/);
  assert.equal((await cli(['buffer', 'show', 'other'], { cwd })).code, 1);
});

test('buffer show takes a pipeline file, and finds buffers where its outputs have them', async (t) => {
  const file = `pipeline:
  inputs: [{name: dummy}]
  outputs:
    - {name: http, alias: there, port: 1, storage.type: filesystem, storage.path: elsewhere}
    - {name: http, alias: unused, port: 1, storage.type: filesystem}
`;
  const cwd = workplace(t, { 'p.yaml': file, 'bad.yaml': 'pipeline: {}\n' });
  const buffer = await openDiskBuffer({
    directory: join(cwd, 'elsewhere', 'buffers', 'there'),
    limitBytes: 10_000_000,
    whenFull: 'block',
    durability: 'os',
    log: silentLog,
  });
  await buffer.append(Buffer.from('{}'), Buffer.alloc(1000, 'x'));
  await buffer.close();
  const shown = await cli(['buffer', 'show', 'p.yaml'], { cwd });
  assert.match(shown.out, /^there +1 +1000 +1 /m);
  assert.equal((await cli(['buffer', 'verify', 'p.yaml', 'there'], { cwd })).code, 0);
  assert.equal((await cli(['buffer', 'verify', 'p.yaml', 'unused'], { cwd })).code, 1);
  assert.equal((await cli(['buffer', 'show', 'bad.yaml'], { cwd })).code, 78);
});
