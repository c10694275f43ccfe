import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { TailPlace, TailRun } from '../unit/inputs/tail_harness.ts';
import type { WriterPlan, WriterResult } from './rotation_writer.ts';

/** `SLUICE_ROTATION=long` runs the attacks as long and as hard as they are meant; without it they
 *  are short enough for every test run. */
export const isLong = process.env['SLUICE_ROTATION'] === 'long';

const abandoned = 'sluice_tail_files_abandoned_bytes_total';

/** Starts the writing process. */
export async function startWriter(plan: WriterPlan): Promise<WriterResult> {
  const script = fileURLToPath(new URL('rotation_writer.js', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [script, JSON.stringify(plan)]);
  return JSON.parse(stdout) as WriterResult;
}

/** Counts the numbers that lines begin with, and the pairs of generation and offset. */
export class LineTally {
  distinct = 0;
  twice = 0;
  /** Two records with one id: a generation and an offset in it. */
  idConflicts = 0;
  private counts = new Uint8Array(1 << 16);
  private readonly ids = new Map<string, Map<number, number>>();

  readonly onLine = (line: string, generation: string, offset: number): void => {
    const number = Number.parseInt(line, 10);
    while (number >= this.counts.length) {
      const larger = new Uint8Array(this.counts.length * 2);
      larger.set(this.counts);
      this.counts = larger;
    }
    if (this.counts[number]!++ === 0) this.distinct++;
    else this.twice++;
    const offsets = this.ids.get(generation) ?? new Map<number, number>();
    this.ids.set(generation, offsets);
    const before = offsets.get(offset);
    if (before !== undefined && before !== number) this.idConflicts++;
    offsets.set(offset, number);
  };

  has(number: number): boolean {
    return (this.counts[number] ?? 0) > 0;
  }

  /** How many of the first `count` numbers were not seen, late ones left out. */
  lost(count: number, isLate: (number: number) => boolean = () => false): number {
    let lost = 0;
    for (let number = 0; number < count; number++) {
      if (!this.has(number) && !isLate(number)) lost++;
    }
    return lost;
  }
}

/** Runs the input against the writer, with its output paused for a while in the middle. */
export async function attack(
  place: TailPlace,
  options: Parameters<TailPlace['run']>[0],
  plan: Omit<WriterPlan, 'directory'>,
  pauseMs: number,
): Promise<{ run: TailRun; tally: LineTally; result: WriterResult }> {
  place.write('a.log', '');
  const tally = new LineTally();
  const run = place.run(options, { onLine: tally.onLine });
  let result: WriterResult | undefined;
  const writing = startWriter({ ...plan, directory: place.directory }).then((written) => {
    result = written;
  });
  await arrived(run, tally, () => tally.distinct > 0);
  if (pauseMs > 0) {
    run.pauseOutput();
    const resumeMs = performance.now() + pauseMs;
    await run.until(() => performance.now() > resumeMs);
    run.resumeOutput();
  }
  await writing;
  assert.ok(result !== undefined);
  const late = new Set(result.late.flatMap((from) => range(from, plan.lateLines)));
  const wanted = result.written;
  // Waits for the last kept line only: what is missing then is lost.
  await arrived(run, tally, () => tally.distinct + late.size >= wanted);
  await run.stop();
  assert.equal(
    tally.lost(wanted, (number) => late.has(number)),
    0,
    'lost lines',
  );
  assert.equal(tally.idConflicts, 0);
  return { run, tally, result };
}

/** Waits until the condition holds, or no line has come for a minute: on a machine that is busy with
 *  other things what a writer wrote in half a minute takes longer than that to read. */
async function arrived(run: TailRun, tally: LineTally, condition: () => boolean): Promise<void> {
  for (let silent = 0, before = -1; silent < 3 && !condition(); silent++) {
    if (tally.distinct !== before) silent = 0;
    before = tally.distinct;
    await run.until(condition, 'the lines').catch(() => undefined);
  }
}

/** Bytes that the input says were truncated or deleted unread. */
export function abandonedBytes(run: TailRun): number {
  return run.counter(abandoned);
}

export function range(from: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => from + i);
}

/** The directory on tmpfs, where there is one: inodes are used again at once there. */
export const memoryDirectory = path.sep === '/' ? '/dev/shm' : undefined;
