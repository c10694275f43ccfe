import {
  type Batch,
  type BatchFilter,
  type Column,
  compileDateFormat,
  type Counter,
  type Field,
  iso8601BytesMax,
  JsonScanner,
  type PluginContext,
  RepeatedDates,
  valueKind,
  writeIso8601,
} from '../../../core/sdk/index.ts';
import { FirstFittingDate } from '../../shared/parsing/parser_time.ts';
import type { Options } from './config.ts';

const recordTimeName = '@timestamp';

/** Reads a field as a date, into the event's time or another field. */
export class DateFilter implements BatchFilter {
  readonly mixesSources = true;
  private readonly context: PluginContext;
  private readonly key: Field;
  private readonly target: Field | undefined;
  private readonly dates: FirstFittingDate;
  private readonly removes: boolean;
  /** A field of this name would hide the record's time from outputs. */
  private readonly recordTime: Field | undefined;
  private readonly marks: readonly string[];
  private readonly failures: Counter;
  private readonly spare = Buffer.alloc(iso8601BytesMax);
  private scanner: JsonScanner | undefined;
  private repeats: RepeatedDates | undefined;

  constructor(options: Options, context: PluginContext) {
    this.context = context;
    this.key = context.field(options.key ?? 'timestamp');
    const { target } = options;
    const setsRecordTime = target === undefined || target === recordTimeName;
    this.target = setsRecordTime ? undefined : context.field(target);
    this.recordTime = target === recordTimeName ? context.field(target) : undefined;
    const reference = { seconds: 0 };
    const referenceTime = () => {
      reference.seconds = Math.floor(context.clock.nowMs() / 1000);
      return reference;
    };
    const { formats = ['ISO8601'], timezone = 'UTC' } = options;
    this.dates = new FirstFittingDate(
      formats.map((format) => compileDateFormat(format, { timezone, referenceTime })),
    );
    this.removes = options.remove ?? false;
    this.marks = options.tag_on_failure ?? ['_dateparsefailure'];
    this.failures = context.metrics.counter('sluice_date_failures_total');
  }

  process(batch: Batch): void {
    // hot path
    const column = this.key.keys.length === 1 ? batch.findColumn(this.key) : undefined;
    const scanner = this.scan(batch);
    const repeats = this.repeatsFor(batch, column);
    for (let index = 0; index < batch.count; index++) {
      if (repeats !== undefined) {
        index = repeats.read(index, this.dates.memo);
        if (index === batch.count) break;
      }
      if (batch.select[index] !== 1) continue;
      const kind = column === undefined ? valueKind.absent : column.kind[index];
      if (kind === valueKind.text) {
        const read = this.dates.parseBytes(batch.bytes, column!.start[index]!, column!.end[index]!);
        this.finish(batch, index, read);
      } else if (kind === valueKind.removed) continue;
      else if (scanner === undefined || kind !== valueKind.absent || scanner.slow[index] === 1) {
        this.readLocated(batch, index);
      } else {
        const { valueStart, valueEnd } = scanner.results[0]!;
        const start = valueStart[index]!;
        if (start >= 0) this.readToken(batch, index, batch.bytes, start, valueEnd[index]!);
      }
    }
  }

  /** What reads dates like those before them, where nothing but the event's time is to be set. */
  private repeatsFor(batch: Batch, column: Column | undefined): RepeatedDates | undefined {
    const { kernel } = this.context;
    const isPlain = this.target === undefined && this.recordTime === undefined && !this.removes;
    if (column === undefined || kernel === undefined || !isPlain) return undefined;
    this.repeats ??= RepeatedDates.create(kernel);
    return this.repeats?.begin(batch, column) ? this.repeats : undefined;
  }

  async close(): Promise<void> {
    this.repeats?.close();
    this.repeats = undefined;
    this.scanner?.close();
    this.scanner = undefined;
  }

  /** Looks the field up in all roots at once; undefined when each event has to be asked. */
  private scan(batch: Batch): JsonScanner | undefined {
    if (this.key.keys.length > 1 || batch.hasNested) return undefined;
    let needed = false;
    for (let index = 0; index < batch.count && !needed; index++) {
      needed = batch.select[index] === 1 && batch.rootKind[index] !== 0;
    }
    if (!needed) return undefined;
    this.scanner ??= new JsonScanner(this.context.kernel, [Buffer.from(this.key.keys[0]!)]);
    this.scanner.scan(batch);
    return this.scanner;
  }

  private readLocated(batch: Batch, index: number): void {
    if (!batch.locate(index, this.key)) return;
    const { foundBytes, foundStart, foundEnd } = batch;
    if (batch.foundKind === valueKind.json) {
      this.readToken(batch, index, foundBytes, foundStart, foundEnd);
    } else this.finish(batch, index, this.dates.parseBytes(foundBytes, foundStart, foundEnd));
  }

  /** Reads a date from a JSON token: a string, or a number for the UNIX formats. */
  private readToken(batch: Batch, index: number, bytes: Buffer, start: number, end: number): void {
    // hot path
    if (bytes[start] !== 0x22) {
      this.finish(batch, index, this.dates.parseBytes(bytes, start, end));
      return;
    }
    for (let at = start + 1; at < end - 1; at++) {
      if (bytes[at] !== 0x5c) continue;
      const text = JSON.parse(bytes.utf8Slice(start, end)) as string;
      this.finish(batch, index, this.dates.parse(text));
      return;
    }
    this.finish(batch, index, this.dates.parseBytes(bytes, start + 1, end - 1));
  }

  private finish(batch: Batch, index: number, read: boolean): void {
    if (!read) {
      this.failures.value++;
      for (const mark of this.marks) batch.addMark(index, mark);
      return;
    }
    const { seconds, nanos } = this.dates;
    if (this.removes) batch.removeField(index, this.key);
    if (this.target !== undefined) {
      this.setTarget(batch, index, this.target, seconds, nanos);
      return;
    }
    batch.seconds[index] = seconds;
    batch.nanos[index] = nanos;
    if (this.recordTime !== undefined && batch.locate(index, this.recordTime)) {
      batch.removeField(index, this.recordTime);
    }
  }

  private setTarget(
    batch: Batch,
    index: number,
    target: Field,
    seconds: number,
    nanos: number,
  ): void {
    // Milliseconds as everybody writes them, nanoseconds where there are some.
    const digits = nanos % 1_000_000 === 0 ? 3 : 9;
    const at = batch.reserveScratch(iso8601BytesMax);
    if (at >= 0) {
      const end = writeIso8601(batch.bytes, at, seconds, nanos, digits);
      if (batch.setFieldSpan(index, target, at, end, valueKind.text)) return;
    }
    const end = writeIso8601(this.spare, 0, seconds, nanos, digits);
    batch.setField(index, target, Buffer.from(this.spare.subarray(0, end)), valueKind.text);
  }
}
