import { isUtf8 } from 'node:buffer';
import {
  type Batch,
  type BatchEmitter,
  defineInput,
  type Field,
  fieldOf,
  type Input,
  type InputContext,
  type OpenSource,
  valueKind,
} from '../../../core/sdk/index.ts';
import { LineParsing } from '../../shared/parsing/line_parsing.ts';
import { type StdinOptions, schema } from './config.ts';

/** Reads lines from standard input until it ends. */
export const plugin = defineInput<StdinOptions>({
  name: 'stdin',
  summary: 'Reads lines from standard input until it ends.',
  stability: 'beta',
  schema,
  example: `pipeline:
  inputs:
    - name: stdin
      parser: json
  outputs:
    - name: stdout
      match: '*'
`,
  isFinite: () => true,
  create: (options, context) => new StdinInput(options, context, () => process.stdin),
});

const newline = 0x0a;

class StdinInput implements Input {
  private readonly context: InputContext;
  private readonly field: Field;
  private readonly parsing: LineParsing | undefined;
  private readonly take: () => NodeJS.ReadableStream;
  private position = 0;
  private readonly truncated: { value: number };
  private readonly invalid: { value: number };

  constructor(options: StdinOptions, context: InputContext, open: () => NodeJS.ReadableStream) {
    this.context = context;
    this.field = fieldOf([options.key]);
    if (options.parser !== undefined) {
      this.parsing = new LineParsing(context.parser(options.parser), this.field, context);
    }
    this.take = open;
    this.truncated = context.metrics.counter('sluice_input_truncated_lines_total');
    this.invalid = context.metrics.counter('sluice_input_invalid_utf8_lines_total');
  }

  async run(emitter: BatchEmitter, signal: AbortSignal): Promise<void> {
    const source = await this.context.sources.open({ name: 'stdin' });
    const limit = this.context.service.eventBytesMax;
    let rest: Buffer = Buffer.alloc(0);
    if (signal.aborted) return;
    // Taken only now: looking at standard input opens it.
    const stream = this.take() as NodeJS.ReadStream;
    const stop = () => stream.destroy();
    signal.addEventListener('abort', stop, { once: true });
    try {
      for await (const chunk of stream) {
        // The stream has no encoding set: its chunks are buffers.
        rest = Buffer.concat([rest, chunk as Buffer]);
        const end = rest.lastIndexOf(newline) + 1;
        if (end > 0) await this.emitLines(emitter, source, rest.subarray(0, end));
        rest = rest.subarray(end);
        if (rest.length > limit) rest = await this.cutLongLine(emitter, source, rest, limit);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      signal.removeEventListener('abort', stop);
    }
    if (rest.length > 0) await this.emitLines(emitter, source, rest);
  }

  async close(): Promise<void> {
    this.parsing?.close();
  }

  /** A line past the limit goes on in pieces, each counted. */
  private async cutLongLine(
    emitter: BatchEmitter,
    source: OpenSource,
    rest: Buffer,
    limit: number,
  ): Promise<Buffer> {
    this.truncated.value++;
    await this.emitLines(emitter, source, rest.subarray(0, limit));
    return rest.subarray(limit);
  }

  private async emitLines(emitter: BatchEmitter, source: OpenSource, lines: Buffer): Promise<void> {
    let at = 0;
    while (at < lines.length) {
      const first = lineEnd(lines, at);
      const batch = await emitter.batch(source, this.context.tag, first - at);
      const room = batch.dataEnd - batch.dataStart;
      at = this.fill(batch, lines, at, room);
      batch.positionEnd = this.position;
      this.parsing?.apply(batch);
      await emitter.emit(batch);
    }
  }

  /** Copies whole lines into the batch; returns the position behind the last one. */
  private fill(batch: Batch, lines: Buffer, from: number, room: number): number {
    // hot path
    const column = batch.column(this.field)!;
    const now = this.context.clock.nowMs();
    const seconds = Math.floor(now / 1000);
    const nanos = Math.floor((now % 1000) * 1e6);
    let at = from;
    let to = batch.dataStart;
    while (at < lines.length && batch.count < batch.capacity) {
      const next = lineEnd(lines, at);
      if (next - from > room) break;
      lines.copy(batch.bytes, to, at, next);
      const end = textEnd(lines, at, next);
      const index = batch.addEvent(this.position, this.position + next - at, seconds, nanos);
      if (isUtf8(lines.subarray(at, end))) {
        batch.setSpan(column, index, to, to + end - at, valueKind.text);
      } else {
        this.invalid.value++;
        batch.setText(column, index, lines.toString('utf8', at, end));
      }
      to += next - at;
      this.position += next - at;
      at = next;
    }
    batch.inputBytes = at - from;
    return at;
  }
}

/** Position behind the line that begins at `from`, its newline included. */
function lineEnd(bytes: Buffer, from: number): number {
  const found = bytes.indexOf(newline, from);
  return found < 0 ? bytes.length : found + 1;
}

/** End of a line's text: without its newline and a carriage return before that. */
function textEnd(bytes: Buffer, start: number, next: number): number {
  let end = next;
  if (end > start && bytes[end - 1] === newline) {
    end--;
    if (end > start && bytes[end - 1] === 0x0d) end--;
  }
  return end;
}
