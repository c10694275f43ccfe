import { BatchEncoder } from '../kernel/batch_encoder.ts';
import type { ConstantMember, EncodePlace, TimeMember } from '../kernel/encode_options.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { RecordEncoder, RecordSink } from '../sdk/contracts.ts';
import type { Batch } from './batch.ts';
import type { ByteWriter } from './byte_writer.ts';
import { idPrefixOf, writeEventId } from './event_id.ts';

export interface JsonRecordOptions {
  /** Anything that changes when the bytes would. */
  readonly fingerprint: string;
  /** The kernel, from the plugin's context: the same bytes, sooner. */
  readonly kernel?: Kernel;
  /** Written before every record: constant bytes, or what depends on the record. */
  readonly before?: Buffer;
  writeBefore?(batch: Batch, index: number, out: ByteWriter): void;
  /** Puts the record's origin id behind that, and these bytes behind the id. */
  readonly afterId?: Buffer;
  /** Written behind every record's JSON. */
  readonly suffix?: Buffer;
  /** Members for events that lack them. */
  readonly constants?: readonly ConstantMember[];
  /** The event's time, for events that have no member of that name. */
  readonly time?: TimeMember;
  /** The section that a record goes to. Left out: one section, ''. */
  sectionKey?(batch: Batch, index: number): string;
  /** Cuts the event's JSON out of a record. Left out: the record but for its suffix. */
  recordJson?(record: Buffer): string;
}

/** Encodes events as JSON objects with something before and behind each: NDJSON, bulk bodies,
 *  JSONEachRow. */
export class JsonRecordEncoder implements RecordEncoder {
  readonly fingerprint: string;
  readonly mixesSources: boolean;
  private readonly options: JsonRecordOptions;
  private readonly encoder: BatchEncoder;
  private readonly suffixBytes: number;
  private readonly keys: string[] = [];
  private mask = new Uint8Array(0);
  private section = '';
  private sink!: RecordSink;

  constructor(options: JsonRecordOptions) {
    this.options = options;
    this.fingerprint = options.fingerprint;
    this.mixesSources = options.sectionKey === undefined;
    this.suffixBytes = options.suffix?.length ?? 0;
    const writeBefore = options.writeBefore?.bind(options);
    this.encoder = new BatchEncoder(options.kernel, {
      ...(options.before === undefined ? {} : { before: options.before }),
      ...(writeBefore === undefined ? {} : { writeBefore }),
      ...(options.afterId === undefined ? {} : { afterId: options.afterId }),
      ...(options.suffix === undefined ? {} : { after: options.suffix }),
      ...(options.constants === undefined ? {} : { constants: options.constants }),
      ...(options.time === undefined ? {} : { time: options.time }),
    });
  }

  encode(batch: Batch, select: Uint8Array, sink: RecordSink): void {
    // hot path
    this.sink = sink;
    this.section = '';
    if (this.options.sectionKey === undefined) this.encoder.encode(batch, select, this);
    else this.encodeSections(batch, select);
  }

  recordJson(record: Buffer): string {
    if (this.options.recordJson !== undefined) return this.options.recordJson(record);
    return record.toString('utf8', 0, record.length - this.suffixBytes);
  }

  close(): void {
    this.encoder.close();
  }

  place(batch: Batch): EncodePlace | undefined {
    return this.sink.place?.(this.section, batch);
  }

  /** Called by the kernel's encoder with each run it wrote. */
  appendRun(
    bytes: Buffer,
    start: number,
    _end: number,
    batch: Batch,
    events: Int32Array,
    ends: Int32Array,
    count: number,
    lineEnds?: number,
  ): void {
    this.sink.appendRun(this.section, { bytes, start, batch, events, ends, count, lineEnds });
  }

  /** One pass per section: a record's section depends on that record alone. */
  private encodeSections(batch: Batch, select: Uint8Array): void {
    const keys = this.keys;
    const distinct: string[] = [];
    for (let index = 0; index < batch.count; index++) {
      if (select[index] !== 1) continue;
      const key = this.options.sectionKey!(batch, index);
      keys[index] = key;
      if (distinct[distinct.length - 1] !== key && !distinct.includes(key)) distinct.push(key);
    }
    if (distinct.length === 1) {
      this.section = distinct[0]!;
      this.encoder.encode(batch, select, this);
      return;
    }
    // The kernel reads the mask from its own memory: the batch's `select`, put back afterwards.
    if (this.mask.length < batch.count) this.mask = new Uint8Array(batch.capacity);
    const wanted = this.mask;
    wanted.set(select.subarray(0, batch.count));
    for (const key of distinct) {
      for (let index = 0; index < batch.count; index++) {
        select[index] = wanted[index] === 1 && keys[index] === key ? 1 : 0;
      }
      this.section = key;
      this.encoder.encode(batch, select, this);
    }
    select.set(wanted.subarray(0, batch.count));
  }
}

/** Writes a record's origin id (see `event_id.ts`). */
export function writeRecordId(batch: Batch, index: number, out: ByteWriter): void {
  writeEventId(out, idPrefixOf(batch.source.generation), batch.offset[index]!, batch.part[index]!);
}
