import { closeSync, fstatSync, openSync } from 'node:fs';
import {
  type BatchEmitter,
  type Input,
  type InputContext,
  messageOf,
  pause,
  SluiceError,
} from '../../../core/sdk/index.ts';
import { type FileFacts, factsOf } from '../../shared/file_finder/file_facts.ts';
import { FileFinder } from '../../shared/file_finder/file_finder.ts';
import { pathTag } from '../../shared/file_finder/path_tag.ts';
import { chunkBytes } from './chunk.ts';
import type { EvtxOptions } from './config.ts';
import { type EvtxMetrics, evtxMetrics } from './evtx_metrics.ts';
import { scanFile } from './file_scan.ts';
import { LogFile } from './log_file.ts';
import { LogReader, reportPlace } from './log_reader.ts';
import { LogStore } from './log_store.ts';
import { positionOf } from './positions.ts';

/** Chunks that one file brings before others have their turn: 8 MiB. */
const turnChunks = 128;
/** Looking for files takes at most a twentieth of the time. */
const lookShare = 20;
const saidMax = 1000;

/** Reads event log files, one after another, and looks for what is added to them. */
export class EvtxInput implements Input {
  private readonly options: EvtxOptions;
  private readonly context: InputContext;
  private readonly metrics: EvtxMetrics;
  private readonly finder: FileFinder;
  private readonly store: LogStore;
  private readonly files = new Map<string, LogFile>();
  private readonly said = new Set<string>();
  private reader!: LogReader;

  constructor(options: EvtxOptions, context: InputContext) {
    this.options = options;
    this.context = context;
    this.metrics = evtxMetrics(context.metrics);
    this.finder = new FileFinder(options.path, options.exclude_path ?? [], context.baseDirectory);
    this.store = new LogStore(context);
  }

  async run(emitter: BatchEmitter, signal: AbortSignal): Promise<void> {
    const { clock, log } = this.context;
    this.reader = new LogReader(this.options, this.metrics, this.context, emitter);
    await this.look(true);
    log.info({ files: this.files.size }, 'Reading event log files.');
    let isFirst = true;
    while (!signal.aborted) {
      for (const file of [...this.files.values()]) {
        if (signal.aborted) return;
        if (file.isReady) await this.takeTurn(file, signal);
      }
      if (isFirst) this.store.dropStale();
      isFirst = false;
      if ([...this.files.values()].some((file) => file.isReady)) continue;
      if (this.options.exit_on_eof) return;
      await pause(clock, this.options.refresh_interval, signal);
      if (signal.aborted) return;
      const beganMs = clock.monotonicMs();
      await this.look(false);
      await pause(clock, (clock.monotonicMs() - beganMs) * lookShare, signal);
    }
  }

  async close(): Promise<void> {
    for (const file of this.files.values()) this.store.close(file);
    this.files.clear();
    this.store.closeAll();
  }

  // ── files ───────────────────────────────────────────────────────────────────────────────────

  private async look(isStart: boolean): Promise<void> {
    const findings = await this.finder.find();
    for (const [path, problem] of findings.problems) this.say(path, problem);
    this.follow(findings.files);
    for (const [path, facts] of findings.files) {
      const known = this.files.get(path);
      if (known === undefined) {
        const file = new LogFile(path, facts, pathTag(this.context.tag, path), isStart);
        file.setMembers(this.options.path_key);
        this.files.set(path, file);
        continue;
      }
      const { key, size, modifiedMs } = known.facts;
      known.isQuiet = key === facts.key && size === facts.size && modifiedMs === facts.modifiedMs;
      known.facts = facts;
      if (!known.isQuiet || known.isWaiting) known.isReady = true;
    }
    for (const file of this.files.values()) {
      if (!file.isGone || !file.isSettled) continue;
      this.store.close(file);
      this.files.delete(file.path);
    }
    this.store.collect();
  }

  /** Finds the logs that have another name now, as when they are archived. */
  private follow(found: ReadonlyMap<string, FileFacts>): void {
    const paths = new Map<string, string>();
    for (const [path, { key }] of found) paths.set(key, path);
    this.store.foundKeys = paths;
    for (const file of [...this.files.values()]) {
      const now = found.get(file.path);
      const place = paths.get(file.facts.key);
      file.isGone = now === undefined;
      if (now?.key === file.facts.key || place === undefined || this.files.has(place)) continue;
      this.files.delete(file.path);
      file.path = place;
      file.isGone = false;
      file.setMembers(this.options.path_key);
      this.files.set(place, file);
    }
  }

  private say(path: string, problem: string): void {
    const text = `${path}: ${problem}`;
    if (this.said.has(text) || this.said.size >= saidMax) return;
    this.said.add(text);
    this.metrics.unreadableFiles.value++;
    this.context.log.warn({ path, error: problem }, 'A file cannot be read as an event log.');
  }

  // ── reading ─────────────────────────────────────────────────────────────────────────────────

  private async takeTurn(file: LogFile, signal: AbortSignal): Promise<void> {
    let descriptor = -1;
    try {
      descriptor = openSync(file.path, 'r');
      this.reader.forget();
      const isReady = await this.readSome(descriptor, file, signal);
      file.isReady = isReady && !signal.aborted;
    } catch (error) {
      this.reader.drop();
      file.scan = undefined;
      file.isReady = false;
      if (isRetryable(error)) {
        // Checkpoints cannot be written now: the next look tries again.
        file.isWaiting = true;
      } else if (!isFileError(error)) throw error;
      this.say(file.path, messageOf(error));
    } finally {
      if (descriptor >= 0) closeSync(descriptor);
    }
  }

  /** Reads chunks; true when there are more. */
  private async readSome(descriptor: number, file: LogFile, signal: AbortSignal): Promise<boolean> {
    if (file.scan === undefined) file.isWaiting = false;
    const scan = file.scan ?? (await this.scan(descriptor, file));
    if (scan === undefined || file.source === undefined) return false;
    const { chunks } = scan;
    let left = turnChunks;
    let result = 'read';
    while (file.scanAt < chunks.length && result === 'read') {
      if (left === 0 || signal.aborted) break;
      const chunk = chunks[file.scanAt]!;
      if (positionOf(chunk.key, chunkBytes) > file.position) {
        result = await this.reader.read(descriptor, file, scan, chunk);
        left--;
      }
      if (result === 'read') file.scanAt++;
    }
    await this.reader.flush(file);
    const hasMore = file.scanAt < chunks.length && result === 'read';
    if (!hasMore) file.scan = undefined;
    if (result === 'wait') file.isWaiting = true;
    return hasMore || result === 'changed';
  }

  /** Looks at the headers, and finds out whether it is still the log that was read. */
  private async scan(descriptor: number, file: LogFile): Promise<LogFile['scan']> {
    const facts = factsOf(fstatSync(descriptor, { bigint: true }));
    const scan = await scanFile(descriptor, facts.size, this.options.read_damaged_chunks);
    if (scan === undefined) {
      this.say(
        file.path,
        'It is no event log: it begins with neither a file header nor a chunk. Leave it out by exclude_path.',
      );
      return undefined;
    }
    const isLog = file.source !== undefined;
    if (isLog && this.store.relation(file, scan, descriptor) === 'other') {
      this.context.log.info(
        { path: file.path },
        'The file holds another log now: it is read anew.',
      );
      this.store.replace(file);
    }
    if (file.source === undefined) {
      const isFromHead = this.options.read_from_head || !file.isFirst || isLog;
      const newest = isFromHead ? undefined : scan.chunks.at(-1);
      const start = newest === undefined ? 0 : await this.reader.endOf(descriptor, scan, newest);
      await this.store.open(file, scan, descriptor, start);
    }
    for (const place of scan.damaged) {
      // What is being written may be damaged for a moment.
      const isLast = place.index === lastIndex(scan);
      if (isLast && !this.options.exit_on_eof && !file.isQuiet) {
        file.isWaiting = true;
        continue;
      }
      reportPlace(file, this.metrics, this.context, {
        ...place,
        reason: `${place.reason}; it is skipped: see read_damaged_chunks`,
      });
    }
    file.scan = scan;
    file.scanAt = 0;
    return scan;
  }
}

function lastIndex(scan: NonNullable<LogFile['scan']>): number {
  const places = [...scan.chunks, ...scan.damaged];
  return places.reduce((most, { index }) => Math.max(most, index), -1);
}

function isRetryable(error: unknown): boolean {
  return error instanceof SluiceError && error.kind === 'retryable';
}

function isFileError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}
