import type { Batch } from '../batch/batch.ts';
import type { Source } from '../batch/source.ts';
import type { EncodedRun, OriginRun } from '../chunk/chunk.ts';
import { gather } from '../chunk/gather.ts';
import type { DeadLetter } from '../deliver/dead_letter_desk.ts';
import { rejectedEvent } from '../deliver/rejected_event.ts';
import { copyShared } from './shared_copy.ts';
import type { RecordEncoder, RecordSink } from '../sdk/contracts.ts';

/** Where a run of encoded records stands: in the parcel's own memory, or in `spilled`. */
export interface RunFacts {
  /** Number of the output in the configuration. */
  readonly output: number;
  readonly section: string;
  readonly count: number;
  readonly at: number;
  /** Bytes of the records. */
  readonly bytes: number;
  /** Index into `spilled`; -1: in the parcel's own memory. */
  readonly memory: number;
  /** What its tag numbers mean. */
  readonly tagNames: string[];
  /** How long its events may have waited before they were read. */
  readonly waitedMs: number;
}

/** What a worker made of one batch. */
export interface EncodedParcel {
  readonly runs: RunFacts[];
  /** Runs that the parcel's memory had no room for. */
  readonly spilled: ArrayBuffer[];
  readonly letters: { readonly output: number; readonly letter: DeadLetter }[];
}

/** Bytes of what is noted of each record: offset, time, part, end and tag. */
const originBytes = 8 + 8 + 4 + 4 + 4 + 2;

function align(at: number): number {
  return (at + 15) & ~15;
}

/** Takes what encoders write for one batch. */
export class ParcelWriter {
  parcel: EncodedParcel = emptyParcel();
  private memory: Uint8Array = new Uint8Array(0);
  private at = 0;

  /** Starts a parcel whose runs go to `memory` as long as they fit. */
  begin(memory: Uint8Array): void {
    this.parcel = emptyParcel();
    this.memory = memory;
    this.at = 0;
  }

  add(output: number, section: string, run: EncodedRun): void {
    const { batch, events, ends, count, start } = run;
    const bytes = ends[count - 1]! - start;
    const room = align(count * originBytes) + bytes;
    let at = align(this.at);
    let memory = -1;
    let target = this.memory;
    if (at + room > target.length) {
      memory = this.parcel.spilled.push(new ArrayBuffer(room)) - 1;
      target = new Uint8Array(this.parcel.spilled[memory]!);
      at = 0;
    } else this.at = at + room;
    const view = new RunView(target, at, count, bytes);
    for (let k = 0; k < count; k++) view.ends[k] = ends[k]! - start;
    gather(batch.offset, events, count, view.offset, 0);
    gather(batch.seconds, events, count, view.seconds, 0);
    gather(batch.nanos, events, count, view.nanos, 0);
    gather(batch.part, events, count, view.part, 0);
    gather(batch.tag, events, count, view.tag, 0);
    copyShared(run.bytes.subarray(start, start + bytes), view.bytes, 0);
    const { tagNames, waitedMs } = batch;
    this.parcel.runs.push({ output, section, count, at, bytes, memory, tagNames, waitedMs });
  }
}

function emptyParcel(): EncodedParcel {
  return { runs: [], spilled: [], letters: [] };
}

/** The arrays of one run, over the memory that holds them. */
class RunView {
  readonly offset: Float64Array;
  readonly seconds: Float64Array;
  readonly nanos: Int32Array;
  readonly part: Int32Array;
  readonly ends: Int32Array;
  readonly tag: Uint16Array;
  readonly bytes: Buffer;

  constructor(memory: Uint8Array, at: number, count: number, bytes: number) {
    const { buffer } = memory;
    let from = memory.byteOffset + at;
    const take = (size: number): number => {
      const here = from;
      from += count * size;
      return here;
    };
    this.offset = new Float64Array(buffer, take(8), count);
    this.seconds = new Float64Array(buffer, take(8), count);
    this.nanos = new Int32Array(buffer, take(4), count);
    this.part = new Int32Array(buffer, take(4), count);
    this.ends = new Int32Array(buffer, take(4), count);
    this.tag = new Uint16Array(buffer, take(2), count);
    const bytesAt = memory.byteOffset + at + align(count * originBytes);
    this.bytes = Buffer.from(buffer, bytesAt, bytes);
  }
}

/** Reads runs where a worker left them, as a chunk takes them. */
export class ParcelReader {
  /** Records of a run stand one behind the other. */
  private inOrder = new Int32Array(0);

  run(parcel: EncodedParcel, facts: RunFacts, memory: Uint8Array, source: Source): OriginRun {
    const { at, count, bytes, tagNames, waitedMs } = facts;
    const held = facts.memory < 0 ? memory : new Uint8Array(parcel.spilled[facts.memory]!);
    const view = new RunView(held, at, count, bytes);
    const { offset, seconds, nanos, part, tag, ends } = view;
    return {
      bytes: view.bytes,
      start: 0,
      batch: { source, stretches: [], offset, seconds, nanos, part, tag, tagNames, waitedMs },
      events: this.firstNumbers(count),
      ends,
      count,
      copy: copyShared,
    };
  }

  private firstNumbers(count: number): Int32Array {
    if (this.inOrder.length < count) {
      this.inOrder = Int32Array.from({ length: Math.max(4096, count * 2) }, (_, k) => k);
    }
    return this.inOrder;
  }
}

/** An output as the router of a worker sees it: it has room always, and encodes into a parcel. */
export class ParcelOutput implements RecordSink {
  readonly id: string;
  private readonly number: number;
  private readonly encoder: RecordEncoder;
  private readonly writer: ParcelWriter;
  private readonly taken: { value: number };

  constructor(options: {
    readonly id: string;
    readonly number: number;
    readonly encoder: RecordEncoder;
    readonly writer: ParcelWriter;
    readonly taken: { value: number };
  }) {
    this.id = options.id;
    this.number = options.number;
    this.encoder = options.encoder;
    this.writer = options.writer;
    this.taken = options.taken;
  }

  hasRoom(): boolean {
    return true;
  }

  room(): Promise<void> {
    return Promise.resolve();
  }

  accept(batch: Batch, select: Uint8Array, count: number): void {
    this.taken.value += count;
    this.encoder.encode(batch, select, this);
  }

  appendRun(section: string, run: EncodedRun): void {
    this.writer.add(this.number, section, run);
  }

  reject(batch: Batch, index: number, reason: string): void {
    const letter = rejectedEvent(batch, index, this.id, reason);
    this.writer.parcel.letters.push({ output: this.number, letter });
  }
}
