import assert from 'node:assert/strict';
import type { QuarantinedRange } from '../../core/buffer/quarantine.ts';
import { recordHeadBytes, segmentHeaderBytes } from '../../core/buffer/segment.ts';
import { intactTexts, openInMemory, segmentPaths } from '../unit/buffer/buffer_fixture.ts';
import { MemoryFileSystem } from '../unit/buffer/memory_file_system.ts';
import { Random } from './random.ts';

/** What is done to a file at one byte. */
export type Damage = 'flip' | 'cut' | 'zero';

export const damages: readonly Damage[] = ['flip', 'cut', 'zero'];

/** What a sweep did and saw. */
export interface RotCounts {
  cases: number;
  flipped: number;
  cut: number;
  zeroed: number;
  /** Starts that found something to set aside. */
  noticed: number;
  /** Intact records, lines or letters that came back, over all cases. */
  delivered: number;
}

export interface RotOptions {
  readonly seed: number;
  /** One case of so many is run, chosen by the seed; 1 runs all. */
  readonly oneOf: number;
  /** Only each `of`th byte from `index` on, for several processes side by side. */
  readonly part?: { readonly index: number; readonly of: number };
}

export const sweptBytes = 64 * 1024;

/** Runs `attack` for each byte of a file and each damage, or for a sample of them. `attack` gets
 *  the damaged bytes and the first byte that differs; nothing is run where nothing differs. */
export async function sweep(
  original: Buffer,
  options: RotOptions,
  attack: (damaged: Buffer, damage: Damage, at: number, counts: RotCounts) => Promise<void>,
): Promise<RotCounts> {
  const counts = { cases: 0, flipped: 0, cut: 0, zeroed: 0, noticed: 0, delivered: 0 };
  const random = new Random(options.seed);
  for (let at = 0; at < original.length; at++) {
    for (const damage of damages) {
      const mask = 1 + random.below(255);
      if (random.below(options.oneOf) !== 0) continue;
      if (options.part !== undefined && at % options.part.of !== options.part.index) continue;
      const damaged = damagedCopy(original, damage, at, mask);
      if (damaged === undefined) continue;
      counts.cases++;
      if (damage === 'flip') counts.flipped++;
      else if (damage === 'cut') counts.cut++;
      else counts.zeroed++;
      try {
        await attack(damaged, damage, firstDifference(original, damaged, at), counts);
      } catch (error) {
        throw new Error(`${damage} at byte ${at}, mask ${mask}`, { cause: error });
      }
    }
  }
  return counts;
}

function damagedCopy(
  original: Buffer,
  damage: Damage,
  at: number,
  mask: number,
): Buffer | undefined {
  if (damage === 'cut') return Buffer.from(original.subarray(0, at));
  const copy = Buffer.from(original);
  if (damage === 'flip') copy[at]! ^= mask;
  else if (original.subarray(at).every((byte) => byte === 0)) return undefined;
  else copy.fill(0, at);
  return copy;
}

function firstDifference(original: Buffer, damaged: Buffer, from: number): number {
  let at = from;
  while (at < damaged.length && original[at] === damaged[at]) at++;
  return at;
}

// ── the disk buffer ─────────────────────────────────────────────────────────────────────────────

interface StoredRecord {
  readonly name: string;
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** A segment of at least 64 KiB as the buffer writes it, with chunks of 0.3 to 3 KiB. */
async function recordedSegment(seed: number) {
  const random = new Random(seed);
  const fileSystem = new MemoryFileSystem();
  const buffer = await openInMemory(fileSystem);
  const records: StoredRecord[] = [];
  let end = segmentHeaderBytes;
  while (end < sweptBytes) {
    const text = random.text(300 + random.below(2700));
    const name = `header of ${records.length}`;
    const header = Buffer.from(name);
    await buffer.append(header, Buffer.from(text));
    const start = end;
    end += recordHeadBytes + header.length + text.length;
    records.push({ name, text, start, end });
  }
  await buffer.close();
  const path = segmentPaths(fileSystem)[0]!;
  assert.equal(fileSystem.bytes(path).length, end);
  return { fileSystem, path, records };
}

/**
 * Damages a segment. Start succeeds; every record that was not touched comes back, and nothing
 * that was not stored; what a finished write cannot look like is quarantined and counted. A cut is
 * what a crash in the middle of a write leaves, too, so it is removed without an alarm.
 */
export async function rotSegments(options: RotOptions): Promise<RotCounts> {
  const { fileSystem, path, records } = await recordedSegment(options.seed);
  return await sweep(fileSystem.bytes(path), options, async (damaged, damage, at, counts) => {
    const disk = fileSystem.copy();
    disk.files.get(path)!.bytes = damaged;
    const told: QuarantinedRange[] = [];
    const buffer = await openInMemory(disk, { onQuarantine: (range) => told.push(range) });
    const isWhole = ({ start, end }: StoredRecord) =>
      damage === 'flip' ? at < start || at >= end : end <= at;
    const expected = records.filter(isWhole);
    const names = buffer.recovered.map(({ header }) => header.toString());
    assert.deepEqual(
      names,
      expected.map(({ name }) => name),
    );
    // The start has checked all bodies; they are read where the damage is, and sometimes all.
    for (const [index, { text, start, end }] of expected.entries()) {
      const isNear = end > at - 4096 && start < at + 4096;
      if (!isNear && counts.cases % 32 !== 0) continue;
      const { sequence } = buffer.recovered[index]!;
      assert.equal((await buffer.read(sequence))!.body.toString(), text);
    }
    assert.equal(buffer.quarantined.ranges, told.length);
    const isHit = records.some(({ start, end }) => at > start && at < end);
    if (damage === 'flip') assert.equal(told.length, 1, 'a flip is told once');
    if (damage === 'zero' && isHit && at < damaged.length) assert.ok(told.length >= 1);
    if (damage === 'flip') assert.ok(told[0]!.start <= at && told[0]!.end > at);
    counts.delivered += expected.length;
    if (told.length > 0) counts.noticed++;
    if (counts.cases % 97 !== 0) return;
    const texts = expected.map(({ text }) => text);
    assert.deepEqual(await intactTexts(buffer), texts);
    await goesOn(disk, texts);
  });
}

/** A start after the repair finds the same again, tells nothing twice, and takes new chunks. */
async function goesOn(disk: MemoryFileSystem, found: readonly string[]): Promise<void> {
  const again = await openInMemory(disk.copy());
  assert.equal(again.quarantined.ranges, 0);
  await again.append(Buffer.from('new'), Buffer.from('new'));
  assert.deepEqual(await intactTexts(again), [...found, 'new']);
  await again.close();
}
