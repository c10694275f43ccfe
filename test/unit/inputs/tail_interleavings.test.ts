import assert from 'node:assert/strict';
import { copyFileSync, existsSync, readFileSync, renameSync, truncateSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { systemClock } from '../../../core/sdk/index.ts';
import type { Look } from '../../../plugins/inputs/tail/file_discovery.ts';
import { TailedFile } from '../../../plugins/inputs/tail/tailed_file.ts';
import { inPlace, type TailPlace, type TailRun } from './tail_harness.ts';

/** What the input does, one after another. `stuck`: the reader begins a round while the outputs
 *  are full, and stays in it until `freed`. */
const moves = ['look', 'find', 'conclude', 'read', 'read', 'stuck', 'freed'] as const;
type Move = (typeof moves)[number];

/** How many steps of the rotation happen before a call of the input to the file system, or before
 *  a move; or a stall. */
type Event = number | 'stall';
const events: fc.Arbitrary<Event> = fc.oneof(
  { arbitrary: fc.constant(0), weight: 12 },
  { arbitrary: fc.constantFrom(1, 2, 4), weight: 4 },
  { arbitrary: fc.constant('stall' as const), weight: 2 },
);

interface Scene {
  /** Bytes of each line: short files have little to be known by. */
  readonly lineBytes: number;
  readonly rotations: number;
  /** Appends before each copy, and whether the last one is behind it: lost by whoever rotates. */
  readonly appends: number;
  readonly isLate: boolean;
  readonly isHalfFirst: boolean;
  readonly moves: readonly Move[];
  /** One for each call of the input to the file system. */
  readonly events: readonly Event[];
}

const scenes: fc.Arbitrary<Scene> = fc.record({
  lineBytes: fc.constantFrom(12, 60, 300, 700, 2500),
  rotations: fc.constantFrom(1, 2, 3),
  appends: fc.constantFrom(1, 2),
  isLate: fc.boolean(),
  isHalfFirst: fc.boolean(),
  moves: fc.array(fc.constantFrom(...moves), { minLength: 2, maxLength: 20 }),
  events: fc.array(events, { maxLength: 150 }),
});

const rotateWaitMs = 300;
const plain = {
  appends: 1,
  rotations: 1,
  isLate: false,
  isHalfFirst: true,
  lineBytes: 12,
} as const;

/** What went wrong once. */
const known: readonly (readonly [what: string, scene: Scene])[] = [
  [
    'it holds other content right after a read',
    {
      ...plain,
      appends: 2,
      moves: ['find', 'read', 'look', 'look'],
      events: inOrder('4 0 stall 0 0 0 stall stall 0 4'),
    },
  ],
  [
    'only its size was seen before it was truncated',
    {
      ...plain,
      rotations: 2,
      isLate: true,
      isHalfFirst: false,
      moves: ['read', 'read', 'look', 'look'],
      events: inOrder('1 1 2 0 0 0 1'),
    },
  ],
  [
    'a half copy waits for the content that was there before',
    {
      ...plain,
      rotations: 3,
      moves: ['stuck', 'look', 'freed', 'look'],
      events: inOrder('2 0 1 0 stall 4'),
    },
  ],
];

/** Events as numbers of steps, `stall` as it is. */
function inOrder(text: string): Event[] {
  return text.split(' ').map((word) => (word === 'stall' ? word : Number(word)));
}

/** The system's clock, set forward by stalls; files change at the system's own time. */
class StallingClock {
  private shiftMs = 0;
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

type Step = { readonly isCopy?: 'begin' | 'end'; readonly run: () => void };

class Play {
  readonly kept: string[] = [];
  readonly late: string[] = [];
  private readonly place: TailPlace;
  private readonly run: TailRun;
  private readonly time = new StallingClock();
  private readonly scene: Scene;
  private readonly steps: Step[];
  private readonly events: Event[];
  private found: Look | undefined;
  private reading: Promise<void> | undefined;
  private lineCount = 0;
  private isCopying = false;

  constructor(place: TailPlace, scene: Scene) {
    this.place = place;
    this.scene = scene;
    this.steps = this.plan();
    this.events = [...scene.events];
    const options = { path: ['a.log*'], rotate_wait: rotateWaitMs };
    this.run = place.run(options, { isStepped: true, clock: this.time.clock });
  }

  get lines(): string[] {
    return this.run.lines;
  }

  get abandonedBytes(): number {
    return this.run.counter('sluice_tail_files_abandoned_bytes_total');
  }

  async act(): Promise<void> {
    await this.run.begun();
    beforeCall = () => this.happen();
    try {
      for (const move of this.scene.moves) {
        this.happen();
        await this.move(move);
      }
      while (this.steps.length > 0) this.step();
      this.events.length = 0;
      for (const move of ['freed', 'conclude'] as const) await this.move(move);
      for (let round = 0; round < 12; round++) {
        this.time.stall(500);
        for (const move of ['look', 'read'] as const) await this.move(move);
      }
    } finally {
      beforeCall = () => {};
    }
  }

  private plan(): Step[] {
    const { rotations, appends, isLate, isHalfFirst } = this.scene;
    const steps: Step[] = [];
    const at = (index: number) => this.place.at(index === 0 ? 'a.log' : `a.log.${index}`);
    for (let rotation = 0; rotation < rotations; rotation++) {
      for (let i = 0; i < appends; i++) steps.push({ run: () => this.append(3, this.kept) });
      for (let index = rotation; index >= 1; index--) {
        steps.push({ run: () => renameSync(at(index), at(index + 1)) });
      }
      if (isHalfFirst) {
        steps.push({ isCopy: 'begin', run: () => this.place.write('a.log.1', this.half()) });
      }
      steps.push({ isCopy: 'begin', run: () => copyFileSync(at(0), at(1)) });
      if (isLate) steps.push({ run: () => this.append(1, this.late) });
      steps.push({ isCopy: 'end', run: () => truncateSync(at(0), 0) });
    }
    steps.push({ run: () => this.append(9, this.kept) });
    return steps;
  }

  private half(): Buffer {
    const content = existsSync(this.place.at('a.log')) ? readFileSync(this.place.at('a.log')) : '';
    return Buffer.from(content.slice(0, Math.floor(content.length / 2)));
  }

  private happen(): void {
    const event = this.events.shift() ?? 0;
    if (event !== 'stall') for (let i = 0; i < event; i++) this.step();
    // A copy that is followed by no truncation for long is a file of its own.
    else if (!this.isCopying) this.time.stall(5000);
  }

  private step(): void {
    const step = this.steps.shift();
    if (step === undefined) return;
    if (step.isCopy !== undefined) this.isCopying = step.isCopy === 'begin';
    this.time.filesChange();
    step.run();
  }

  private async move(move: Move): Promise<void> {
    const { discovery } = this.run.stepped;
    if (move === 'read' && this.reading === undefined) await this.run.read();
    else if (move === 'stuck' && this.reading === undefined) {
      this.run.pauseOutput();
      this.reading = this.run.read();
    } else if (move === 'freed') {
      this.run.resumeOutput();
      await this.reading;
      this.reading = undefined;
    } else if (move === 'find') this.found = await discovery.look();
    else if (move === 'look') await this.run.look();
    else if (move === 'conclude') {
      if (this.found !== undefined) await discovery.apply(this.found, false);
      this.found = undefined;
      await discovery.reconsider();
    }
  }

  private append(count: number, into: string[]): void {
    for (let i = 0; i < count; i++) {
      const number = this.lineCount++;
      const line = `line ${number} `.padEnd(this.scene.lineBytes - 1, String(number));
      into.push(line);
      this.place.append('a.log', `${line}\n`);
    }
  }
}

let beforeCall: () => void = () => {};

/** Lets things happen before each call to the file system that concerns an open file. */
function interrupted<Args extends unknown[], Result>(
  call: (this: TailedFile, ...args: Args) => Result,
): (this: TailedFile, ...args: Args) => Result {
  return function (this: TailedFile, ...args: Args): Result {
    beforeCall();
    return call.apply(this, args);
  };
}

const calls = {
  open: TailedFile.prototype.open,
  look: TailedFile.prototype.look,
  hasByteAt: TailedFile.prototype.hasByteAt,
  read: TailedFile.prototype.read,
  readNow: TailedFile.prototype.readNow,
};

async function playOnce(one: Scene): Promise<void> {
  await inPlace(async (place) => {
    place.write('a.log', '');
    const play = new Play(place, one);
    await play.act();
    const number = (line: string) => Number.parseInt(line.slice(5), 10);
    const lines = play.lines.filter((line) => !play.late.includes(line)).map(number);
    const wanted = play.kept.map(number);
    assert.deepEqual(
      lines.sort((a, b) => a - b),
      wanted,
    );
    if (!one.isLate) assert.equal(play.abandonedBytes, 0);
  });
}

describe('tail, when files are copied and truncated between any two of its calls,', () => {
  before(() => {
    const { prototype } = TailedFile;
    prototype.open = interrupted(calls.open);
    prototype.look = interrupted(calls.look);
    prototype.hasByteAt = interrupted(calls.hasByteAt);
    prototype.read = interrupted(calls.read);
    prototype.readNow = interrupted(calls.readNow);
  });
  after(() => {
    Object.assign(TailedFile.prototype, calls);
  });

  for (const [what, one] of known) it(`reads each line once though ${what}`, () => playOnce(one));

  it('reads each line once', async () => {
    const numRuns = Number(process.env['SLUICE_TAIL_ORDERINGS'] ?? 250);
    await fc.assert(fc.asyncProperty(scenes, playOnce), { numRuns });
  });
});
