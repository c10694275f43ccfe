import { isUtf8 } from 'node:buffer';
import {
  addLines,
  type Batch,
  type CriColumns,
  CriLines,
  type Field,
  fieldOf,
  findMember,
  type ParserTime,
  type PluginContext,
  valueKind,
} from '../../../core/sdk/index.ts';
import {
  type AssembledRecord,
  type LineAt,
  LineTime,
  type MultilineAssembler,
  recordsPerLineMax,
} from '../../shared/multiline/index.ts';
import { jsonOf } from '../../shared/parsing/json_text.ts';
import { LineParsing } from '../../shared/parsing/line_parsing.ts';
import { timeFailureMark } from '../../shared/parsing/parse_stage.ts';
import type { FileGeneration } from './file_generation.ts';
import type { LineSpans } from './split_lines.ts';
import type { TailMetrics } from './tail_metrics.ts';
import type { TailSettings } from './tail_settings.ts';

/** Lines of one block, ready to become records. */
export interface LineBlock {
  readonly spans: LineSpans;
  readonly count: number;
  /** Where the first line begins, and the position behind the last line's end. */
  readonly from: number;
  readonly behind: number;
  /** Position in the source of the byte at `from`. */
  readonly position: number;
}

/** Writes lines into batches as records. */
export class RecordWriter {
  private readonly settings: TailSettings;
  private readonly metrics: TailMetrics;
  private readonly clock: PluginContext['clock'];
  private readonly parsing: LineParsing | undefined;
  private readonly fieldCache = new Map<string, Field>();
  private readonly line: LineAt = { bytes: noBytes, start: 0, end: 0, offset: 0, offsetEnd: 0 };
  private readonly time = new LineTime();
  private readonly log: PluginContext['log'];
  private saidGivenUpMs = Number.NEGATIVE_INFINITY;
  private batch!: Batch;
  /** The first event that is written now. */
  private first = 0;
  private criColumns: CriColumns | undefined;
  private cri: CriLines | undefined;
  /** The kernel knows where this block and its columns are. */
  private isCriBegun = false;
  private seconds = 0;
  private nanos = 0;

  constructor(settings: TailSettings, context: PluginContext, metrics: TailMetrics) {
    this.settings = settings;
    const { parser, key } = settings;
    if (parser !== undefined) this.parsing = new LineParsing(parser, key, context);
    this.clock = context.clock;
    this.log = context.log;
    this.metrics = metrics;
    if (settings.multiline.some(({ format }) => format === 'cri')) {
      this.cri = context.kernel && CriLines.create(context.kernel);
    }
  }

  /** Writes the lines of a block into its batch. Returns how many lines were taken: fewer than
   *  there are when the batch is full of records before. */
  write(batch: Batch, generation: FileGeneration, block: LineBlock): number {
    this.begin(batch);
    const { multiline } = generation;
    const needsDecoding =
      generation.encoding?.decode !== undefined ||
      !isUtf8(batch.bytes.subarray(block.from, block.behind));
    let taken = block.count;
    if (multiline !== undefined) {
      taken = this.pushLines(batch, generation, block, multiline, needsDecoding);
    } else if (needsDecoding) this.writeDecoded(batch, generation, block);
    else this.writeSpans(batch, generation, block);
    this.decorate(batch, generation);
    return taken;
  }

  /** Tries the multiline rules in advance on lines that are long enough to take long. Before
   *  `write`. */
  async prepare(batch: Batch, generation: FileGeneration, block: LineBlock): Promise<void> {
    const { multiline, encoding } = generation;
    if (multiline === undefined || multiline.watchedBytesMin > block.behind - block.from) return;
    const { start, end } = block.spans;
    const texts: string[] = [];
    for (let i = 0; i < block.count; i++) {
      if (end[i]! - start[i]! < multiline.watchedBytesMin) continue;
      const decode = encoding?.decode;
      const text = decode?.(batch.bytes.subarray(start[i], end[i]));
      texts.push(text ?? batch.bytes.utf8Slice(start[i]!, end[i]!));
    }
    if (texts.length > 0) await multiline.prepare(texts);
  }

  /** Passes held records on: those that are due, or all. */
  flushHeld(batch: Batch, generation: FileGeneration, all: boolean): void {
    const { multiline } = generation;
    if (multiline === undefined) return;
    this.begin(batch);
    if (all) multiline.flushAll(this.receive);
    else multiline.flushDue(this.clock.monotonicMs(), this.receive, batch.capacity);
    this.decorate(batch, generation);
  }

  private begin(batch: Batch): void {
    this.batch = batch;
    this.first = batch.count;
    this.criColumns = undefined;
    this.isCriBegun = false;
    const now = this.clock.nowMs();
    this.seconds = Math.floor(now / 1000);
    this.nanos = Math.floor((now - this.seconds * 1000) * 1e6);
  }

  /** The common way: the lines stay where they were read. */
  private writeSpans(batch: Batch, generation: FileGeneration, block: LineBlock): void {
    // hot path
    const { start, end } = block.spans;
    const base = block.position - block.from;
    const { count, behind } = block;
    const { first } = this;
    const column = batch.column(this.settings.key)!;
    const skipEmpty = this.settings.skipEmptyLines;
    const skipFirst = generation.isMidLine() && count > 0 && start[0] === end[0];
    if (
      start.buffer === column.start.buffer &&
      start.byteOffset === column.start.byteOffset + first * 4 &&
      !skipFirst &&
      !(skipEmpty && hasEmpty(block))
    ) {
      const { seconds, nanos } = this;
      addLines(batch, { starts: start, count, behind, base, seconds, nanos });
      column.kind.fill(valueKind.text, first, batch.count);
      return;
    }
    for (let i = 0; i < count; i++) {
      const from = start[i]!;
      const to = end[i]!;
      const next = i + 1 < count ? start[i + 1]! : behind;
      if (from === to && (skipEmpty || (i === 0 && skipFirst))) continue;
      const index = batch.addEvent(base + from, base + next, this.seconds, this.nanos);
      column.start[index] = from;
      column.end[index] = to;
    }
    column.kind.fill(valueKind.text, first, batch.count);
  }

  private writeDecoded(batch: Batch, generation: FileGeneration, block: LineBlock): void {
    const { start, end } = block.spans;
    const base = block.position - block.from;
    const column = batch.column(this.settings.key)!;
    const skipEmpty = this.settings.skipEmptyLines;
    const skipFirst = generation.isMidLine();
    for (let i = 0; i < block.count; i++) {
      const from = start[i]!;
      const to = end[i]!;
      const next = i + 1 < block.count ? start[i + 1]! : block.behind;
      if (from === to && (skipEmpty || (i === 0 && skipFirst))) continue;
      const index = batch.addEvent(base + from, base + next, this.seconds, this.nanos);
      const text = this.decode(batch.bytes, from, to, generation);
      if (text === undefined) batch.setSpan(column, index, from, to, valueKind.text);
      else batch.setText(column, index, text);
    }
  }

  /** A line's text when it cannot stay as it is; undefined when it is valid UTF-8. */
  private decode(
    bytes: Buffer,
    from: number,
    to: number,
    generation: FileGeneration,
  ): string | undefined {
    const line = bytes.subarray(from, to);
    const decode = generation.encoding?.decode;
    if (decode !== undefined) return decode(line);
    if (isUtf8(line)) return undefined;
    this.metrics.invalidLines.value++;
    return line.toString('utf8');
  }

  private pushLines(
    batch: Batch,
    generation: FileGeneration,
    block: LineBlock,
    multiline: MultilineAssembler,
    needsDecoding: boolean,
  ): number {
    const { start, end } = block.spans;
    const base = block.position - block.from;
    const line = this.line;
    const nowMs = this.clock.monotonicMs();
    const skipEmpty = this.settings.skipEmptyLines;
    const skipFirst = generation.isMidLine();
    let i = 0;
    for (; i < block.count && batch.count + recordsPerLineMax <= batch.capacity; i++) {
      // What the kernel does not take, the assembler does.
      if (!needsDecoding && this.criColumns !== undefined && multiline.passesCri) {
        i = this.takeCriLines(batch, block, base, i);
        if (i === block.count || batch.count + recordsPerLineMax > batch.capacity) break;
      }
      line.bytes = batch.bytes;
      line.start = start[i]!;
      line.end = end[i]!;
      line.offset = base + line.start;
      line.offsetEnd = base + (i + 1 < block.count ? start[i + 1]! : block.behind);
      if (line.start === line.end && (skipEmpty || (i === 0 && skipFirst))) continue;
      const text = needsDecoding
        ? this.decode(batch.bytes, line.start, line.end, generation)
        : undefined;
      if (text !== undefined) {
        line.bytes = Buffer.from(text);
        line.start = 0;
        line.end = line.bytes.length;
      }
      line.isOneLine = text === undefined;
      line.isKept = true;
      multiline.push(line, nowMs, this.receive);
    }
    line.bytes = noBytes;
    this.noteGivenUp(generation, multiline.settle());
    return i;
  }

  /** Makes records of a container's lines from line `from` on; returns the first that is not simple. */
  private takeCriLines(batch: Batch, block: LineBlock, base: number, from: number): number {
    const { cri } = this;
    if (cri === undefined) return from;
    const first = batch.count;
    if (!this.isCriBegun) {
      const { start: starts, end: ends } = block.spans;
      const { count, behind } = block;
      if (!cri.begin(batch, this.criColumns!, { starts, ends, count, behind, base })) return from;
      this.isCriBegun = true;
    }
    const next = cri.take(batch, from, batch.capacity - recordsPerLineMax + 1);
    if (next === from) return from;
    const { time, stream, mark, log } = this.criColumns!;
    for (const column of batch.columns) {
      if (column !== time && column !== stream && column !== mark && column !== log) {
        column.kind.fill(valueKind.absent, first, batch.count);
      }
    }
    return next;
  }

  close(): void {
    this.parsing?.close();
    this.cri?.close();
    this.cri = undefined;
  }

  private noteGivenUp(generation: FileGeneration, count: number): void {
    if (count === 0) return;
    this.metrics.multilineTimeouts.value += count;
    const nowMs = this.clock.monotonicMs();
    if (nowMs - this.saidGivenUpMs < saidEveryMs) return;
    this.saidGivenUpMs = nowMs;
    this.log.warn(
      { path: generation.path, lines: count },
      'A multiline rule took too long on a line and counted as not matching: simplify its expression.',
    );
  }

  private readonly receive = (record: AssembledRecord): void => {
    const { batch } = this;
    const index = batch.addEvent(record.offset, record.offsetEnd, this.seconds, this.nanos);
    switch (record.format) {
      case 'text':
        this.put(index, this.settings.key, record.bytes, record.start, record.end, 1);
        return;
      case 'cri':
        this.writeCri(index, record);
        return;
      case 'docker':
        this.writeDocker(index, record);
        return;
      case 'fields':
        this.writeFields(index, record);
        return;
    }
  };

  private writeCri(index: number, record: AssembledRecord): void {
    const { prefix, line } = record;
    if (this.time.read(prefix, line.timeStart, line.timeEnd)) {
      this.batch.seconds[index] = this.time.seconds;
      this.batch.nanos[index] = this.time.nanos;
    }
    const columns = (this.criColumns ??= criColumns(this.batch));
    const inPlace = record.bytes === this.batch.bytes && prefix === this.batch.bytes;
    if (inPlace) {
      const { time, stream, mark, log } = columns;
      const text = valueKind.text;
      this.batch.setSpan(time, index, line.timeStart, line.timeEnd, text);
      this.batch.setSpan(stream, index, line.streamStart, line.streamEnd, text);
      this.batch.setSpan(mark, index, line.markAt, line.markAt + 1, text);
      this.batch.setSpan(log, index, record.start, record.end, text);
      return;
    }
    this.put(index, criFields.time, prefix, line.timeStart, line.timeEnd, 1);
    this.put(index, criFields.stream, prefix, line.streamStart, line.streamEnd, 1);
    this.put(index, criFields.mark, prefix, line.markAt, line.markAt + 1, 1);
    this.put(index, criFields.log, record.bytes, record.start, record.end, 1);
  }

  private writeDocker(index: number, record: AssembledRecord): void {
    const { batch } = this;
    const { prefix, prefixStart, prefixEnd } = record;
    const time = findMember(prefix, prefixStart, timeKey);
    if (time !== undefined && this.time.read(prefix, time.start + 1, time.end - 1)) {
      batch.seconds[index] = this.time.seconds;
      batch.nanos[index] = this.time.nanos;
    }
    if (prefix === batch.bytes) batch.setRoot(index, prefixStart, prefixEnd);
    else batch.replaceRoot(index, Buffer.from(prefix.subarray(prefixStart, prefixEnd)));
    if (record.isJoined) {
      this.put(index, criFields.log, record.bytes, record.start, record.end, 2);
    }
  }

  private writeFields(index: number, record: AssembledRecord): void {
    const content = Buffer.from(record.bytes.subarray(record.start, record.end));
    let hasContent = false;
    for (let i = 0; i < record.keys.length; i++) {
      const key = record.keys[i]!;
      if (key === record.contentKey) hasContent = true;
      else this.setParsed(index, key, record.values[i]);
    }
    const key = hasContent ? this.fieldFor(record.contentKey) : this.settings.key;
    this.batch.setField(index, key, content, valueKind.text);
    const time = this.settings.multiline[record.rulesIndex]?.parser?.time;
    if (time !== undefined) this.applyTime(index, time);
  }

  /** Puts bytes under a field: where they stand, if that is the batch, else a copy. */
  private put(
    index: number,
    field: Field,
    bytes: Buffer,
    start: number,
    end: number,
    kind: 1 | 2,
  ): void {
    const { batch } = this;
    if (bytes === batch.bytes) batch.setFieldSpan(index, field, start, end, kind);
    else batch.setFieldCopy(index, field, bytes, start, end, kind);
  }

  /** What every record gets: the parser's fields, the path, the offset. */
  private decorate(batch: Batch, generation: FileGeneration): void {
    const { pathKey, offsetKey } = this.settings;
    this.parsing?.apply(batch);
    if (pathKey !== undefined) this.writePath(batch, pathKey, generation.name);
    if (offsetKey !== undefined) this.writeOffsets(batch, offsetKey);
  }

  private setParsed(index: number, key: string, value: unknown): void {
    const field = this.fieldFor(key);
    if (typeof value === 'string') {
      this.batch.setField(index, field, Buffer.from(value), valueKind.text);
      return;
    }
    const json = jsonOf(value);
    if (json !== undefined) this.batch.setField(index, field, Buffer.from(json), valueKind.json);
  }

  private applyTime(index: number, time: ParserTime): void {
    const { batch } = this;
    const text = batch.textAt(index, time.field);
    if (text === undefined) return;
    if (!time.reader.parse(text)) {
      this.metrics.dateFailures.value++;
      batch.addMark(index, timeFailureMark);
      return;
    }
    batch.seconds[index] = time.reader.seconds;
    batch.nanos[index] = time.reader.nanos;
    if (!time.keep) batch.removeField(index, time.field);
  }

  private writePath(batch: Batch, field: Field, path: string): void {
    const { first } = this;
    const bytes = Buffer.from(path);
    const at = batch.reserveScratch(bytes.length);
    const column = at < 0 ? undefined : batch.column(field);
    if (column === undefined) {
      for (let i = first; i < batch.count; i++) batch.setField(i, field, bytes, valueKind.text);
      return;
    }
    bytes.copy(batch.bytes, at);
    column.start.fill(at, first, batch.count);
    column.end.fill(at + bytes.length, first, batch.count);
    column.kind.fill(valueKind.text, first, batch.count);
  }

  private writeOffsets(batch: Batch, field: Field): void {
    const column = batch.column(field);
    for (let i = this.first; i < batch.count; i++) {
      const digits = String(batch.offset[i]!);
      const at = column === undefined ? -1 : batch.reserveScratch(digits.length);
      if (at < 0) batch.setField(i, field, Buffer.from(digits), valueKind.json);
      else {
        const written = batch.bytes.latin1Write(digits, at);
        batch.setSpan(column!, i, at, at + written, valueKind.json);
      }
    }
  }

  private fieldFor(key: string): Field {
    let field = this.fieldCache.get(key);
    if (field === undefined) {
      if (this.fieldCache.size >= fieldCacheMax) this.fieldCache.clear();
      field = fieldOf([key]);
      this.fieldCache.set(key, field);
    }
    return field;
  }
}

function hasEmpty({ spans, count }: LineBlock): boolean {
  for (let i = 0; i < count; i++) if (spans.start[i] === spans.end[i]) return true;
  return false;
}

const fieldCacheMax = 1024;
const saidEveryMs = 60_000;
const noBytes = Buffer.alloc(0);
const timeKey = Buffer.from('time');
const criFields = {
  time: fieldOf(['time']),
  stream: fieldOf(['stream']),
  mark: fieldOf(['_p']),
  log: fieldOf(['log']),
};

/** The columns of container records: the first ones of a batch, so that there is room. */
function criColumns(batch: Batch): CriColumns {
  return {
    time: batch.column(criFields.time)!,
    stream: batch.column(criFields.stream)!,
    mark: batch.column(criFields.mark)!,
    log: batch.column(criFields.log)!,
  };
}
