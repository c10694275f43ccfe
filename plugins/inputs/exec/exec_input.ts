import { isUtf8 } from 'node:buffer';
import { resolve } from 'node:path';
import {
  type Batch,
  type BatchEmitter,
  type Field,
  fieldOf,
  type Input,
  type InputContext,
  messageOf,
  type OpenSource,
  valueKind,
} from '../../../core/sdk/index.ts';
import { type CommandResult, runCommand } from '../../shared/child_process/run_command.ts';
import { CollectorSchedule, type Reading } from '../../shared/collect/collector_schedule.ts';
import type { ExecOptions } from './config.ts';
import { jsonSpans, lineSpans, type OutputSpan, wholeSpan } from './output_records.ts';

/** Of standard error, in the log. */
const excerptCharacters = 500;

/** Runs a program at an interval; what it writes becomes records. */
export class ExecInput implements Input {
  private readonly options: ExecOptions;
  private readonly context: InputContext;
  private readonly field: Field;
  private readonly done = new AbortController();
  private running: Promise<void> = Promise.resolve();
  private lastProblem = '';
  private position = 0;

  constructor(options: ExecOptions, context: InputContext) {
    this.options = options;
    this.context = context;
    this.field = fieldOf([options.key]);
  }

  async run(emitter: BatchEmitter, signal: AbortSignal): Promise<void> {
    const { options, context } = this;
    const source = await context.sources.open({ name: context.id });
    const limits = { workers: 1, queue: 1, timeoutMs: options.timeout };
    const schedule = new CollectorSchedule<CommandResult>({
      collectors: [
        {
          name: context.id,
          lane: 'normal',
          intervalMs: options.interval,
          collect: (stop) => this.execute(stop),
        },
      ],
      lanes: { high: limits, normal: limits },
      context,
      deliver: async (_collector, reading) => {
        await this.take(reading, emitter, source);
        if (options.oneshot) this.done.abort();
      },
    });
    await schedule.run(AbortSignal.any([signal, this.done.signal]));
  }

  /** Waits for a command that is being ended. */
  async close(): Promise<void> {
    await this.running;
  }

  private execute(signal: AbortSignal): Promise<CommandResult> {
    const { options, context } = this;
    const { working_directory: directory } = options;
    const running = runCommand({
      command: options.command,
      outputBytesMax: options.output_bytes_max,
      signal,
      cwd: directory === undefined ? undefined : resolve(context.baseDirectory, directory),
      env: { ...process.env, ...options.environment },
    });
    this.running = running.then(nothing, nothing);
    return running;
  }

  private async take(
    reading: Reading<CommandResult>,
    emitter: BatchEmitter,
    source: OpenSource,
  ): Promise<void> {
    const { metrics } = this.context;
    const runs = (result: string): void => {
      metrics.counter('sluice_exec_runs_total', { result }).value++;
    };
    if (reading.kind !== 'done') {
      // The schedule has said why.
      runs(reading.kind === 'timeout' ? 'timeout' : 'not_started');
      return;
    }
    const { exitCode, endedBy, stdout, stderr, droppedBytes } = reading.value;
    runs(exitCode === 0 ? 'ok' : 'failed');
    if (exitCode !== 0) {
      const code = exitCode === undefined ? String(endedBy) : String(exitCode);
      metrics.counter('sluice_exec_exits_total', { code }).value++;
    }
    metrics.counter('sluice_exec_stderr_bytes_total').value += stderr.length;
    metrics.counter('sluice_exec_dropped_bytes_total').value += droppedBytes;
    this.report(reading.value);
    await this.emit(stdout, this.spans(stdout), reading.startedAtMs, emitter, source);
  }

  /** Says what went wrong when it is something else than the last time. */
  private report({ exitCode, endedBy, stderr, droppedBytes }: CommandResult): void {
    const { log } = this.context;
    const text = stderr.toString().trim().slice(-excerptCharacters);
    const problem = JSON.stringify([exitCode, endedBy, droppedBytes > 0]);
    const isGood = exitCode === 0 && droppedBytes === 0;
    if (problem === this.lastProblem || (isGood && this.lastProblem === '')) return;
    this.lastProblem = isGood ? '' : problem;
    const fields = { command: this.options.command[0], exitCode, endedBy, stderr: text };
    if (isGood) log.info(fields, 'The command works again.');
    else if (exitCode !== 0) log.warn(fields, 'The command ended with an error.');
    else {
      log.warn(
        { ...fields, droppedBytes },
        'The output of the command is longer than output_bytes_max: the rest was thrown away.',
      );
    }
  }

  private spans(output: Buffer): readonly OutputSpan[] {
    const bytesMax = this.context.service.eventBytesMax;
    if (this.options.format === 'lines') return lineSpans(output, bytesMax);
    if (this.options.format === 'whole') return wholeSpan(output, bytesMax);
    const { spans, invalid } = jsonSpans(output, bytesMax);
    this.context.metrics.counter('sluice_exec_invalid_json_total').value += invalid;
    return spans;
  }

  private async emit(
    output: Buffer,
    spans: readonly OutputSpan[],
    timeMs: number,
    emitter: BatchEmitter,
    source: OpenSource,
  ): Promise<void> {
    let next = 0;
    while (next < spans.length) {
      const first = spans[next]!;
      const batch = await emitter.batch(source, this.context.tag, first.end - first.start);
      next = this.fill(batch, output, spans, next, timeMs);
      batch.positionEnd = this.position;
      try {
        await emitter.emit(batch);
      } catch (error) {
        throw new Error(`The agent did not take a batch: ${messageOf(error)}`, { cause: error });
      }
    }
  }

  private fill(
    batch: Batch,
    output: Buffer,
    spans: readonly OutputSpan[],
    from: number,
    timeMs: number,
  ): number {
    const seconds = Math.floor(timeMs / 1000);
    const nanos = Math.floor((timeMs - seconds * 1000) * 1e6);
    let to = batch.dataStart;
    let next = from;
    for (; next < spans.length && batch.count < batch.capacity; next++) {
      const { start, end, isObject } = spans[next]!;
      if (to + end - start > batch.dataEnd) break;
      output.copy(batch.bytes, to, start, end);
      const index = batch.addEvent(this.position, this.position + 1, seconds, nanos);
      this.position++;
      const isText = isUtf8(output.subarray(start, end));
      if (isObject && isText) batch.setRoot(index, to, to + end - start);
      else {
        const column = batch.column(this.field)!;
        if (isText) batch.setSpan(column, index, to, to + end - start, valueKind.text);
        else {
          this.context.metrics.counter('sluice_input_invalid_utf8_lines_total').value++;
          batch.setText(column, index, output.toString('utf8', start, end));
        }
      }
      to += end - start;
    }
    batch.inputBytes = to - batch.dataStart;
    return next;
  }
}

function nothing(): void {}
