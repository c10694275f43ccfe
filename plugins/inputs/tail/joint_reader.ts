import {
  type Batch,
  type BatchEmitter,
  layout,
  type PluginContext,
  splitLines,
} from '../../../core/sdk/index.ts';
import { recordsPerLineMax } from '../../shared/multiline/index.ts';
import { isContinued } from './content_relation.ts';
import type { FileGeneration } from './file_generation.ts';
import type { RecordWriter } from './record_writer.ts';
import { behindLine, type LineSpans, lineSpans } from './split_lines.ts';
import type { TailedFile } from './tailed_file.ts';
import type { TailSettings } from './tail_settings.ts';

/** What a file may bring in such a turn. */
const jointReadBytes = 16 * 1024;
/** A batch that has room for fewer lines goes on its way. */
const linesMin = 256;

/** Reads files that bring a few lines each, one behind the other into one batch, at once and without
 *  waiting: most of what a batch costs on its way does not depend on its size. */
export class JointReader {
  private readonly settings: TailSettings;
  private readonly writer: RecordWriter;
  private readonly emitter: BatchEmitter;
  private readonly clock: PluginContext['clock'];
  private readonly kernel: PluginContext['kernel'];
  private batch: Batch | undefined;
  /** Where the next file's bytes go. */
  private at = 0;
  /** Spans of lines that do not become records one by one. */
  private spans: ReturnType<typeof lineSpans>;

  constructor(
    settings: TailSettings,
    writer: RecordWriter,
    emitter: BatchEmitter,
    context: PluginContext,
  ) {
    this.settings = settings;
    this.writer = writer;
    this.emitter = emitter;
    this.clock = context.clock;
    this.kernel = context.kernel;
    this.spans = lineSpans(layout.eventsMax, context.kernel);
  }

  /** True for a file that can be read so. */
  suits(file: TailedFile): boolean {
    // hot path
    const { generation } = file;
    if (generation === undefined || !generation.bringsLittle || !file.isPlain) return false;
    const { encoding, multiline, discardFrom, position } = generation;
    if (encoding?.unit !== 'bytes' || encoding.decode !== undefined || position === 0) {
      return false;
    }
    if (multiline !== undefined && multiline.watchedBytesMin <= jointReadBytes) return false;
    // A parser takes whole batches.
    if (discardFrom >= 0 || this.settings.parser !== undefined) return false;
    return this.emitter.mixesSources === true;
  }

  /** There is a batch for another file to be read into. */
  get hasRoom(): boolean {
    const { batch, at } = this;
    if (batch === undefined) return false;
    return batch.capacity - batch.count >= linesMin && batch.dataEnd - at >= 2 * jointReadBytes;
  }

  /** Sends what was read and takes an empty batch. */
  async begin({ source, tag }: FileGeneration, waitedMs: number): Promise<void> {
    await this.send(waitedMs);
    this.batch = await this.emitter.batch(source, tag);
    this.at = this.batch.dataStart;
  }

  /** Reads what a file has new into the batch. False, and nothing is changed, when that is more than
   *  a little, or not what is wanted. Throws the errors of the file system. */
  read(file: TailedFile, generation: FileGeneration): boolean {
    // hot path
    const batch = this.batch!;
    const { at } = this;
    const kept = generation.beforeLength;
    const asked = kept + jointReadBytes;
    const read = file.readSoon(batch.bytes, at, asked, generation.position - kept);
    if (read === asked || !isContinued(batch.bytes, at, read, kept, generation)) return false;
    const from = at + kept;
    const to = at + read;
    if (to - from > this.settings.lineBytesMax) return false;
    const first = batch.count;
    const spans = this.spansFor(batch, generation);
    const room = Math.min(batch.capacity - first, layout.eventsMax);
    const count = splitLines(this.kernel, batch.bytes, from, to, spans.start, spans.end, room);
    const most = generation.multiline === undefined ? count + 1 : count * recordsPerLineMax + 1;
    if (most > room) return false;
    generation.hitEnd = true;
    const seenEnd = generation.position + to - from;
    // An unfinished line that is read again is nothing new.
    if (seenEnd > generation.seenEnd) file.activeMs = this.clock.monotonicMs();
    generation.seenEnd = seenEnd;
    const behind = count === 0 ? from : behindLine(batch.bytes, spans.end[count - 1]!);
    if (count > 0) {
      const { position } = generation;
      this.writer.write(batch, generation, { spans, count, from, behind, position });
      batch.inputBytes += behind - from;
      generation.consume(position + behind - from, batch.bytes, from, behind);
      const sent = generation.sendPosition();
      if (batch.count > first || sent > generation.sentPosition) {
        generation.sentPosition = sent;
        batch.addStretch(generation.source, generation.tag, first, sent);
      }
      this.at = to;
    }
    if (behind < to) generation.noteUnfinished(this.clock.monotonicMs());
    return true;
  }

  /** Sends what was read. Before any other batch of the same files. */
  async send(waitedMs: number): Promise<void> {
    const { batch } = this;
    if (batch === undefined) return;
    this.batch = undefined;
    const { stretches } = batch;
    if (stretches.length === 0) {
      this.emitter.discard(batch);
      return;
    }
    if (stretches.length === 1) {
      batch.positionEnd = stretches[0]!.positionEnd;
      stretches.length = 0;
    }
    batch.waitedMs = waitedMs;
    await this.emitter.emit(batch);
  }

  /** Gives back what was read and not sent: it stays with its files. */
  drop(): void {
    if (this.batch !== undefined) this.emitter.discard(this.batch);
    this.batch = undefined;
  }

  close(): void {
    this.spans.release();
    this.spans = lineSpans(0);
  }

  /** Where spans go: straight into the key's column, unless records are made of several lines. */
  private spansFor(batch: Batch, generation: FileGeneration): LineSpans {
    if (generation.multiline !== undefined) return this.spans;
    const { start, end } = batch.column(this.settings.key)!;
    return { start: start.subarray(batch.count), end: end.subarray(batch.count) };
  }
}
