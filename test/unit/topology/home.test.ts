import assert from 'node:assert/strict';
import { test } from 'node:test';
import { enterHome, type HomeSigns, homeSigns, isSameHome } from '../../../core/topology/home.ts';
import { MemoryFileSystem, systemError } from '../buffer/memory_file_system.ts';

const here: HomeSigns = { machine: 'm1', host: 'h1', addresses: ['a', 'b'], place: '17' };

const looks: readonly [string, Partial<HomeSigns>, boolean][] = [
  ['nothing changed', {}, true],
  ['another installation', { machine: 'm2' }, false],
  ['another name of the host', { host: 'h2' }, false],
  ['another directory', { place: '18' }, false],
  ['other network cards', { addresses: ['c'] }, false],
  ['a card was added', { addresses: ['a', 'b', 'c'] }, true],
  ['a card was removed', { addresses: ['b'] }, true],
  ['no network yet', { addresses: [] }, true],
  ['no machine id', { machine: '' }, true],
  ['a directory that cannot be told', { place: '' }, true],
];
for (const [what, change, isSame] of looks) {
  test(`${what}: ${isSame ? 'the storage stayed' : 'the storage is a copy'}`, () => {
    assert.equal(isSameHome(here, { ...here, ...change }), isSame);
    assert.equal(isSameHome({ ...here, ...change }, here), isSame);
  });
}

test('storage is at home where it was used first, and a copy once it was noted there', async () => {
  const disk = new MemoryFileSystem();
  const enter = (signs: HomeSigns) => enterHome(disk, '/data', async () => signs);
  const first = await enter(here);
  assert.equal(first.isMoved, false);
  await first.settle();
  const clone = { ...here, host: 'h2' };
  assert.equal((await enter(clone)).isMoved, true);
  assert.equal((await enter(clone)).isMoved, true, 'until it is noted');
  await (await enter(clone)).settle();
  assert.equal((await enter(clone)).isMoved, false);
  assert.equal((await enter(here)).isMoved, true);
});

test('a note that cannot be read is none, and one that cannot be written is an error', async () => {
  const disk = new MemoryFileSystem();
  const enter = () => enterHome(disk, '/data', async () => here);
  await (await enter()).settle();
  for (const text of [
    '',
    '{',
    'null',
    '[]',
    '{"machine":1}',
    '{"machine":"","host":"","place":""}',
  ]) {
    disk.files.get('/data/home')!.bytes = Buffer.from(text);
    assert.equal((await enter()).isMoved, false, text);
  }
  const home = await enter();
  disk.fault = (operation) => {
    if (operation === 'sync') throw systemError('ENOSPC');
  };
  await assert.rejects(home.settle(), { code: 'ENOSPC' });
});

test('the signs of this machine are the same each time, hashed, and of the directory itself', async () => {
  const [one, again, other] = [
    await homeSigns('/'),
    await homeSigns('/'),
    await homeSigns('/nowhere'),
  ];
  assert.deepEqual(one, again);
  assert.match(one.host, /^[0-9a-f]{32}$/);
  assert.equal(other.place, '');
});
