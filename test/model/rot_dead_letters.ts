import assert from 'node:assert/strict';
import { DeadLetterCodec } from '../../core/dead_letter/avro_container.ts';
import type { DeadLetterInput } from '../../core/dead_letter/dead_letter.ts';
import { readDeadLetters } from '../../core/dead_letter/dead_letter_reader.ts';
import { openDeadLetterStore } from '../../core/dead_letter/dead_letter_store.ts';
import { intactLetterEnd } from '../../core/dead_letter/letter_frame.ts';
import { recordingLog } from '../unit/buffer/buffer_fixture.ts';
import { MemoryFileSystem } from '../unit/buffer/memory_file_system.ts';
import { Random } from './random.ts';
import { type RotCounts, type RotOptions, sweep, sweptBytes } from './rot_rig.ts';

const directory = '/dead';
const path = `${directory}/00000001.avro`;
let pid = 50_000;

function open(fileSystem: MemoryFileSystem, onDamage: (bytes: number) => void = () => undefined) {
  const own = ++pid;
  return openDeadLetterStore({
    directory,
    output: 'es',
    limitBytes: 16 * 1024 * 1024,
    whenFull: 'block',
    log: recordingLog(),
    now: () => 1_700_000_000_123,
    fileSystem,
    processProbe: { pid: own, isAlive: (other) => other === own, startedAt: () => 'now' },
    onDamage: ({ start, end }) => onDamage(end - start),
  });
}

function letter(offset: number, text: string): DeadLetterInput {
  return {
    record: Buffer.from(`${offset} ${text}`),
    origin: { source: '/var/log/a.log', generation: 'ab'.repeat(16), offset, part: 0 },
    tag: 'app.log',
    time: { seconds: 1_600_000_000, nanos: 123_456_789 },
    reason: 'mapper_parsing_exception',
    reasonCode: 'rejected',
    status: 400,
    attempts: 1,
  };
}

interface Stored {
  readonly offset: number;
  readonly record: string;
  readonly start: number;
  readonly end: number;
}

async function readAll(fileSystem: MemoryFileSystem) {
  const letters: { offset: number; record: string }[] = [];
  let damagedRanges = 0;
  for await (const entry of readDeadLetters(directory, { salvage: true, fileSystem })) {
    if (entry.kind === 'damaged') damagedRanges++;
    else {
      const { origin, record } = entry.letter;
      letters.push({ offset: origin.offset, record: record.toString() });
    }
  }
  return { letters, damagedRanges };
}

/** A file of at least 64 KiB, with one to forty letters an append. */
async function recordedLetters(seed: number) {
  const random = new Random(seed);
  const fileSystem = new MemoryFileSystem();
  const store = await open(fileSystem);
  let offset = 0;
  while (store.usedBytes < sweptBytes) {
    const many = Array.from({ length: 1 + random.below(40) }, () =>
      letter(offset++, random.text(100 + random.below(1400))),
    );
    await store.append(many);
  }
  await store.close();
  return { fileSystem, stored: await placesOf(fileSystem) };
}

/** Where each letter stands: found by its text, which no other one has. */
async function placesOf(fileSystem: MemoryFileSystem): Promise<Stored[]> {
  const codec = new DeadLetterCodec();
  const content = fileSystem.bytes(path);
  const { letters } = await readAll(fileSystem);
  let from = codec.headerBytes;
  return letters.map(({ offset, record }) => {
    let start = content.indexOf(record, from);
    // The text stands behind its branch and its length.
    let end: number | undefined;
    while ((end = intactLetterEnd(content, start, content.length)) === undefined) start--;
    from = end;
    return { offset, record, start, end };
  });
}

/**
 * Damages a dead-letter file. Opening succeeds; every letter that was not touched can be read, and
 * nothing that was not stored; the damage is counted, and stays in the file for salvage.
 */
export async function rotDeadLetters(options: RotOptions): Promise<RotCounts> {
  const { fileSystem, stored } = await recordedLetters(options.seed);
  return await sweep(fileSystem.bytes(path), options, async (damaged, damage, at, counts) => {
    const disk = fileSystem.copy();
    disk.files.get(path)!.bytes = damaged;
    let damagedBytes = 0;
    const store = await open(disk, (bytes) => {
      damagedBytes += bytes;
    });
    const isWhole = ({ start, end }: Stored) =>
      damage === 'flip' ? at < start || at >= end : end <= at;
    const expected = stored.filter(isWhole).map(({ offset, record }) => ({ offset, record }));
    const { letters } = await readAll(disk);
    const known = new Map(stored.map(({ offset, record }) => [offset, record]));
    for (const { offset, record } of letters) assert.equal(record, known.get(offset));
    if (damage === 'flip') {
      assert.deepEqual(letters, expected);
      assert.ok(damagedBytes > 0, 'it is counted');
    } else {
      // What stands in the block that was cut may be whole, but no finished write looks so.
      assert.deepEqual(letters, expected.slice(0, letters.length));
      for (const { start } of stored.slice(letters.length, expected.length)) {
        assert.ok(at - start < 17 * 1024, 'only letters of the torn block go');
      }
    }
    counts.delivered += letters.length;
    if (damagedBytes > 0) counts.noticed++;
    if (counts.cases % 97 !== 0) return;
    assert.deepEqual(await store.append([letter(1_000_000, 'new')]), ['stored']);
    await store.close();
    assert.equal((await readAll(disk)).letters.at(-1)!.offset, 1_000_000);
  });
}
