import assert from 'node:assert/strict';
import {
  type CheckpointEntry,
  type CheckpointStore,
  openCheckpointStore,
} from '../../core/checkpoint/checkpoint_store.ts';
import { recordingLog } from '../unit/buffer/buffer_fixture.ts';
import { MemoryFileSystem, systemError } from '../unit/buffer/memory_file_system.ts';
import { Random } from './random.ts';
import { type RotCounts, type RotOptions, sweep, sweptBytes } from './rot_rig.ts';

const path = '/state/checkpoints';
const keys = 120;

function open(fileSystem: MemoryFileSystem): Promise<CheckpointStore> {
  return openCheckpointStore({ path, fileSystem, log: recordingLog() });
}

function entry(position: number): CheckpointEntry {
  return {
    generation: '0123456789abcdef0123456789abcdef',
    position: { es: position, file: position + 1 },
    identity: { device: 1, inode: position, head: 'ff'.repeat(16), path: `/var/log/${position}` },
    updatedAtMs: position,
  };
}

/** One change, and where its line stands in the file. */
interface Line {
  readonly key: string;
  readonly position: number;
  readonly start: number;
  /** Behind the line end. */
  readonly end: number;
}

/** Two generations as the store writes them: the newest has a base of all keys and a journal of
 *  later changes behind it, at least 64 KiB. */
async function recordedCheckpoints(seed: number) {
  const random = new Random(seed);
  const fileSystem = new MemoryFileSystem();
  const store = await open(fileSystem);
  for (let key = 0; key < keys; key++) store.set(`key ${key}`, entry(1 + key));
  await store.flush();
  // After a flush that fails the next one writes a new generation.
  fileSystem.fault = (operation) => {
    if (operation === 'sync') throw systemError('EIO');
  };
  for (let key = 0; key < keys; key++) store.set(`key ${key}`, entry(1000 + key));
  await assert.rejects(store.flush());
  fileSystem.fault = undefined;
  await store.flush();
  const baseBytes = fileSystem.bytes(path).length;
  for (let position = 2000; fileSystem.bytes(path).length < sweptBytes; position++) {
    store.set(`key ${random.below(keys)}`, entry(position));
    await store.flush();
  }
  await store.close();
  return { fileSystem, baseBytes, lines: linesOf(fileSystem.bytes(path)) };
}

/** The changes of a file, read without the store's own code. */
function linesOf(content: Buffer): Line[] {
  const lines: Line[] = [];
  let start = 0;
  for (const text of content.toString().split('\n').slice(0, -1)) {
    const end = start + Buffer.byteLength(text) + 1;
    const value = JSON.parse(text.slice(9)) as { key?: string; entry?: CheckpointEntry };
    if (value.key !== undefined) {
      lines.push({ key: value.key, position: value.entry!.position.es!, start, end });
    }
    start = end;
  }
  return lines;
}

/**
 * Damages the newest checkpoint file. Start succeeds; every line that is whole counts, and what a
 * damaged one said is taken from an earlier line or from the generation before: never a newer
 * position than was written, and never none where the base had one.
 */
export async function rotCheckpoints(options: RotOptions): Promise<RotCounts> {
  const { fileSystem, baseBytes, lines } = await recordedCheckpoints(options.seed);
  const previous = new Map<string, number>();
  for (const line of linesOf(fileSystem.bytes(`${path}.previous`)))
    previous.set(line.key, line.position);
  return await sweep(fileSystem.bytes(path), options, async (damaged, damage, at, counts) => {
    const disk = fileSystem.copy();
    disk.files.get(path)!.bytes = damaged;
    const store = await open(disk);
    const isWhole = ({ start, end }: Line, index: number) => {
      const isLastLineEnd = at === end - 1 && index === lines.length - 1;
      if (damage !== 'flip') return end <= at || (damage === 'zero' && isLastLineEnd);
      // A line end that is gone joins two lines; behind the last line nothing stands.
      if (at === end - 1) return index === lines.length - 1;
      return (at < start - 1 || at >= end) && !(at === start - 1 && index >= 0);
    };
    const expected = new Map(damage === 'flip' || at < baseBytes ? previous : []);
    const whole = lines.filter(isWhole);
    for (const { key, position } of whole) expected.set(key, position);
    const found = new Map<string, number>();
    for (const [key, { position }] of store.entries) found.set(key, position.es!);
    assert.deepEqual(sorted(found), sorted(expected));
    assert.equal(found.size, keys);
    if (damage === 'flip' || at < baseBytes) assert.ok(store.damagedLines > 0, 'it is counted');
    if (store.damagedLines > 0) {
      assert.ok(disk.files.has(`${path}.damaged`), 'a copy is kept');
      counts.noticed++;
    }
    counts.delivered += whole.length;
    if (counts.cases % 97 !== 0) return;
    store.set('new', entry(1));
    await store.close();
    const again = await open(disk);
    assert.equal(again.damagedLines, 0);
    assert.equal(again.entries.size, keys + 1);
  });
}

function sorted(map: ReadonlyMap<string, number>): [string, number][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}
