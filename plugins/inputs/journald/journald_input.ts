import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import {
  type Batch,
  type BatchEmitter,
  type Counter,
  type Input,
  type InputContext,
  messageOf,
  type OpenSource,
  pause,
} from '../../../core/sdk/index.ts';
import { PositionMarks } from '../../shared/position_marks/position_marks.ts';
import type { JournaldOptions } from './config.ts';
import { type EntryRecord, entryRecord } from './entry_record.ts';
import { ExportParser, type JournalEntry } from './export_parser.ts';
import { type JournalMark, readMark } from './journal_mark.ts';
import { type JournalEnd, runJournalctl } from './journal_process.ts';

const checkpointKey = 'journal';
const restartMsMin = 1000;
const restartMsMax = 60_000;
/** Entries between two marks within a batch: a restart reads so many again, and outputs skip them. */
const markEvery = 64;

/** Follows systemd's journal through `journalctl`.
 *
 *  The position of an entry is the time at which the journal took it, in microseconds, or one more
 *  than the entry before it: it is the same when the entry is read again, also when older ones were
 *  deleted meanwhile. The checkpoint has the cursor that belongs to the position. */
export class JournaldInput implements Input {
  private readonly options: JournaldOptions;
  private readonly context: InputContext;
  private readonly cut: Counter;
  private readonly invalid: Counter;
  private readonly dropped: Counter;
  private readonly restarts: Counter;
  private readonly lost: Counter;
  private marks = new PositionMarks<JournalMark>({ position: 0 });
  private position = 0;
  private place: readonly string[] = [];
  /** The cursor is of no use: go on by time. */
  private bySeconds = false;

  constructor(options: JournaldOptions, context: InputContext) {
    this.options = options;
    this.context = context;
    const { metrics } = context;
    this.cut = metrics.counter('sluice_journald_cut_fields_total');
    this.invalid = metrics.counter('sluice_journald_invalid_utf8_fields_total');
    this.dropped = metrics.counter('sluice_journald_dropped_fields_total');
    this.restarts = metrics.counter('sluice_journald_restarts_total');
    this.lost = metrics.counter('sluice_journald_cursors_lost_total');
  }

  async run(emitter: BatchEmitter, signal: AbortSignal): Promise<void> {
    await this.findPlace();
    const source = await this.openSource(signal);
    let failures = 0;
    while (!signal.aborted) {
      const before = this.position;
      const problem = await this.follow(emitter, source, signal);
      if (signal.aborted) break;
      failures = this.position > before ? 1 : failures + 1;
      this.restarts.value++;
      this.context.setHealth(problem);
      if (failures === 1) {
        this.context.log.warn({ problem }, 'journalctl ended; it is started again.');
      }
      const waitMs = Math.min(restartMsMin * 2 ** (failures - 1), restartMsMax);
      await pause(this.context.clock, waitMs, signal);
    }
    source.close();
  }

  /** `path` may name a directory or a file. */
  private async findPlace(): Promise<void> {
    const { path } = this.options;
    if (path === undefined) return;
    const full = resolve(this.context.baseDirectory, path);
    const isFile = await stat(full).then(
      (facts) => facts.isFile(),
      () => false,
    );
    this.place = [isFile ? `--file=${full}` : `--directory=${full}`];
  }

  private async openSource(signal: AbortSignal): Promise<OpenSource> {
    const { sources } = this.context;
    const stored = sources.checkpoints().get(checkpointKey);
    let start = readMark(stored?.identity);
    if (start === undefined) {
      start = this.options.read_from_tail ? await this.newestMark(signal) : { position: 0 };
    }
    this.marks = new PositionMarks(start);
    this.position = start.position;
    return sources.open({
      name: 'journal',
      checkpointKey,
      startPosition: start.position,
      ...(stored === undefined
        ? {}
        : { generation: stored.generation, positions: stored.positions }),
      identity: async (position) => this.marks.at(position),
      onSettled: (position) => this.marks.settle(position),
    });
  }

  /** The place behind the newest entry; the beginning of an empty journal. */
  private async newestMark(signal: AbortSignal): Promise<JournalMark> {
    let mark: JournalMark = { position: 0 };
    const parser = this.parser((entry) => {
      const { cursor, realtimeMicros } = entryRecord(entry, formOf(this.options));
      mark = { cursor, position: realtimeMicros + 1 };
    });
    const command = [...this.command(), '--lines=1'];
    try {
      await runJournalctl(command, signal, async (piece) => parser.push(piece));
    } catch (error) {
      // Found again, and said, where the journal is followed.
      this.context.log.debug({ error: messageOf(error) }, 'The end of the journal is not known.');
    }
    return mark;
  }

  /** Reads until journalctl ends; gives why it did. */
  private async follow(
    emitter: BatchEmitter,
    source: OpenSource,
    signal: AbortSignal,
  ): Promise<string> {
    const entries: JournalEntry[] = [];
    const parser = this.parser((entry) => entries.push(entry));
    const command = [
      ...this.command(),
      '--follow',
      '--no-tail',
      ...this.from(),
      ...filtersOf(this.options),
    ];
    const hadCursor = this.marks.last.cursor !== undefined && !this.bySeconds;
    const before = this.position;
    let end: JournalEnd;
    try {
      end = await runJournalctl(command, signal, async (piece) => {
        parser.push(piece);
        if (entries.length === 0) return;
        this.context.setHealth(undefined);
        this.bySeconds = false;
        await this.emit(entries.splice(0), emitter, source);
      });
    } catch (error) {
      // A batch that the engine did not take ends the input; what is left is the program's.
      if (error instanceof NotTaken) throw error.cause;
      return `${this.options.journalctl} cannot be used: ${messageOf(error)}`;
    }
    if (hadCursor && this.position === before && /seek to cursor/i.test(end.stderr)) {
      this.bySeconds = true;
      this.lost.value++;
    }
    const how = end.exitCode === undefined ? 'by a signal' : `with code ${end.exitCode}`;
    return `journalctl ended ${how}${end.stderr === '' ? '' : `: ${end.stderr}`}`;
  }

  private parser(onEntry: (entry: JournalEntry) => void): ExportParser {
    const limits = {
      fieldBytesMax: this.options.field_bytes_max,
      fieldsMax: this.options.max_fields,
      entryBytesMax: this.context.service.eventBytesMax,
    };
    return new ExportParser(limits, onEntry);
  }

  private command(): string[] {
    return [this.options.journalctl, '--output=export', '--no-pager', '--quiet', ...this.place];
  }

  /** Behind the last entry that was read. */
  private from(): string[] {
    const { cursor, position } = this.marks.last;
    if (this.bySeconds) return [`--since=@${Math.floor(position / 1e6)}`];
    return cursor === undefined ? [] : [`--after-cursor=${cursor}`];
  }

  private async emit(
    entries: readonly JournalEntry[],
    emitter: BatchEmitter,
    source: OpenSource,
  ): Promise<void> {
    const form = formOf(this.options);
    const records = entries.map((entry) => {
      this.dropped.value += entry.droppedFields;
      const record = entryRecord(entry, form);
      this.cut.value += record.cutFields;
      this.invalid.value += record.invalidFields;
      return record;
    });
    try {
      for (let next = 0; next < records.length; ) {
        const bytes = records[next]!.json.length;
        const batch = await emitter.batch(source, this.context.tag, bytes);
        next = this.fill(batch, records, next);
        batch.positionEnd = this.position;
        await emitter.emit(batch);
      }
    } catch (error) {
      throw new NotTaken('The agent did not take a batch.', { cause: error });
    }
  }

  private fill(batch: Batch, records: readonly EntryRecord[], from: number): number {
    const { tag } = this.context;
    const isByUnit = tag.includes('*');
    let to = batch.dataStart;
    let next = from;
    for (; next < records.length && batch.count < batch.capacity; next++) {
      const { json, realtimeMicros, unit } = records[next]!;
      if (to + json.length > batch.dataEnd) break;
      const offset = Math.max(this.position, realtimeMicros);
      this.position = offset + 1;
      const seconds = Math.floor(realtimeMicros / 1e6);
      const nanos = Math.round(realtimeMicros - seconds * 1e6) * 1000;
      json.copy(batch.bytes, to);
      const index = batch.addEvent(offset, this.position, seconds, nanos);
      batch.setRoot(index, to, to + json.length);
      to += json.length;
      if (isByUnit) batch.setTag(index, tag.replace('*', unit === '' ? 'unknown' : unit));
      if (batch.count % markEvery === 0) this.mark(records[next]!);
    }
    if (next > from) this.mark(records[next - 1]!);
    batch.inputBytes = to - batch.dataStart;
    return next;
  }

  private mark({ cursor }: EntryRecord): void {
    if (cursor !== '') this.marks.add({ cursor, position: this.position });
  }
}

/** The engine is at its end, or at fault: no matter of the journal. */
class NotTaken extends Error {}

function formOf(options: JournaldOptions): { lowercase: boolean; stripUnderscores: boolean } {
  return { lowercase: options.lowercase, stripUnderscores: options.strip_underscores };
}

/** journalctl takes the filters of one field for alternatives, and fields together; `+` between
 *  two makes alternatives of them. */
function filtersOf(options: JournaldOptions): string[] {
  const { systemd_filter: filters, systemd_filter_type: type } = options;
  if (type.toLowerCase() === 'and') return [...filters];
  return filters.flatMap((filter, at) => (at === 0 ? [filter] : ['+', filter]));
}
