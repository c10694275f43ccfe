import assert from 'node:assert/strict';
import {
  copyFileSync,
  existsSync,
  readFileSync,
  renameSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Look } from '../../../plugins/inputs/tail/file_discovery.ts';
import { systemClock } from '../../../core/sdk/index.ts';
import { inPlace, type TailPlace, type TailRun } from './tail_harness.ts';

/** What the input does between two steps of the one that rotates: a whole look, the first half of
 *  one (what the directories hold), the second half (the conclusions), a read, a long stall. */
const moves = ['look', 'find', 'conclude', 'read', 'stall'] as const;
type Move = (typeof moves)[number];

interface Scene {
  /** Bytes of each line: short files have little to be known by. */
  readonly lineBytes: number;
  /** How the copy shows first. */
  readonly copy: 'whole' | 'empty' | 'tiny' | 'half';
  /** Lines that come behind the copy and before the truncation: they may be lost, by whoever
   *  truncates. */
  readonly isLate: boolean;
  /** The file holds more afterwards than it did before. */
  readonly isRefilled: boolean;
  /** The moves before each step. */
  readonly gaps: readonly (readonly Move[])[];
}

const stepCount = 8;
const scene: fc.Arbitrary<Scene> = fc.record({
  lineBytes: fc.constantFrom(12, 60, 700),
  copy: fc.constantFrom('whole', 'empty', 'tiny', 'half'),
  isLate: fc.boolean(),
  isRefilled: fc.boolean(),
  gaps: fc.array(fc.array(fc.constantFrom(...moves), { maxLength: 3 }), {
    minLength: stepCount,
    maxLength: stepCount,
  }),
});

const none: readonly Move[][] = [[], [], [], [], [], [], [], []];
const plain = { lineBytes: 12, copy: 'whole', isLate: false, isRefilled: false } as const;
const gapsWith = (moves: Readonly<Record<number, Move[]>>) =>
  none.map((gap, index) => moves[index] ?? gap);

/** What went wrong once. */
const known: readonly (readonly [what: string, scene: Scene])[] = [
  [
    'the copy is found long after the truncation was noticed',
    {
      ...plain,
      gaps: gapsWith({ 2: ['look', 'read'], 6: ['read', 'stall'], 7: ['read', 'stall'] }),
    },
  ],
  [
    'the copy is seen while it is empty',
    { ...plain, copy: 'empty', gaps: gapsWith({ 2: ['read'], 3: ['look'], 5: ['read'] }) },
  ],
  [
    'lines are read that came behind the copy',
    { ...plain, isLate: true, gaps: gapsWith({ 4: ['find'], 5: ['read'] }) },
  ],
  [
    'nothing was read before the copy is found, all of it before the truncation',
    { ...plain, gaps: gapsWith({ 0: ['look'], 4: ['look'], 5: ['read'] }) },
  ],
  [
    'the file holds more than it did before when it is read again, nothing having been read',
    { ...plain, isRefilled: true, gaps: gapsWith({ 0: ['look'], 4: ['look'] }) },
  ],
  [
    'conclusions are drawn from a look before the truncation',
    { ...plain, gaps: gapsWith({ 0: ['look'], 1: ['find'] }) },
  ],
  [
    'the copy gets its bytes before the original was read at all',
    { ...plain, copy: 'empty', gaps: gapsWith({ 3: ['look'], 5: ['read'] }) },
  ],
];

/** The system's clock, set forward by stalls. */
class StallingClock {
  private shiftMs = 0;
  /** The files' own times do not follow: a change brings the time of day back to theirs. */
  private wallShiftMs = 0;

  readonly clock = {
    ...systemClock,
    nowMs: () => systemClock.nowMs() + this.wallShiftMs,
    monotonicMs: () => systemClock.monotonicMs() + this.shiftMs,
  };

  stall(ms: number): void {
    this.shiftMs += ms;
    this.wallShiftMs += ms;
  }

  filesChange(): void {
    this.wallShiftMs = 0;
  }
}

class Play {
  readonly kept: string[] = [];
  readonly late: string[] = [];
  private readonly place: TailPlace;
  private readonly run: TailRun;
  private readonly time: StallingClock;
  private readonly scene: Scene;
  private found: Look | undefined;
  private lineCount = 0;
  private isCopying = false;

  constructor(place: TailPlace, scene: Scene) {
    this.place = place;
    this.scene = scene;
    this.time = new StallingClock();
    this.run = place.run({ path: ['a.log*'] }, { isStepped: true, clock: this.time.clock });
  }

  get lines(): string[] {
    return this.run.lines;
  }

  counter(name: string): number {
    return this.run.counter(name);
  }

  async act(): Promise<void> {
    const { copy, isLate, isRefilled, gaps } = this.scene;
    const steps: (() => void)[] = [
      () => this.append(3, this.kept),
      () => this.append(3, this.kept),
      () => this.beginCopy(copy),
      () => copyFileSync(this.place.at('a.log'), this.place.at('a.log.1')),
      () => isLate && this.append(2, this.late),
      () => truncateSync(this.place.at('a.log'), 0),
      () => this.append(isRefilled ? 12 : 2, this.kept),
      () => renameSync(this.place.at('a.log.1'), this.place.at('a.log.2')),
    ];
    await this.run.begun();
    for (const [index, step] of steps.entries()) {
      this.isCopying = index >= 3 && index <= 5;
      for (const move of gaps[index]!) await this.move(move);
      this.time.filesChange();
      step();
    }
    this.isCopying = false;
    if (this.found !== undefined) await this.move('conclude');
    for (let round = 0; round < 12; round++) {
      this.time.stall(500);
      await this.move('look');
      await this.move('read');
    }
  }

  private async move(move: Move): Promise<void> {
    const { discovery } = this.run.stepped;
    if (move === 'read') await this.run.read();
    else if (move === 'find') this.found = await discovery.look();
    else if (move === 'look') await this.run.look();
    else if (move === 'conclude') {
      if (this.found !== undefined) await discovery.apply(this.found, false);
      this.found = undefined;
      await discovery.reconsider();
    }
    // A copy that is followed by no truncation for long is a file of its own.
    else if (!this.isCopying) this.time.stall(5000);
  }

  private append(count: number, into: string[]): void {
    for (let i = 0; i < count; i++) {
      const number = this.lineCount++;
      const line = `line ${number} `.padEnd(this.scene.lineBytes - 1, String(number));
      into.push(line);
      this.place.append('a.log', `${line}\n`);
    }
  }

  private beginCopy(copy: Scene['copy']): void {
    if (copy === 'whole') return;
    const content = existsSync(this.place.at('a.log')) ? readFileSync(this.place.at('a.log')) : '';
    const lengths = { empty: 0, tiny: 5, half: Math.floor(content.length / 2) };
    writeFileSync(this.place.at('a.log.1'), content.slice(0, lengths[copy]));
  }
}

async function playOnce(one: Scene): Promise<void> {
  await inPlace(async (place) => {
    place.write('a.log', '');
    const play = new Play(place, one);
    await play.act();
    const lines = play.lines.filter((line) => !play.late.includes(line));
    assert.deepEqual(lines.sort(), [...play.kept].sort());
    const late = play.lines.filter((line) => play.late.includes(line));
    assert.equal(new Set(late).size, late.length, 'no late line twice');
    if (one.isLate) return;
    assert.equal(play.counter('sluice_tail_files_abandoned_bytes_total'), 0);
  });
}

describe('tail, when a file is copied and truncated,', () => {
  for (const [what, one] of known) it(`reads each line once though ${what}`, () => playOnce(one));

  it('reads each line once in whatever order it looks and reads', async () => {
    const numRuns = Number(process.env['SLUICE_TAIL_ORDERINGS'] ?? 400);
    await fc.assert(fc.asyncProperty(scene, playOnce), { numRuns });
  });
});
