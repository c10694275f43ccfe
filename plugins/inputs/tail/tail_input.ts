import {
  type BatchEmitter,
  type Input,
  type InputContext,
  messageOf,
  pause,
} from '../../../core/sdk/index.ts';
import type { FileFacts } from '../../shared/file_finder/file_facts.ts';
import { GzipDamageError } from '../../shared/gzip/gzip_chunks.ts';
import { Admission } from './admission.ts';
import { BlockReader } from './block_reader.ts';
import { hasBeginning, isIntact, noteSize } from './content_relation.ts';
import { FileDiscovery, isRetryable } from './file_discovery.ts';
import type { FileGeneration } from './file_generation.ts';
import { GenerationStore } from './generation_store.ts';
import { JointReader } from './joint_reader.ts';
import { OpenFiles } from './open_files.ts';
import type { Orphan } from './orphans.ts';
import { isFileError, ReadRounds } from './read_rounds.ts';
import { RecordWriter } from './record_writer.ts';
import { SweepPace } from './sweep_pace.ts';
import type { TailedFile } from './tailed_file.ts';
import { type TailMetrics, tailMetrics } from './tail_metrics.ts';
import type { TailSettings } from './tail_settings.ts';

/** How often a quiet file's size is looked at: truncations show only there. */
const lookMs = 1000;
/** How often is asked whether all was read. */
const catchUpMs = 5;
/** Looks at the directories that must have missed a file before it is taken for gone. */
const missedLooksMin = 2;

/** Follows files. Two activities share this object's lists: `discover` finds files and decides
 *  what they are, also while the outputs make the reader wait; the reader takes turns with all
 *  files that have something to read. Only the reader moves positions. */
export class TailInput implements Input {
  private readonly context: InputContext;
  private readonly settings: TailSettings;
  private readonly metrics: TailMetrics;
  readonly discovery: FileDiscovery;
  private readonly store: GenerationStore;
  private readonly admission: Admission;
  private readonly openFiles: OpenFiles;
  private readonly files = new Map<string, TailedFile>();
  private readonly said = new Set<string>();
  private reader!: BlockReader;
  private rounds!: ReadRounds;
  private closeReaders: () => void = () => {};
  private wake: () => void = () => {};
  private lookedMs = Number.NEGATIVE_INFINITY;
  private sweptMs = Number.NEGATIVE_INFINITY;
  private readonly pace: SweepPace;
  /** The last sweep, whatever woke the reader since. */
  private lastSweepMs = 0;
  private sweepsBegun = 0;
  /** The last sweep of which every file was read to its end. */
  private sweepRead = 0;

  constructor(settings: TailSettings, context: InputContext) {
    this.context = context;
    this.settings = settings;
    this.metrics = tailMetrics(context.metrics);
    this.pace = new SweepPace(context.service.flushMs);
    this.lastSweepMs = context.clock.monotonicMs();
    this.store = new GenerationStore(context, settings, this.metrics);
    this.admission = new Admission(context, settings, this.store, this.files);
    this.openFiles = new OpenFiles(settings.openFilesMax, this.files);
    this.discovery = new FileDiscovery(settings, context, {
      files: this.files,
      store: this.store,
      admission: this.admission,
      openFiles: this.openFiles,
      rotations: this.metrics.rotations,
      pace: this.pace,
      wakeReader: () => this.wake(),
      lookForReader: () => this.lookForReader(),
      lost: (file) => this.lost(file),
    });
    context.metrics.gauge('sluice_tail_files_open', () => this.openFiles.count());
    context.metrics.gauge('sluice_tail_unread_bytes', () => this.unreadBytes());
  }

  async run(emitter: BatchEmitter, signal: AbortSignal): Promise<void> {
    this.readInto(emitter);
    const stop = new AbortController();
    const stopAll = () => stop.abort();
    signal.addEventListener('abort', stopAll, { once: true });
    if (signal.aborted) stop.abort();
    let discovering: Promise<void> | undefined;
    try {
      await this.discovery.start();
      discovering = this.discovery.keepOn(stop.signal);
      await this.readOn(stop.signal);
      stop.abort();
      await discovering;
      await this.finish(signal.aborted);
    } finally {
      stop.abort();
      signal.removeEventListener('abort', stopAll);
      await discovering;
    }
  }

  async caughtUp(limit: AbortSignal): Promise<void> {
    const { clock } = this.context;
    this.discovery.lookAgain();
    while (!this.discovery.isUpToDate && !limit.aborted) await pause(clock, catchUpMs, limit);
    const before = this.sweepsBegun;
    this.lookedMs = Number.NEGATIVE_INFINITY;
    this.sweptMs = Number.NEGATIVE_INFINITY;
    this.wake();
    while (this.sweepRead <= before && !limit.aborted) await pause(clock, catchUpMs, limit);
  }

  async close(): Promise<void> {
    await this.discovery.close();
    await this.admission.close();
    for (const file of this.files.values()) {
      file.generation?.source.close();
      await file.close();
    }
    this.files.clear();
    this.store.close();
    this.closeReaders();
    this.closeReaders = () => {};
  }

  // ── reading ─────────────────────────────────────────────────────────────────────────────────

  /** Says where records go. Before anything is read. */
  readInto(emitter: BatchEmitter): void {
    const writer = new RecordWriter(this.settings, this.context, this.metrics);
    this.reader = new BlockReader(this.settings, writer, this.metrics, emitter, this.context);
    const joint = new JointReader(this.settings, writer, emitter, this.context);
    const { reader } = this;
    this.closeReaders = () => {
      for (const one of [reader, joint, writer]) one.close();
    };
    this.rounds = new ReadRounds({
      joint,
      pace: this.pace,
      clock: this.context.clock,
      isToBeRead: (file) => this.isToBeRead(file),
      takeTurn: (file) => this.takeTurn(file, false),
      complain: (file, error) => this.complain(file, error),
    });
  }

  private async readOn(signal: AbortSignal): Promise<void> {
    let ready: TailedFile[] = [];
    while (!signal.aborted) {
      if (this.discovery.failure !== undefined) throw this.discovery.failure;
      if (this.isSweepDue()) {
        this.sweepsBegun++;
        this.sweep();
        await this.doDue();
        ready = this.readyFiles();
      }
      ready = await this.rounds.round(ready, this.reader.waitedMs, signal);
      if (ready.length === 0) ready = this.readyFiles();
      if (ready.length > 0) continue;
      this.sweepRead = this.sweepsBegun;
      if (this.settings.exitOnEof && this.isAllRead()) return;
      await this.idle(signal);
    }
  }

  /** Reads all there is now, after a look at all files; for tests that set the pace themselves. */
  async readAvailable(signal: AbortSignal): Promise<void> {
    this.lookedMs = Number.NEGATIVE_INFINITY;
    this.sweep();
    await this.doDue();
    for (let ready = this.readyFiles(); ready.length > 0 && !signal.aborted; ) {
      await this.rounds.round(ready, this.reader.waitedMs, signal);
      ready = this.readyFiles();
    }
  }

  /** A file that waits until it is clear what it is was taken out of the list. */
  private isToBeRead(file: TailedFile): boolean {
    return file.isReady && file.generation !== undefined && this.files.get(file.key) === file;
  }

  private readyFiles(): TailedFile[] {
    const ready: TailedFile[] = [];
    for (const file of this.files.values()) if (this.isToBeRead(file)) ready.push(file);
    return ready;
  }

  /** Without archives, whose positions are those of their content. */
  private unreadBytes(): number {
    let bytes = 0;
    for (const { generation, isGzip } of this.files.values()) {
      if (generation !== undefined && !isGzip) bytes += Math.max(0, unreadOf(generation));
    }
    return bytes;
  }

  private isAllRead(): boolean {
    if (this.admission.isUndecided || this.admission.hasUnfinished) return false;
    for (const file of this.files.values()) if (file.isPartial) return false;
    return true;
  }

  /** Waits for the next sweep, or until something wakes the reader. */
  private async idle(signal: AbortSignal): Promise<void> {
    const woken = new AbortController();
    const cut = () => woken.abort();
    this.wake = () => {
      this.sweptMs = Number.NEGATIVE_INFINITY;
      cut();
    };
    signal.addEventListener('abort', cut, { once: true });
    const restMs = this.pace.restMs(this.context.clock.monotonicMs(), this.pace.pauseMs());
    await pause(this.context.clock, restMs, woken.signal);
    signal.removeEventListener('abort', cut);
    this.wake = () => {};
  }

  private isSweepDue(): boolean {
    return this.context.clock.monotonicMs() - this.sweptMs >= this.pace.pauseMs();
  }

  /** Marks the files that have grown, or may have been truncated. */
  private sweep(isReaderStuck = false): void {
    const { clock } = this.context;
    const nowMs = clock.monotonicMs();
    const sweptMs = this.sweptMs;
    this.sweptMs = nowMs;
    this.reader.waitedMs = this.pace.waitedMs(nowMs - this.lastSweepMs);
    this.lastSweepMs = nowMs;
    const isLook = nowMs - this.lookedMs >= lookMs;
    // What was read before the reader got stuck says nothing of what came since.
    const lookedMs = isReaderStuck ? Number.POSITIVE_INFINITY : this.lookedMs;
    if (isLook) this.lookedMs = nowMs;
    for (const file of this.files.values()) {
      const { generation } = file;
      if (generation === undefined || (file.isReady && !isLook)) continue;
      try {
        if (isLook && !this.isWellKnown(file, generation, lookedMs)) this.lookAt(file, generation);
        // One that brought something since the last sweep most likely has more.
        else if (!file.isGzip && file.activeMs > sweptMs) file.isReady = true;
        else if (file.isOpen && !file.isGzip && file.hasByteAt(generation.seenEnd)) {
          file.isReady = true;
        }
      } catch (error) {
        this.complain(file, error);
      }
    }
    this.pace.swept(clock.monotonicMs() - nowMs, this.files.size);
  }

  /** True for a file that was read since the last look: the reader compares what it reads. */
  private isWellKnown(file: TailedFile, generation: FileGeneration, lookedMs: number): boolean {
    if (file.activeMs <= lookedMs || !file.isOpen || file.isGzip) return false;
    if (generation.position === 0 || !hasBeginning(file, generation.beginning)) return false;
    generation.sizeSeen = Math.max(generation.sizeSeen, generation.seenEnd);
    file.modifiedMs = this.context.clock.nowMs();
    return true;
  }

  /** Truncations while the outputs make the reader wait are noticed all the same. */
  private lookForReader(): void {
    if (this.context.clock.monotonicMs() - this.lookedMs >= 2 * lookMs) this.sweep(true);
  }

  private lookAt(file: TailedFile, generation: FileGeneration): void {
    const facts = file.isOpen ? file.look() : file.lookByPath();
    if (facts === undefined) return;
    const isChanged = facts.size !== file.size || facts.modifiedMs !== file.modifiedMs;
    file.size = facts.size;
    file.modifiedMs = facts.modifiedMs;
    if (isChanged || (!file.isGzip && facts.size !== generation.seenEnd)) file.isReady = true;
    if (file.isGzip) {
      file.isReady = !file.isFinished && (!file.isPartial || isChanged || this.isSettledDown(file));
      if (file.isReady && file.isPartial) file.content().restart();
      if (file.isReady) file.isPartial = false;
      return;
    }
    const isSame = facts.size >= generation.sizeSeen;
    if (isSame && (!isChanged || noteSize(file, generation, facts.size))) return;
    if (file.isOpen) this.noteCut(file, generation, facts);
  }

  /** The file is smaller than it was. */
  private noteCut(file: TailedFile, generation: FileGeneration, facts: FileFacts): void {
    const hasAll = facts.size > 0 && facts.size >= generation.position && isIntact(file);
    if (!hasAll) {
      // A turn that has begun sees it, or goes on behind it.
      if (file.isBusy) return;
      file.isCut = true;
      file.isReady = true;
      return;
    }
    // Only what was still to be read was cut off.
    this.metrics.abandonedBytes.value += generation.sizeSeen - facts.size;
    generation.sizeSeen = facts.size;
    generation.seenEnd = Math.min(generation.seenEnd, facts.size);
    generation.searchedTo = Math.min(generation.searchedTo, facts.size);
  }

  private async takeTurn(file: TailedFile, isFinal: boolean): Promise<void> {
    file.isBusy = true;
    try {
      if (!(await this.openFiles.ensure(file))) {
        // Its name was given to another file while it was closed; the next look sorts it out.
        file.isReady = false;
        this.discovery.lookAgain();
        return;
      }
      // What it holds now is not what it was found with.
      if (file.isUnchecked && !file.isCut && !(await this.checkEmpty(file))) return;
      const generation = file.generation!;
      const { position } = generation;
      const result = file.isCut ? 'replaced' : await this.reader.turn(file, generation, isFinal);
      this.pace.read(generation.position - position, this.context.clock.monotonicMs());
      if (result === 'replaced') await this.replace(file, generation);
      else if (result === 'end') {
        file.isReady = false;
        if (file.isGzip) {
          const { damage } = file.content();
          if (damage === undefined) await this.finishGzip(file);
          else await this.damaged(file, damage);
        }
      }
    } catch (error) {
      if (error instanceof GzipDamageError) await this.damaged(file, error);
      else if (isFileError(error)) this.complain(file, error);
      else throw error;
    } finally {
      file.isBusy = false;
    }
  }

  private async checkEmpty(file: TailedFile): Promise<boolean> {
    if (!file.hasByteAt(0)) {
      file.isReady = false;
      return false;
    }
    return this.admission.check(file);
  }

  /** The file's content is not the one that was read: goes on with a new generation. */
  private async replace(file: TailedFile, old: FileGeneration): Promise<void> {
    const facts = file.look();
    const unread = unreadOf(old);
    file.isCut = false;
    file.size = facts.size;
    this.metrics.rotations.value++;
    this.admission.orphan(old, unread);
    try {
      await this.store.begin(old.name, 0, async (generation) => generation.attach(file));
    } catch (error) {
      if (!isRetryable(error)) throw error;
      // It is found again as a new file.
      this.files.delete(file.key);
      await file.close();
    }
    file.isReady = true;
    // The copy, if there is one, is found at once.
    this.discovery.lookAgain();
  }

  private async finishGzip(file: TailedFile): Promise<void> {
    file.isFinished = true;
    await this.reader.flush(file.generation!, true);
    await file.close();
  }

  /** An archive ends early: it may be in the making. When it stays so, it is damaged. */
  private async damaged(file: TailedFile, error: GzipDamageError): Promise<void> {
    file.isReady = false;
    if (error.endsEarly && !this.isSettledDown(file)) {
      file.isPartial = true;
      return;
    }
    this.metrics.gzipDamages.value++;
    this.context.log.error(
      { path: file.path, error: error.message },
      `The archive ${file.path} is damaged; its content was read up to there.`,
    );
    if ((file.generation?.unfinishedSinceMs ?? -1) >= 0) {
      await this.reader.turn(file, file.generation!, true);
    }
    await this.finishGzip(file);
  }

  private isSettledDown(file: TailedFile): boolean {
    // Before the look: a process that stalls in between must not take what is new for old.
    const nowMs = this.context.clock.nowMs();
    const facts = file.isOpen ? file.look() : file.lookByPath();
    if (facts === undefined) return true;
    const changedMs = Math.max(facts.modifiedMs, facts.changedMs);
    return nowMs - changedMs >= this.settings.rotateWaitMs;
  }

  private complain(file: TailedFile, error: unknown): void {
    file.isReady = false;
    const text = `${file.path}: ${messageOf(error)}`;
    if (this.said.has(text) || this.said.size >= 1000) return;
    this.said.add(text);
    this.context.log.warn({ path: file.path, error: messageOf(error) }, 'Cannot read a file.');
  }

  // ── what time brings ────────────────────────────────────────────────────────────────────────

  private async doDue(): Promise<void> {
    const nowMs = this.context.clock.monotonicMs();
    const { unfinishedLineMs, rotateWaitMs } = this.settings;
    for (const file of [...this.files.values()]) {
      const { generation } = file;
      if (generation === undefined) continue;
      if (generation.multiline !== undefined && generation.multiline.nextDeadlineMs() <= nowMs) {
        await this.reader.flush(generation, false);
      }
      if (file.isReady) continue;
      const since = generation.unfinishedSinceMs;
      if (unfinishedLineMs > 0 && since >= 0 && nowMs - since >= unfinishedLineMs) {
        await this.takeTurn(file, true);
      }
      const quietSince = Math.max(file.awaySinceMs, file.activeMs);
      const isGone = file.presence === 'away' && file.missedLooks >= missedLooksMin;
      if (isGone && nowMs - quietSince >= rotateWaitMs) await this.retire(file);
      else if (this.isAged(file)) await this.drop(file);
    }
    for (const orphan of this.admission.expired(false)) await this.giveUp(orphan);
    this.store.collect();
  }

  private isAged(file: TailedFile): boolean {
    const { ignoreActiveOlder, ignoreOlderMs } = this.settings;
    if (!ignoreActiveOlder || ignoreOlderMs === 0) return false;
    return this.context.clock.nowMs() - file.modifiedMs > ignoreOlderMs;
  }

  /** Leaves an old file alone; its checkpoint stays. */
  private async drop(file: TailedFile): Promise<void> {
    const { generation } = file;
    if (generation !== undefined) await this.reader.flush(generation, true);
    this.admission.park(file);
    this.files.delete(file.key);
    await file.close();
  }

  /** A renamed or deleted file that was read to its end, and nothing came any more. */
  private async retire(file: TailedFile): Promise<void> {
    const generation = file.generation!;
    if (!this.admission.isAwaited(generation)) {
      if (generation.unfinishedSinceMs >= 0) await this.takeTurn(file, true);
      if (file.isReady || file.generation !== generation) return;
      await this.reader.flush(generation, true);
    }
    // It was found again meanwhile.
    if (file.presence === 'here' || this.files.get(file.key) !== file) return;
    // Something came since the last sweep, which may be long ago.
    const isLonger = file.isOpen
      ? !file.isGzip && file.hasByteAt(generation.seenEnd)
      : file.isFoundAway && (file.lookByPath()?.size ?? 0) > generation.seenEnd;
    if (isLonger) {
      file.isReady = true;
      return;
    }
    this.files.delete(file.key);
    // A copy or archive of it waits to take over.
    if (this.admission.isAwaited(generation))
      this.admission.orphan(generation, unreadOf(generation));
    else {
      this.admission.retire(file);
      this.lost(file);
    }
    await file.close();
  }

  /** Ends what was read of a file; what could not be read of it is counted. */
  private lost(file: TailedFile): void {
    const { generation } = file;
    if (generation === undefined) return;
    if (!file.isOpen && !file.isGzip)
      this.sayAbandoned(generation, unreadOf(generation), 'taken away');
    this.store.end(generation);
  }

  /** Nobody took the content over: what was not read of it is lost, and counted. */
  private async giveUp(orphan: Orphan): Promise<void> {
    const { generation, unreadBytes } = orphan;
    await this.reader.flush(generation, true);
    // A copy may have turned up while the outputs were full.
    if (!this.admission.giveUp(orphan, false)) return;
    this.sayAbandoned(generation, unreadBytes, 'truncated');
    this.store.end(generation);
  }

  private sayAbandoned(generation: FileGeneration, bytes: number, what: string): void {
    if (bytes <= 0) return;
    this.metrics.abandonedBytes.value += bytes;
    this.context.log.error(
      { path: generation.path, bytes },
      `A file was ${what} before all of it was read.`,
    );
  }

  /** The end of the input: what is held goes out. */
  private async finish(isStopped: boolean): Promise<void> {
    for (const file of this.files.values()) {
      const { generation } = file;
      if (generation === undefined) continue;
      if (generation.unfinishedSinceMs >= 0 && generation.hitEnd) await this.takeTurn(file, true);
      if (file.generation?.multiline !== undefined) await this.reader.flush(file.generation, true);
    }
    for (const orphan of this.admission.expired(true)) {
      const { generation } = orphan;
      await this.reader.flush(generation, true);
      if (!this.admission.giveUp(orphan, true)) continue;
      // Its bytes may yet turn up in a copy when the agent starts again.
      if (isStopped) generation.source.close();
      else this.store.end(generation);
    }
    this.store.collect();
  }
}

/** Bytes that were seen and not consumed. */
function unreadOf(generation: FileGeneration): number {
  return Math.max(generation.sizeSeen, generation.seenEnd) - generation.position;
}
