import type { Batch } from '../batch/batch.ts';
import type { ByteWriter } from '../batch/byte_writer.ts';
import type { TimeFormat } from '../batch/event_time.ts';

/** How an output wants its records: `before` [id `afterId`] {event} `after`. */
export interface EncodeOptions {
  /** Bytes before every record. */
  readonly before?: Buffer;
  /** Writes what stands before a record when it depends on the record; replaces `before`. */
  readonly writeBefore?: (batch: Batch, index: number, out: ByteWriter) => void;
  /** When given, the event's id (see `writeEventId`) follows, and then these bytes. */
  readonly afterId?: Buffer;
  /** Bytes behind every record. */
  readonly after?: Buffer;
  /** Members for events that have none of that name. At most 15 go through the kernel. */
  readonly constants?: readonly ConstantMember[];
  /** The event's time, as the last member, for events that have none of that name. */
  readonly time?: TimeMember;
}

export interface ConstantMember {
  readonly key: string;
  /** The value as JSON. */
  readonly json: Buffer;
}

export interface TimeMember {
  readonly key: string;
  readonly format: TimeFormat;
}

/** Room for records where they are to stay, in the kernel's memory: from address `at` to `end`, for
 *  at most `records` of them. */
export interface EncodePlace {
  readonly at: number;
  readonly end: number;
  readonly records: number;
}

/** Takes encoded records, in the order of their events. */
export interface RecordSink {
  /** Where the next records may be written so that `appendRun` need not copy them. */
  place?(batch: Batch): EncodePlace | undefined;
  /** Takes `count` records, adjacent in bytes[start, end): `events[i]` is the index of record i
   *  in the batch, `ends[i]` the position behind it. The bytes and both arrays are only valid
   *  during the call; the sink must not call the encoder. `lineEnds`: how many
   *  0x0a bytes there are, when the encoder has counted them. */
  appendRun(
    bytes: Buffer,
    start: number,
    end: number,
    batch: Batch,
    events: Int32Array,
    ends: Int32Array,
    count: number,
    lineEnds?: number,
  ): void;
}

/** Why a call of the kernel's encoder ended; as in assembly/encode.ts. */
export const encodeStop = { done: 0, cannot: 1, full: 2 } as const;
