import type { Batch } from '../batch/batch.ts';
import { ByteWriter } from '../batch/byte_writer.ts';
import { idPrefixOf, writeEventId } from '../batch/event_id.ts';
import { writeEventTime } from '../batch/event_time.ts';
import { type AddedMember, JsonEventEncoder } from '../batch/json_encode.ts';
import { layout } from '../batch/layout.ts';
import type { Source } from '../batch/source.ts';
import { eachSource } from '../batch/stretch.ts';
import { EncodeFrame } from './encode_frame.ts';
import {
  type EncodeOptions,
  type EncodePlace,
  encodeStop,
  type RecordSink,
} from './encode_options.ts';
import type { Kernel, KernelCode } from './kernel.ts';

/** Bytes that JavaScript encodes before it hands them over. */
const runBytes = 256 * 1024;

/** Writes selected events of a batch as records and hands them to a sink in runs: by the kernel
 *  what it can, by `JsonEventEncoder` the rest. The bytes are the same either way. */
export class BatchEncoder {
  /** Records that the kernel wrote, and those that it left to JavaScript. */
  kernelRecords = 0;
  scriptRecords = 0;

  private readonly options: EncodeOptions;
  private readonly frame: EncodeFrame | undefined;
  private readonly staging: Staging | undefined;
  private readonly reference: JsonEventEncoder;
  private readonly out = new ByteWriter();
  private readonly befores = new ByteWriter(0);
  private events = new Int32Array(layout.eventsMax);
  private ends = new Int32Array(layout.eventsMax);
  private pending = 0;
  private source: Source | undefined;
  private idPrefix: string | undefined;
  private readonly idPrefixes = new WeakMap<Source, string>();

  constructor(kernel: Kernel | undefined, options: EncodeOptions) {
    this.options = options;
    this.reference = new JsonEventEncoder(addedMembers(options));
    if (kernel === undefined) return;
    this.frame = EncodeFrame.create(kernel, options);
    this.staging = stagingOf(kernel);
  }

  /** Encodes the events that `select` marks, in order. */
  encode(batch: Batch, select: Uint8Array, sink: RecordSink): void {
    if (batch.capacity > this.events.length) {
      this.events = new Int32Array(batch.capacity);
      this.ends = new Int32Array(batch.capacity);
    }
    const isDescribed = this.frame?.describe(batch, select) === true;
    const { afterId, writeBefore } = this.options;
    if (afterId === undefined && writeBefore === undefined) {
      this.encodeRange(batch, select, sink, { from: 0, end: batch.count, isDescribed });
      return;
    }
    eachSource(batch, (from, end) => {
      if (afterId !== undefined) this.takeSource(batch.source);
      this.encodeRange(batch, select, sink, { from, end, isDescribed });
    });
  }

  /** Records bear ids of this source from here on. */
  private takeSource(source: Source): void {
    if (this.source !== source) {
      this.source = source;
      this.idPrefix = this.idPrefixes.get(source);
      if (this.idPrefix === undefined) {
        this.idPrefix = idPrefixOf(source.generation);
        this.idPrefixes.set(source, this.idPrefix);
      }
    }
    this.frame?.setIdPrefix(this.idPrefix!);
  }

  /** Encodes the selected events of one source. */
  private encodeRange(
    batch: Batch,
    select: Uint8Array,
    sink: RecordSink,
    range: EncodeRange,
  ): void {
    if (range.isDescribed) this.encodeMixed(batch, select, sink, range);
    else {
      for (let index = range.from; index < range.end; index++) {
        if (select[index] !== 0) this.encodeOne(batch, index, sink);
      }
    }
    this.flush(batch, sink);
  }

  /** Frees the encoder's kernel memory. */
  close(): void {
    this.frame?.close();
  }

  private encodeMixed(
    batch: Batch,
    select: Uint8Array,
    sink: RecordSink,
    { from, end }: EncodeRange,
  ): void {
    const frame = this.frame!;
    const staging = this.staging!;
    const own = this.options.writeBefore !== undefined;
    frame.setResults(
      staging.events,
      staging.ends,
      own ? staging.beforeStarts.byteOffset : 0,
      own ? staging.beforeEnds.byteOffset : 0,
    );
    let ready = own ? from : end;
    let index = from;
    let placeHelps = sink.place !== undefined;
    while (index < end) {
      if (index >= ready) ready = this.stageBefores(batch, select, index, end);
      let stop: number = encodeStop.cannot;
      if (ready > index) {
        // Places follow each other: what JavaScript wrote comes first.
        if (placeHelps) this.flush(batch, sink);
        const place = placeHelps ? sink.place!(batch) : undefined;
        const next = this.runKernel(batch, index, ready, sink, frame, staging, place);
        stop = staging.code.encodeStop.value;
        // A full area is empty again; only an event larger than all of it stays, and one that is
        // larger than its place may fit into the staging area.
        if (stop === encodeStop.full && (next > index || place !== undefined)) {
          placeHelps = next > index && placeHelps;
          stop = encodeStop.done;
        } else placeHelps = sink.place !== undefined;
        index = next;
      }
      if (stop !== encodeStop.done) this.encodeOne(batch, index++, sink);
    }
  }

  /** Encodes from event `from` on, below `limit`, and hands the records over. */
  private runKernel(
    batch: Batch,
    from: number,
    limit: number,
    sink: RecordSink,
    frame: EncodeFrame,
    staging: Staging,
    place: EncodePlace | undefined,
  ): number {
    const code = staging.code;
    const out = place?.at ?? staging.outStart;
    const outEnd = place?.end ?? staging.outEnd;
    const most = place === undefined ? limit : Math.min(limit, from + place.records);
    const next = code.encodeEvents(frame.address, from, most, out, outEnd);
    const count = code.encodedCount.value;
    if (count > 0) {
      this.flush(batch, sink);
      const { events, ends } = staging;
      const end = code.encodedEnd.value;
      const lines: number = code.encodedLines.value;
      sink.appendRun(batch.bytes, out, end, batch, events, ends, count, lines);
      this.kernelRecords += count;
    }
    return next;
  }

  /** Writes the text before each record, for as many events as there is room, from `from` on.
   *  Returns the index of the first event without. */
  private stageBefores(batch: Batch, select: Uint8Array, from: number, end: number): number {
    const staging = this.staging!;
    const out = this.befores;
    out.clear();
    let index = from;
    for (; index < end; index++) {
      if (select[index] === 0) continue;
      const start = out.length;
      this.options.writeBefore!(batch, index, out);
      if (out.length > staging.beforeBytes) break;
      staging.beforeStarts[index] = staging.beforeAt + start;
      staging.beforeEnds[index] = staging.beforeAt + out.length;
    }
    out.buffer.copy(batch.bytes, staging.beforeAt, 0, Math.min(out.length, staging.beforeBytes));
    return index;
  }

  private encodeOne(batch: Batch, index: number, sink: RecordSink): void {
    const out = this.out;
    const { before, writeBefore, afterId, after } = this.options;
    if (writeBefore !== undefined) writeBefore(batch, index, out);
    else if (before !== undefined) out.bytes(before);
    if (afterId !== undefined) {
      writeEventId(out, this.idPrefix!, batch.offset[index]!, batch.part[index]!);
      out.bytes(afterId);
    }
    this.reference.write(batch, index, out);
    if (after !== undefined) out.bytes(after);
    this.events[this.pending] = index;
    this.ends[this.pending] = out.length;
    this.pending++;
    this.scriptRecords++;
    if (out.length >= runBytes) this.flush(batch, sink);
  }

  /** Hands over what JavaScript wrote. */
  private flush(batch: Batch, sink: RecordSink): void {
    if (this.pending === 0) return;
    const count = this.pending;
    const out = this.out;
    this.pending = 0;
    sink.appendRun(out.buffer, 0, out.length, batch, this.events, this.ends, count);
    out.clear();
    // One huge event must not keep its memory for good.
    if (out.buffer.length > runBytes * 8) out.buffer = Buffer.allocUnsafeSlow(runBytes);
  }
}

/** Events of one source. */
interface EncodeRange {
  readonly from: number;
  readonly end: number;
  /** The frame was pointed at the batch. */
  readonly isDescribed: boolean;
}

/** The kernel's staging area: results, texts that stand before records, records.
 *  All encoders of a pipeline share it: what is in it is handed over within one call. */
interface Staging {
  readonly code: KernelCode;
  readonly events: Int32Array;
  readonly ends: Int32Array;
  readonly beforeStarts: Int32Array;
  readonly beforeEnds: Int32Array;
  readonly beforeAt: number;
  readonly beforeBytes: number;
  readonly outStart: number;
  readonly outEnd: number;
}

const beforeBytes = 512 * 1024;

function stagingOf(kernel: Kernel): Staging {
  const arrayBytes = layout.eventsMax * 4;
  const array = (i: number): Int32Array =>
    new Int32Array(kernel.memory.buffer, layout.stagingStart + i * arrayBytes, layout.eventsMax);
  const beforeAt = layout.stagingStart + 4 * arrayBytes;
  return {
    code: kernel.code,
    events: array(0),
    ends: array(1),
    beforeStarts: array(2),
    beforeEnds: array(3),
    beforeAt,
    beforeBytes,
    outStart: beforeAt + beforeBytes + layout.guardBytes,
    outEnd: layout.stagingStart + layout.stagingBytes,
  };
}

function addedMembers(options: EncodeOptions): AddedMember[] {
  const members: AddedMember[] = (options.constants ?? []).map(({ key, json }) => ({
    key,
    prefix: Buffer.from(`${JSON.stringify(key)}:`),
    write: (_batch, _index, out) => out.bytes(json),
  }));
  const time = options.time;
  if (time !== undefined) {
    members.push({
      key: time.key,
      prefix: Buffer.from(`${JSON.stringify(time.key)}:`),
      write: (batch, index, out) =>
        writeEventTime(out, batch.seconds[index]!, batch.nanos[index]!, time.format),
    });
  }
  return members;
}
