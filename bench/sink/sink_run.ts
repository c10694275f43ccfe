import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { monotonicMs } from '../measure/monotonic_clock.ts';
import { MarkScanner } from './mark_scanner.ts';
import { RecordSet } from './record_set.ts';
import { SnappyBlockDecoder } from './snappy_block.ts';

/** What a sink is told before a run; travels as JSON. */
export interface SinkPlan {
  readonly lines: number;
  /** Base64 of a byte per line of the repeating pattern: 1 for lines that must not arrive. */
  readonly dropped?: string;
  /** Counts line feeds too. */
  readonly countsLineFeeds?: boolean;
  /** Notes when each record came. */
  readonly notesArrivals?: boolean;
  /** Counts numbers that are below the one before. */
  readonly isOrdered?: boolean;
  /** Answers so late that no more records than this are taken in a second. */
  readonly recordsPerSecond?: number;
  /** Directory that bodies are written to, for checks after the run. */
  readonly captureDirectory?: string;
}

/** What a sink says of a run. Times are monotonic milliseconds, 0 when nothing came. */
export interface SinkReport {
  readonly expected: number;
  readonly arrived: number;
  readonly lost: number;
  readonly duplicates: number;
  readonly unexpected: number;
  /** Of an ordered plan. */
  readonly outOfOrder: number;
  readonly firstLost: readonly number[];
  readonly requests: number;
  readonly bytes: number;
  readonly lineFeeds: number;
  readonly firstMs: number;
  readonly lastMs: number;
}

/** Compressed bodies that wait for the run's end; beyond this they are decoded as they come. */
const stashBytesMax = 1.5e9;

/** What a sink remembers of one run. */
export class SinkRun {
  requests = 0;
  bytes = 0;
  lineFeeds = 0;
  outOfOrder = 0;
  firstMs = 0;
  lastMs = 0;
  readonly plan: SinkPlan;
  readonly records: RecordSet;
  readonly arrivals: Float64Array | undefined;
  private readonly stash: Buffer[] = [];
  private stashBytes = 0;
  private readonly snappy = new SnappyBlockDecoder();
  private nextFreeMs = 0;
  private lastNumber = -1;

  constructor(plan: SinkPlan) {
    this.plan = plan;
    const dropped = Buffer.from(plan.dropped ?? '', 'base64');
    this.records = new RecordSet({ lines: plan.lines, dropped });
    if (plan.notesArrivals) this.arrivals = new Float64Array(plan.lines);
    if (plan.captureDirectory !== undefined) {
      mkdirSync(plan.captureDirectory, { recursive: true });
    }
  }

  begin(isSnappy: boolean): SinkRequest {
    return new SinkRequest(this, isSnappy);
  }

  noteOrder(number: number): void {
    if (number < this.lastNumber) this.outOfOrder++;
    this.lastNumber = number;
  }

  /** Keeps a compressed body for `finish`: decoding it must not slow the run down. */
  keepCompressed(body: Buffer): void {
    if (this.stashBytes + body.length > stashBytesMax) {
      this.scan(this.snappy.decode(body));
      return;
    }
    this.stash.push(body);
    this.stashBytes += body.length;
  }

  /** Looks at what was kept. */
  finish(): void {
    for (const body of this.stash.splice(0)) this.scan(this.snappy.decode(body));
    this.stashBytes = 0;
  }

  capture(url: string, body: Buffer): void {
    const { captureDirectory } = this.plan;
    if (captureDirectory === undefined) return;
    const name = join(captureDirectory, String(this.requests).padStart(8, '0'));
    writeFileSync(`${name}.body`, body);
    writeFileSync(`${name}.url`, url);
  }

  /** How long an answer to so many records has to wait. */
  delayMs(records: number): number {
    const rate = this.plan.recordsPerSecond;
    if (rate === undefined) return 0;
    const nowMs = monotonicMs();
    this.nextFreeMs = Math.max(nowMs, this.nextFreeMs) + (records / rate) * 1000;
    return this.nextFreeMs - nowMs;
  }

  touch(nowMs: number): void {
    if (this.firstMs === 0) this.firstMs = nowMs;
    this.lastMs = nowMs;
  }

  report(): SinkReport {
    this.finish();
    const { requests, bytes, lineFeeds, outOfOrder, firstMs, lastMs, records } = this;
    return {
      expected: records.expectedCount,
      ...records.counts(),
      outOfOrder,
      firstLost: records.firstLost(5),
      requests,
      bytes,
      lineFeeds,
      firstMs,
      lastMs,
    };
  }

  private scan(body: Buffer): void {
    new MarkScanner((number) => this.records.add(number)).part(body);
  }
}

/** One request's body. */
export class SinkRequest {
  /** Numbers found so far. */
  marks = 0;
  lineFeeds = 0;
  private readonly run: SinkRun;
  private readonly scanner: MarkScanner;
  private readonly kept: Buffer[] | undefined;
  private readonly isSnappy: boolean;
  private nowMs = 0;

  constructor(run: SinkRun, isSnappy: boolean) {
    this.run = run;
    this.isSnappy = isSnappy;
    if (isSnappy || run.plan.captureDirectory !== undefined) this.kept = [];
    const { records, arrivals } = run;
    const { isOrdered = false } = run.plan;
    this.scanner = new MarkScanner((number) => {
      this.marks++;
      records.add(number);
      if (isOrdered) run.noteOrder(number);
      if (arrivals !== undefined && number < arrivals.length) arrivals[number] = this.nowMs;
    });
  }

  part(bytes: Buffer, countsLineFeeds: boolean): void {
    const { run } = this;
    this.nowMs = monotonicMs();
    run.bytes += bytes.length;
    run.touch(this.nowMs);
    this.kept?.push(bytes);
    if (!this.isSnappy) this.scanner.part(bytes);
    if (!countsLineFeeds) return;
    for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) this.lineFeeds++;
  }

  end(url: string): void {
    const { run } = this;
    this.scanner.end();
    run.requests++;
    run.lineFeeds += this.lineFeeds;
    if (this.kept === undefined) return;
    const body = Buffer.concat(this.kept);
    if (this.isSnappy && body.length > 0) run.keepCompressed(body);
    if (body.length > 0) run.capture(url, body);
  }
}
