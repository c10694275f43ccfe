import {
  type Batch,
  type BatchEmitter,
  layout,
  type PluginContext,
  splitLines,
} from '../../../core/sdk/index.ts';
import {
  byteOrderMark,
  type TextEncoding,
  utf8,
} from '../../shared/text_encoding/text_encoding.ts';
import { headBytesMax } from './content_print.ts';
import { isContinued } from './content_relation.ts';
import type { FileGeneration } from './file_generation.ts';
import type { LineBlock, RecordWriter } from './record_writer.ts';
import {
  behindLine,
  behindLineUtf16,
  findLineFeedUtf16,
  lineSpans,
  type LineSpans,
  splitLinesUtf16,
} from './split_lines.ts';
import type { TailedFile } from './tailed_file.ts';
import type { TailMetrics } from './tail_metrics.ts';
import type { TailSettings } from './tail_settings.ts';

/** What a turn of reading found. `more`: there is more to read at once. `end`: all that is there
 *  was looked at. `replaced`: what stands before the position is not what was read there: the
 *  file was truncated or written anew. */
export type TurnResult = 'more' | 'end' | 'replaced';

/** Much of what a batch costs does not depend on its size. */
const blockBytesMax = 448 * 1024;
const blockBytesMin = 16 * 1024;
/** Files that bring less in a turn may be read together. */
const littleBytes = 8 * 1024;
/** Decoding may triple a block; all of it shall fit into the batch's scratch space. */
const encodedBlockBytes = 128 * 1024;

/** Reads files a block a turn and emits their lines.
 *
 *  Bytes go straight into the batch. An unfinished last line is not consumed: it is read again
 *  with what follows. A line longer than a block is measured first and then read once, into a
 *  batch of its own, and measured again if it is not what it was. */
export class BlockReader {
  private readonly settings: TailSettings;
  private readonly writer: RecordWriter;
  private readonly metrics: TailMetrics;
  private readonly emitter: BatchEmitter;
  private readonly clock: PluginContext['clock'];
  private readonly kernel: PluginContext['kernel'];
  /** Spans of lines that do not become records one by one. */
  private spans: ReturnType<typeof lineSpans>;
  private behind = 0;
  /** How long what is read now may have waited in its file. */
  waitedMs = 0;
  private readonly scratch = Buffer.alloc(headBytesMax);

  constructor(
    settings: TailSettings,
    writer: RecordWriter,
    metrics: TailMetrics,
    emitter: BatchEmitter,
    context: PluginContext,
  ) {
    this.settings = settings;
    this.writer = writer;
    this.metrics = metrics;
    this.emitter = emitter;
    this.clock = context.clock;
    this.kernel = context.kernel;
    this.spans = lineSpans(layout.eventsMax, context.kernel);
  }

  /** Reads and emits one block. `isFinal`: an unfinished line at the end counts as a line.
   *  Errors: those of the file system, GzipDamageError. */
  async turn(file: TailedFile, generation: FileGeneration, isFinal: boolean): Promise<TurnResult> {
    const batch = await this.emitter.batch(generation.source, generation.tag);
    let isSent = false;
    try {
      const kept = file.isGzip ? 0 : generation.beforeLength;
      const limit = generation.encoding?.decode === undefined ? blockBytesMax : encodedBlockBytes;
      const wanted = Math.min(generation.blockBytes, limit, batch.dataEnd - batch.dataStart - kept);
      const at = batch.dataStart;
      const reading = file.read(batch.bytes, at, kept + wanted, generation.position - kept);
      const read = typeof reading === 'number' ? reading : await reading;
      const from = at + kept;
      if (!isContinued(batch.bytes, at, read, kept, generation)) return 'replaced';
      const to = at + read;
      generation.hitEnd = read < kept + wanted;
      const seenEnd = generation.position + to - from;
      // An unfinished line that is read again is nothing new.
      if (seenEnd > generation.seenEnd) file.activeMs = this.clock.monotonicMs();
      generation.seenEnd = seenEnd;
      const begin = this.skipMark(batch, generation, from, to);
      if (generation.discardFrom >= 0) {
        isSent = true;
        return await this.discardRest(batch, file, generation, from, to, isFinal);
      }
      if (begin === to && generation.hitEnd) return 'end';
      const isEnding = generation.hitEnd && (isFinal || file.isArchiveRead);
      const count = this.split(batch, generation, begin, to, isEnding);
      if (count > 0) {
        isSent = true;
        return await this.send(batch, file, generation, { count, from, begin, to });
      }
      if (generation.hitEnd && to - begin <= this.settings.lineBytesMax) {
        generation.noteUnfinished(this.clock.monotonicMs());
        return 'end';
      }
    } finally {
      if (!isSent) this.emitter.discard(batch);
    }
    return this.readLongLine(file, generation, isFinal || file.isArchiveRead);
  }

  close(): void {
    this.spans.release();
    this.spans = lineSpans(0);
  }

  /** Emits held multiline records: those that are due, or all of them. */
  async flush(generation: FileGeneration, all: boolean): Promise<void> {
    const batch = await this.emitter.batch(generation.source, generation.tag);
    this.writer.flushHeld(batch, generation, all);
    await this.emit(batch, generation);
  }

  /** Finds out the encoding at the beginning of a file; returns where its text begins. */
  private skipMark(batch: Batch, generation: FileGeneration, from: number, to: number): number {
    if (generation.position > 0) {
      generation.encoding ??= this.settings.encoding ?? utf8;
      return from;
    }
    const mark = byteOrderMark(batch.bytes, from, to);
    generation.encoding = this.settings.encoding ?? mark?.encoding ?? utf8;
    return mark !== undefined && mark.encoding === generation.encoding ? from + mark.length : from;
  }

  /** Splits into lines, at most a batch's worth and none that is too long. `behind` is then the
   *  position behind the last of them. */
  private split(
    batch: Batch,
    generation: FileGeneration,
    begin: number,
    to: number,
    isEnding: boolean,
  ): number {
    const spans = this.spansFor(batch, generation);
    const { bytes, capacity } = batch;
    const unit = this.unitOf(generation);
    let count =
      unit === 'bytes'
        ? splitLines(this.kernel, bytes, begin, to, spans.start, spans.end, capacity)
        : splitLinesUtf16(bytes, begin, to, spans, capacity, unit === 'utf16be');
    this.behind = begin;
    if (count > 0) {
      const textEnd = spans.end[count - 1]!;
      this.behind =
        unit === 'bytes' ? behindLine(bytes, textEnd) : behindLineUtf16(bytes, textEnd, unit);
    }
    if (isEnding && count < capacity && this.behind < to) {
      spans.start[count] = this.behind;
      spans.end[count] = to;
      this.behind = to;
      count++;
    }
    const longest = this.settings.lineBytesMax;
    if (to - begin <= longest) return count;
    for (let i = 0; i < count; i++) {
      if (spans.end[i]! - spans.start[i]! > longest) {
        this.behind = spans.start[i]!;
        return i;
      }
    }
    return count;
  }

  /** Where spans go: straight into the key's column, which the kernel can reach; records of
   *  several lines are written there while later spans are still needed. */
  private spansFor(batch: Batch, generation: FileGeneration): LineSpans {
    if (generation.multiline === undefined) return batch.column(this.settings.key)!;
    if (this.spans.start.length < batch.capacity) {
      this.spans.release();
      this.spans = lineSpans(batch.capacity);
    }
    return this.spans;
  }

  /** Writes and emits the lines found, and moves on behind them. */
  private async send(
    batch: Batch,
    file: TailedFile,
    generation: FileGeneration,
    found: { count: number; from: number; begin: number; to: number },
  ): Promise<TurnResult> {
    const { count, from, begin, to } = found;
    const spans = this.spansFor(batch, generation);
    const block: LineBlock = {
      spans,
      count,
      from: begin,
      behind: this.behind,
      position: generation.position + begin - from,
    };
    if (generation.multiline !== undefined) await this.writer.prepare(batch, generation, block);
    const taken = this.writer.write(batch, generation, block);
    const behind = taken < count ? spans.start[taken]! : this.behind;
    const consumed = behind - from;
    batch.inputBytes = consumed;
    generation.consume(generation.position + consumed, batch.bytes, from, behind);
    if (file.isGzip) file.content().release(generation.position);
    const isFull = taken < count || count === batch.capacity;
    this.adaptBlock(generation, consumed, isFull);
    generation.bringsLittle = !isFull && consumed < littleBytes && !file.isGzip;
    const isRestLong = to - behind > this.settings.lineBytesMax;
    const hasMore = !generation.hitEnd || isFull || isRestLong;
    if (!hasMore && behind < to) generation.noteUnfinished(this.clock.monotonicMs());
    await this.emit(batch, generation);
    return hasMore ? 'more' : 'end';
  }

  private adaptBlock(generation: FileGeneration, consumed: number, isFull: boolean): void {
    generation.blockBytes = isFull
      ? Math.min(blockBytesMax, Math.max(blockBytesMin, Math.ceil(consumed * 1.25)))
      : Math.min(blockBytesMax, generation.blockBytes * 2);
  }

  private async emit(batch: Batch, generation: FileGeneration): Promise<void> {
    const position = generation.sendPosition();
    if (batch.count === 0 && position <= generation.sentPosition) {
      this.emitter.discard(batch);
      return;
    }
    generation.sentPosition = position;
    batch.positionEnd = position;
    batch.waitedMs = this.waitedMs;
    await this.emitter.emit(batch);
  }

  // ── lines longer than a block, or than allowed ──────────────────────────────────────────────

  /** The line at the position has no end within a block, or is too long. */
  private async readLongLine(
    file: TailedFile,
    generation: FileGeneration,
    isFinal: boolean,
  ): Promise<TurnResult> {
    const end = await this.measure(file, generation, isFinal);
    if (end.kind === 'unfinished') {
      generation.noteUnfinished(this.clock.monotonicMs());
      return 'end';
    }
    const { longLines, lineBytesMax } = this.settings;
    if (end.kind === 'whole') {
      const result = await this.sendLine(file, generation, end.textBytes, end.bytes);
      if (result !== 'sent') return result;
      return generation.hitEnd && generation.position === generation.seenEnd ? 'end' : 'more';
    }
    if (longLines === 'skip') {
      this.metrics.skippedLines.value++;
      generation.discardFrom = generation.position;
      return 'more';
    }
    const counter = longLines === 'split' ? this.metrics.splitLines : this.metrics.truncatedLines;
    const isCounted = longLines === 'truncate' || !generation.isMidLine();
    const { position } = generation;
    const result = await this.sendLine(file, generation, lineBytesMax, -1, () => {
      if (longLines === 'truncate') generation.discardFrom = position;
    });
    if (result !== 'sent') return result;
    if (isCounted) counter.value++;
    return 'more';
  }

  /** Finds the end of the line at the position without keeping what it reads. */
  private async measure(
    file: TailedFile,
    generation: FileGeneration,
    isFinal: boolean,
  ): Promise<LineEnd> {
    const batch = await this.emitter.batch(generation.source, generation.tag);
    try {
      const unit = this.unitOf(generation);
      const unitBytes = unit === 'bytes' ? 1 : 2;
      const { position } = generation;
      const mark = position === 0 ? await this.markLength(file, generation) : 0;
      const textBegin = position + mark;
      // A line of the greatest length may end with CR and LF.
      const limit = textBegin + this.settings.lineBytesMax + 2 * unitBytes;
      let at = Math.max(generation.searchedTo, textBegin);
      while (at < limit) {
        const asked = Math.min(batch.dataEnd - batch.dataStart, limit - at);
        const begin = batch.dataStart;
        const read = await file.read(batch.bytes, begin, asked, at);
        const feed = findFeed(batch.bytes, begin, begin + read, unit);
        if (feed >= 0) {
          const feedAt = at + feed - begin;
          const textEnd =
            feedAt -
            ((await this.isReturnAt(file, feedAt - unitBytes, unit, textBegin)) ? unitBytes : 0);
          if (textEnd - textBegin > this.settings.lineBytesMax) return { kind: 'too_long' };
          return {
            kind: 'whole',
            textBytes: textEnd - position,
            bytes: feedAt + unitBytes - position,
          };
        }
        at += unitBytes === 2 ? read & ~1 : read;
        generation.seenEnd = Math.max(generation.seenEnd, at);
        if (read < asked) return this.endOfFile(generation, at, textBegin, isFinal);
      }
      return { kind: 'too_long' };
    } finally {
      this.emitter.discard(batch);
    }
  }

  private endOfFile(
    generation: FileGeneration,
    at: number,
    textBegin: number,
    isFinal: boolean,
  ): LineEnd {
    generation.hitEnd = true;
    // One character past the limit may be the first of CR and LF.
    const slack = isFinal ? 0 : generation.encoding?.unit === 'bytes' ? 1 : 2;
    if (at - textBegin > this.settings.lineBytesMax + slack) return { kind: 'too_long' };
    if (!isFinal) {
      generation.searchedTo = at;
      return { kind: 'unfinished' };
    }
    const bytes = at - generation.position;
    return { kind: 'whole', textBytes: bytes, bytes };
  }

  private async markLength(file: TailedFile, generation: FileGeneration): Promise<number> {
    const read = await file.read(this.scratch, 0, 4, 0);
    const mark = byteOrderMark(this.scratch, 0, read);
    return mark !== undefined && mark.encoding === generation.encoding ? mark.length : 0;
  }

  private async isReturnAt(
    file: TailedFile,
    position: number,
    unit: string,
    textBegin: number,
  ): Promise<boolean> {
    if (position < textBegin) return false;
    const bytes = unit === 'bytes' ? 1 : 2;
    await file.read(this.scratch, 0, bytes, position);
    const value = bytes === 1 ? this.scratch[0] : this.scratch[unit === 'utf16le' ? 0 : 1];
    const rest = bytes === 1 ? 0 : this.scratch[unit === 'utf16le' ? 1 : 0];
    return value === 0x0d && rest === 0;
  }

  /** Reads the line at the position and emits it. `bytes` is its length with its end, or -1 for
   *  a piece of a longer line. The file may have changed since it was measured: then nothing is
   *  emitted. `onRead`: it did not. */
  private async sendLine(
    file: TailedFile,
    generation: FileGeneration,
    textBytes: number,
    bytes: number,
    onRead?: () => void,
  ): Promise<'sent' | 'more' | 'replaced'> {
    const mark = generation.position === 0 ? await this.markLength(file, generation) : 0;
    const kept = file.isGzip ? 0 : generation.beforeLength;
    const isPiece = bytes < 0;
    const length = isPiece ? textBytes + mark : bytes;
    const batch = await this.emitter.batch(generation.source, generation.tag, kept + length);
    const from = batch.dataStart + kept;
    const read = await file.read(
      batch.bytes,
      batch.dataStart,
      kept + length,
      generation.position - kept,
    );
    const isSame = isContinued(batch.bytes, batch.dataStart, read, kept, generation);
    const feed = findFeed(
      batch.bytes,
      from + mark,
      from + Math.max(0, read - kept),
      this.unitOf(generation),
    );
    const feedDue =
      isPiece || length === textBytes ? -1 : this.feedBefore(generation, from + length);
    if (!isSame || read < kept + length || feed !== feedDue) {
      this.emitter.discard(batch);
      generation.searchedTo = generation.position;
      file.isReady = true;
      return isSame ? 'more' : 'replaced';
    }
    onRead?.();
    const text = batch.bytes.subarray(from, from + (isPiece ? length : textBytes));
    const cut = isPiece ? (generation.encoding ?? utf8).cut(text) : text.length;
    const spans = this.spansFor(batch, generation);
    spans.start[0] = from + mark;
    spans.end[0] = from + Math.max(cut, mark);
    this.behind = isPiece ? from + Math.max(cut, mark) : from + length;
    await this.send(batch, file, generation, {
      count: 1,
      from,
      begin: from + mark,
      to: this.behind,
    });
    return 'sent';
  }

  private unitOf(generation: FileGeneration): TextEncoding['unit'] {
    return generation.encoding?.unit ?? 'bytes';
  }

  /** Where the line feed stands that ends at `behind`. */
  private feedBefore(generation: FileGeneration, behind: number): number {
    return behind - (this.unitOf(generation) === 'bytes' ? 1 : 2);
  }

  /** Passes over the rest of a line that is not wanted. */
  private async discardRest(
    batch: Batch,
    file: TailedFile,
    generation: FileGeneration,
    from: number,
    to: number,
    isFinal: boolean,
  ): Promise<TurnResult> {
    const unit = this.unitOf(generation);
    const unitBytes = unit === 'bytes' ? 1 : 2;
    const feed = findFeed(batch.bytes, from, to, unit);
    const whole = unitBytes === 2 ? from + ((to - from) & ~1) : to;
    const behind = feed < 0 ? whole : feed + unitBytes;
    const isOver = feed >= 0 || (generation.hitEnd && (isFinal || file.isArchiveRead));
    batch.inputBytes = behind - from;
    generation.consume(generation.position + behind - from, batch.bytes, from, behind);
    if (isOver) generation.discardFrom = -1;
    if (file.isGzip) file.content().release(generation.position);
    await this.emit(batch, generation);
    return generation.hitEnd && behind === to ? 'end' : 'more';
  }
}

/** Where a line ends: `bytes` with its end, `textBytes` without, both from the position on. */
type LineEnd =
  | { readonly kind: 'whole'; readonly textBytes: number; readonly bytes: number }
  | { readonly kind: 'too_long' }
  | { readonly kind: 'unfinished' };

function findFeed(bytes: Buffer, from: number, to: number, unit: string): number {
  if (unit !== 'bytes') return findLineFeedUtf16(bytes, from, to, unit === 'utf16be');
  const found = bytes.subarray(from, to).indexOf(0x0a);
  return found < 0 ? -1 : from + found;
}
