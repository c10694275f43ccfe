import {
  type Batch,
  ByteWriter,
  encodeStop,
  type OutputContext,
  type RecordEncoder,
  type RecordSink,
  RowFrame,
  valueKind,
  writeEventTime,
} from '../../../core/sdk/index.ts';
import { RowReader } from '../../shared/row_binary/row_reader.ts';
import { type Column, misfitOf, misfitReason, writeEventTimeInto, writeFound } from './column.ts';

/** Bytes after which a run of rows is handed over. */
const runBytes = 1024 * 1024;
const timeFormat = { form: 'iso8601', digits: 9 } as const;

export interface RowEncoderOptions {
  readonly fingerprint: string;
  readonly columns: readonly Column[];
  readonly format: 'json_each_row' | 'row_binary';
  /** The section that a record goes to. Left out: one section, ''. */
  readonly sectionKey?: (batch: Batch, index: number) => string;
  /** Finds the columns' values, and writes rows: the same bytes, sooner. */
  readonly kernel?: OutputContext['kernel'];
}

/** Encodes events as rows of the declared columns. A value that its column does not hold sends the
 *  event to the dead letters: the server would wrap an integer in silence. */
export class RowEncoder implements RecordEncoder {
  readonly fingerprint: string;
  private readonly options: RowEncoderOptions;
  private readonly prefixes: readonly Buffer[];
  private readonly out = new ByteWriter();
  private readonly scratch = new ByteWriter(1024);
  private events = new Int32Array(0);
  private ends = new Int32Array(0);
  private count = 0;
  private section = '';
  private readonly rows: RowFrame | undefined;
  /** `rows` looks at the batch that is encoded. */
  private hasFound = false;

  constructor(options: RowEncoderOptions) {
    this.options = options;
    this.fingerprint = options.fingerprint;
    this.prefixes = options.columns.map(({ name }) => Buffer.from(`${JSON.stringify(name)}:`));
    const columns = options.columns.map(({ field, codec, takesTime }) => ({
      field,
      cell: codec?.cell,
      takesTime,
    }));
    this.rows = options.kernel && RowFrame.create(options.kernel, columns);
  }

  encode(batch: Batch, select: Uint8Array, sink: RecordSink): void {
    // hot path
    if (this.events.length < batch.capacity) {
      this.events = new Int32Array(batch.capacity);
      this.ends = new Int32Array(batch.capacity);
    }
    this.out.clear();
    this.count = 0;
    const { rows } = this;
    this.hasFound = rows?.begin(batch, select) === true;
    const { sectionKey, format } = this.options;
    if (rows !== undefined && this.hasFound) {
      if (rows.writesRows && format === 'row_binary' && sectionKey === undefined) {
        this.encodeMixed(batch, rows, sink);
        return;
      }
      rows.locateAll();
    }
    for (let index = 0; index < batch.count; index++) {
      if (select[index] === 1) this.encodeOne(batch, index, sink);
    }
    this.handOver(batch, sink);
  }

  close(): void {
    this.rows?.close();
  }

  /** By the kernel what it can, by JavaScript the rest. */
  private encodeMixed(batch: Batch, rows: RowFrame, sink: RecordSink): void {
    let index = 0;
    let placeHelps = sink.place !== undefined;
    while (index < batch.count) {
      // Places follow each other: what JavaScript wrote comes first.
      if (placeHelps) this.handOver(batch, sink);
      const place = placeHelps ? sink.place!('', batch) : undefined;
      const next = rows.encode(index, place);
      if (rows.count > 0) {
        this.handOver(batch, sink);
        const { outStart: start, events, ends, count } = rows;
        sink.appendRun('', { bytes: batch.bytes, start, batch, events, ends, count });
      }
      // A full area is empty again; only a row larger than all of it stays, and one that is larger
      // than its place may fit into the staging area.
      const isFull = rows.stop === encodeStop.full;
      const goesOn = isFull && (next > index || place !== undefined);
      placeHelps = sink.place !== undefined && !(isFull && next === index);
      index = next;
      if (rows.stop !== encodeStop.done && !goesOn) this.encodeOne(batch, index++, sink);
    }
    this.handOver(batch, sink);
  }

  private encodeOne(batch: Batch, index: number, sink: RecordSink): void {
    // hot path
    const section = this.options.sectionKey?.(batch, index) ?? '';
    if (section !== this.section) {
      this.handOver(batch, sink);
      this.section = section;
    }
    const start = this.out.length;
    const reason = this.write(batch, index);
    if (reason !== undefined) {
      this.out.length = start;
      sink.reject(batch, index, reason);
      return;
    }
    this.events[this.count] = index;
    this.ends[this.count++] = this.out.length;
    if (this.out.length >= runBytes) this.handOver(batch, sink);
  }

  recordJson(record: Buffer): string {
    if (this.options.format === 'json_each_row') {
      return record.toString('utf8', 0, record.length - 1);
    }
    const reader = new RowReader(record);
    const members = this.options.columns.map(
      ({ name, codec }) => `${JSON.stringify(name)}:${codec!.readJson(reader)}`,
    );
    return `{${members.join(',')}}`;
  }

  private write(batch: Batch, index: number): string | undefined {
    const { columns, format } = this.options;
    if (format === 'json_each_row') this.out.byte(0x7b);
    for (let i = 0; i < columns.length; i++) {
      const column = columns[i]!;
      try {
        if (format === 'row_binary') this.writeBinary(column, i, batch, index);
        else this.writeJson(column, i, batch, index);
      } catch (error) {
        return misfitReason(column, batch, index, misfitOf(error));
      }
    }
    if (format === 'json_each_row') {
      if (this.out.buffer[this.out.length - 1] === 0x2c) this.out.length--;
      this.out.byte(0x7d);
      this.out.byte(0x0a);
    }
    return undefined;
  }

  private writeBinary(column: Column, i: number, batch: Batch, index: number): void {
    // `check` refuses row_binary for types without a codec.
    const codec = column.codec!;
    if (this.locate(column, i, batch, index)) writeFound(codec, batch, this.out);
    else if (column.takesTime) writeEventTimeInto(codec, batch, index, this.out);
    else codec.writeDefault(this.out);
  }

  /** Missing fields are left out: the server fills in the column's default. */
  private writeJson(column: Column, i: number, batch: Batch, index: number): void {
    const { out, scratch } = this;
    scratch.clear();
    const isThere = this.locate(column, i, batch, index);
    if (!isThere && !column.takesTime) return;
    if (column.codec !== undefined) {
      if (isThere) writeFound(column.codec, batch, scratch);
      else writeEventTimeInto(column.codec, batch, index, scratch);
    }
    out.bytes(this.prefixes[i]!);
    if (!isThere) writeEventTime(out, batch.seconds[index]!, batch.nanos[index]!, timeFormat);
    else if (batch.foundKind === valueKind.json) {
      out.bytes(batch.foundBytes, batch.foundStart, batch.foundEnd);
    } else {
      out.byte(0x22);
      out.escaped(batch.foundBytes, batch.foundStart, batch.foundEnd);
      out.byte(0x22);
    }
    out.byte(0x2c);
  }

  private locate(column: Column, i: number, batch: Batch, index: number): boolean {
    if (this.hasFound) return this.rows!.locate(index, i, column.field, batch);
    return batch.locate(index, column.field);
  }

  private handOver(batch: Batch, sink: RecordSink): void {
    if (this.count > 0) {
      const { events, ends, count } = this;
      sink.appendRun(this.section, {
        bytes: this.out.buffer,
        start: 0,
        batch,
        events,
        ends,
        count,
      });
    }
    this.out.clear();
    this.count = 0;
  }
}
