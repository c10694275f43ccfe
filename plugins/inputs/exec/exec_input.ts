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
import {
  type Collector,
  CollectorSchedule,
  type Reading,
} from '../../shared/collect/collector_schedule.ts';
import { type Lanes, lanesOf } from '../../shared/collect/lanes.ts';
import { type Command, commandsOf } from './commands.ts';
import type { ExecOptions } from './config.ts';
import { jsonSpans, lineSpans, type OutputSpan, wholeSpan } from './output_records.ts';

/** Of standard error, in the log. */
const excerptCharacters = 500;
/** Between the runs of a command that runs once. */
const endlessMs = Number.MAX_SAFE_INTEGER;

interface CommandCollector extends Collector<CommandResult> {
  readonly command: Command;
}

/** Runs programs at intervals; what they write becomes records. */
export class ExecInput implements Input {
  private readonly options: ExecOptions;
  private readonly context: InputContext;
  private readonly field: Field;
  private readonly commands: readonly Command[];
  private readonly running = new Set<Promise<unknown>>();
  private readonly problems = new Map<Command, string>();
  private position = 0;
  private lastEmit: Promise<void> = Promise.resolve();

  constructor(options: ExecOptions, context: InputContext) {
    this.options = options;
    this.context = context;
    this.field = fieldOf([options.key]);
    this.commands = commandsOf(options, context.id);
  }

  async run(emitter: BatchEmitter, signal: AbortSignal): Promise<void> {
    const { options, context } = this;
    const source = await context.sources.open({ name: context.id });
    const done = new AbortController();
    let left = this.commands.length;
    const schedule = new CollectorSchedule<CommandResult>({
      collectors: this.commands.map(
        (command): CommandCollector => ({
          name: command.name,
          lane: command.lane,
          intervalMs: options.oneshot ? endlessMs : command.intervalMs,
          timeoutMs: command.timeoutMs,
          command,
          collect: (stop) => this.execute(command, stop),
        }),
      ),
      lanes: this.lanes(),
      context,
      deliver: async (collector, reading) => {
        // Made above: each is of a command.
        await this.take((collector as CommandCollector).command, reading, emitter, source);
        if (options.oneshot && --left === 0) done.abort();
      },
    });
    await schedule.run(AbortSignal.any([signal, done.signal]));
  }

  /** Waits for commands that are being ended. */
  async close(): Promise<void> {
    await Promise.all(this.running);
  }

  /** What runs once has no next round: all of it may wait. */
  private lanes(): Lanes {
    const { high, normal } = lanesOf(this.options);
    if (!this.options.oneshot) return { high, normal };
    const queue = this.commands.length;
    return { high: { ...high, queue }, normal: { ...normal, queue } };
  }

  private execute(command: Command, signal: AbortSignal): Promise<CommandResult> {
    const { options, context } = this;
    const { working_directory: directory } = options;
    const running = runCommand({
      command: command.argv,
      outputBytesMax: options.output_bytes_max,
      signal,
      cwd: directory === undefined ? undefined : resolve(context.baseDirectory, directory),
      env: { ...process.env, ...options.environment },
    });
    const ended = running.then(nothing, nothing);
    this.running.add(ended);
    ended.then(() => this.running.delete(ended));
    return running;
  }

  private async take(
    command: Command,
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
    this.report(command, reading.value);
    const tag = this.context.tag.replace('*', command.name);
    const spans = this.spans(stdout);
    // One at a time: a batch vouches for all positions before its end.
    const work = this.lastEmit.then(() =>
      this.emit({ bytes: stdout, spans, tag, timeMs: reading.startedAtMs }, emitter, source),
    );
    this.lastEmit = work.catch(nothing);
    await work;
  }

  /** Says what went wrong when it is something else than the last time. */
  private report(command: Command, result: CommandResult): void {
    const { exitCode, endedBy, stderr, droppedBytes } = result;
    const { log } = this.context;
    const text = stderr.toString().trim().slice(-excerptCharacters);
    const problem = JSON.stringify([exitCode, endedBy, droppedBytes > 0]);
    const isGood = exitCode === 0 && droppedBytes === 0;
    const last = this.problems.get(command);
    if (problem === last || (isGood && last === undefined)) return;
    if (isGood) this.problems.delete(command);
    else this.problems.set(command, problem);
    const [program] = command.argv;
    const fields = { name: command.name, command: program, exitCode, endedBy, stderr: text };
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

  private async emit(output: Output, emitter: BatchEmitter, source: OpenSource): Promise<void> {
    const { spans, tag } = output;
    let next = 0;
    while (next < spans.length) {
      const first = spans[next]!;
      const batch = await emitter.batch(source, tag, first.end - first.start);
      next = this.fill(batch, output, next);
      batch.positionEnd = this.position;
      try {
        await emitter.emit(batch);
      } catch (error) {
        throw new Error(`The agent did not take a batch: ${messageOf(error)}`, { cause: error });
      }
    }
  }

  private fill(batch: Batch, { bytes, spans, timeMs }: Output, from: number): number {
    const seconds = Math.floor(timeMs / 1000);
    const nanos = Math.floor((timeMs - seconds * 1000) * 1e6);
    let to = batch.dataStart;
    let next = from;
    for (; next < spans.length && batch.count < batch.capacity; next++) {
      const { start, end, isObject } = spans[next]!;
      if (to + end - start > batch.dataEnd) break;
      bytes.copy(batch.bytes, to, start, end);
      const index = batch.addEvent(this.position, this.position + 1, seconds, nanos);
      this.position++;
      const isText = isUtf8(bytes.subarray(start, end));
      if (isObject && isText) batch.setRoot(index, to, to + end - start);
      else {
        const column = batch.column(this.field)!;
        if (isText) batch.setSpan(column, index, to, to + end - start, valueKind.text);
        else {
          this.context.metrics.counter('sluice_input_invalid_utf8_lines_total').value++;
          batch.setText(column, index, bytes.toString('utf8', start, end));
        }
      }
      to += end - start;
    }
    batch.inputBytes = to - batch.dataStart;
    return next;
  }
}

/** What a run wrote. */
interface Output {
  readonly bytes: Buffer;
  readonly spans: readonly OutputSpan[];
  readonly tag: string;
  /** Unix milliseconds. */
  readonly timeMs: number;
}

function nothing(): void {}
