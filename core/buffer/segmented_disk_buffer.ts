import { messageOf, SluiceError } from '../errors/sluice_error.ts';
import { AckLog } from './ack_log.ts';
import type { AppendRequest } from './append_request.ts';
import { removeIfPresent } from './atomic_file.ts';
import { type ChunkEntry, ChunkIndex } from './chunk_index.ts';
import type { ChunkReader } from './chunk_reader.ts';
import type { DirectoryLock } from './directory_lock.ts';
import {
  type AppendOutcome,
  type DiskBuffer,
  type DiskBufferLimits,
  type DiskBufferOptions,
  intervalMsDefault,
  type QuarantineCount,
  type StoredChunk,
} from './disk_buffer.ts';
import { DeletionPermit } from './deletion_permit.ts';
import { DiskProblems } from './disk_problems.ts';
import { type FileSystem, isMissing } from './file_system.ts';
import type { RecoveredBuffer } from './recovery.ts';
import { rewriteUnsynced, type UnsyncedPart } from './rescue.ts';
import {
  bytesOf,
  chunkBodyBytesMax,
  chunkHeaderBytesMax,
  recordBytesOf,
  recordHeadBytes,
  segmentHeaderBytes,
  segmentSize,
} from './segment.ts';
import { type Segment, SegmentWriter, type WriteItem } from './segment_writer.ts';
import { SpaceWaiters } from './space_waiters.ts';
import { chunkTooLarge, storageClosed, storageFailed } from './storage_error.ts';
import { DelayedWork, scheduleUnreferenced } from './timers.ts';
import { type VerifyReport, verifySegments } from './verify.ts';

export interface SegmentedDiskBufferParts {
  readonly options: DiskBufferOptions;
  readonly fileSystem: FileSystem;
  readonly lock: DirectoryLock;
  readonly recovered: RecoveredBuffer;
  readonly reader: ChunkReader;
  /** What was quarantined so far; counted by whoever finds it. */
  readonly counted: QuarantineCount;
}

/** Most bytes and chunks that one write and one sync take together. */
const groupBytesMax = 16 * 1024 * 1024;
const groupCountMax = 256;
/** How often what the disk refused (a deletion, the acknowledgements) is tried again. */
const retryMs = 1000;

/**
 * The buffer that `openDiskBuffer` returns. One loop makes every change to the disk, one after the
 * other; appends that wait for it meanwhile share its next write and sync. Memory (what is pending)
 * is the truth while the process runs, and changes only after the disk has what it stands for.
 */
export class SegmentedDiskBuffer implements DiskBuffer {
  recovered: readonly StoredChunk[];
  // Without `recovered`: its headers must be free to go.
  readonly #parts: Omit<SegmentedDiskBufferParts, 'recovered'>;
  readonly #identity: bigint;
  readonly #reader: ChunkReader;
  readonly #index: ChunkIndex;
  readonly #writer: SegmentWriter;
  readonly #acks: AckLog;
  readonly #waiters = new SpaceWaiters();
  readonly #problems: DiskProblems;
  readonly #deletion: DeletionPermit;
  readonly #now: () => number;
  readonly #syncLater: DelayedWork;
  readonly #acksLater: DelayedWork;
  #limits: DiskBufferLimits;
  readonly #intervalMs: number;
  #queue: AppendRequest[] = [];
  #nextSequence: number;
  #nextSegment: number;
  /** Sealed after a failed sync: their last chunks wait to be written again. */
  readonly #rescues: UnsyncedPart[];
  #working: Promise<void> | undefined;
  #wanted = false;
  /** Dropped for an append that then failed: told with the next one that succeeds. */
  #droppedUntold: StoredChunk[] = [];
  #closing: Promise<void> | undefined;

  constructor(parts: SegmentedDiskBufferParts) {
    const { recovered, ...others } = parts;
    const { options, fileSystem, reader } = others;
    const { directory } = options;
    this.#parts = others;
    this.#reader = reader;
    this.#problems = new DiskProblems(options.onProblem);
    this.#limits = options;
    this.recovered = recovered.chunks;
    this.#index = new ChunkIndex(recovered.segments);
    for (const chunk of recovered.chunks) {
      const { sequence, createdMs, segment, position, headerBytes, bodyBytes } = chunk;
      this.#index.add({ sequence, createdMs, segment, position, headerBytes, bodyBytes }, true);
    }
    this.#now = options.now ?? Date.now;
    const schedule = options.schedule ?? scheduleUnreferenced;
    this.#syncLater = new DelayedWork(schedule, () => this.#wake());
    this.#acksLater = new DelayedWork(schedule, () => this.#wake());
    this.#deletion = new DeletionPermit({
      note: options.beforeDelete,
      schedule,
      wake: () => {
        if (!this.#closing) this.#wake();
      },
    });
    this.#intervalMs = options.intervalMs ?? intervalMsDefault;
    this.#nextSequence = recovered.nextSequence;
    this.#nextSegment = recovered.nextSegment;
    const { identity } = recovered;
    this.#identity = identity;
    this.#writer = new SegmentWriter({
      ...{ fileSystem, directory, identity, now: this.#now },
      headersDescribe: options.headersDescribe ?? false,
    });
    this.#acks = new AckLog(fileSystem, directory, identity, recovered.ackLogBytes);
    this.#rescues = recovered.unsynced.map((segment) => ({ segment, from: segmentHeaderBytes }));
    if (this.#rescues.length > 0) this.#syncLater.request(this.#intervalMs);
    this.#wake();
  }

  get limitBytes(): number {
    return this.#limits.limitBytes;
  }

  setLimits(limits: DiskBufferLimits): void {
    this.#limits = limits;
    // Whoever waits for room may have it now.
    this.#waiters.notify();
  }

  get usedBytes(): number {
    return this.#index.usedBytes;
  }

  get oldestAgeMs(): number {
    const oldest = this.#index.oldest;
    return oldest ? Math.max(0, this.#now() - oldest.createdMs) : 0;
  }

  get pendingCount(): number {
    return this.#index.count;
  }

  get quarantined(): QuarantineCount {
    return this.#parts.counted;
  }

  pendingSequences(): number[] {
    return this.#index.sequences();
  }

  forgetRecovered(): void {
    this.recovered = [];
  }

  append(header: Buffer, body: Buffer | readonly Buffer[]): Promise<AppendOutcome> {
    const parts = Buffer.isBuffer(body) ? [body] : body;
    const bodyBytes = bytesOf(parts);
    const bytes = recordBytesOf(header.length, bodyBytes);
    if (this.#closing) return Promise.reject(storageClosed());
    if (
      bytes + segmentHeaderBytes > this.limitBytes ||
      header.length > chunkHeaderBytesMax ||
      bodyBytes > chunkBodyBytesMax
    ) {
      return Promise.reject(chunkTooLarge(bytes, this.limitBytes));
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ header, body: parts, bytes, dropped: [], resolve, reject });
      this.#wake();
    });
  }

  waitForSpace(signal: AbortSignal): Promise<void> {
    if (this.#closing) return Promise.reject(storageClosed());
    return this.#waiters.wait(signal);
  }

  async read(
    sequence: number,
    memory?: Buffer,
  ): Promise<{ header: Buffer; body: Buffer } | undefined> {
    for (;;) {
      const entry = this.#index.get(sequence);
      if (!entry) return undefined;
      const { segment, position } = entry;
      try {
        const found = await this.#reader.read(entry, memory);
        this.#problems.succeeded('read');
        if (found) return found;
      } catch (error) {
        if (this.#index.get(sequence) !== entry) return undefined;
        if (!isMissing(error)) throw this.#problems.refused('read', `read ${segment.path}`, error);
      }
      // Settled, dropped or moved to another segment while it was read: look again.
      if (this.#index.get(sequence) !== entry) return undefined;
      if (entry.segment !== segment || entry.position !== position) continue;
      await this.#quarantine(entry);
      throw new SluiceError(
        'SLUICE_STORAGE_DAMAGED',
        `Stored chunk ${sequence} in ${segment.path} is damaged and lost: check the disk.`,
      );
    }
  }

  acknowledge(sequence: number): boolean {
    const entry = this.#index.get(sequence);
    if (!entry || !this.#settle(entry)) return false;
    if (entry.segment.live === 0) {
      if (entry.segment.sealed) this.#wake();
      // What is not deleted at once is given up when something needs its room.
      if (!entry.segment.sealed || !this.#deletion.isAllowed(entry.segment)) {
        this.#waiters.notify();
      }
    }
    return true;
  }

  verify(): Promise<VerifyReport> {
    const targets = this.#index.segments.map(({ path, bytes }) => ({ path, bytes }));
    const settled = (sequence: number) => this.#index.get(sequence) === undefined;
    return verifySegments(this.#parts.fileSystem, targets, this.#identity, settled);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #wake(): void {
    this.#wanted = true;
    this.#working ??= this.#work();
  }

  async #work(): Promise<void> {
    try {
      while (this.#wanted) {
        this.#wanted = false;
        await this.#deleteSettledSegments();
        if (this.#acksLater.due) await this.#flushAcks();
        if (this.#syncLater.due) await this.#syncOnTime();
        // One group a turn, so that a stream of appends cannot hold back syncs and deletions.
        if (this.#queue.length > 0) await this.#storeGroup();
        if (this.#queue.length > 0) this.#wanted = true;
      }
    } finally {
      this.#working = undefined;
    }
  }

  /** Takes as many appends from the queue as one write can hold, and stores them. */
  async #storeGroup(): Promise<void> {
    const group: AppendRequest[] = [];
    let groupBytes = 0;
    try {
      await this.#rescueUnsynced();
      while (this.#queue.length > 0 && group.length < groupCountMax && groupBytes < groupBytesMax) {
        const request = this.#queue[0]!;
        const rolls = this.#needsNewSegment(groupBytes + request.bytes);
        if (group.length > 0 && (rolls || !this.#fits(groupBytes + request.bytes, false))) break;
        if (rolls && this.#writer.active) await this.#sealActive();
        if (group.length === 0 && !(await this.#makeRoom(request))) {
          this.#queue.shift();
          continue;
        }
        this.#queue.shift();
        group.push(request);
        groupBytes += request.bytes;
      }
    } catch (error) {
      // The disk failed before anything of this group was written.
      this.#rejectAll([...group, ...this.#queue.splice(0)], error);
      return;
    }
    if (group.length > 0) await this.#commit(group);
  }

  /** True when the request may be written now; otherwise it has been answered. */
  async #makeRoom(request: AppendRequest): Promise<boolean> {
    const { whenFull } = this.#limits;
    const needsHeader = () => this.#writer.active === undefined;
    while (!this.#fits(request.bytes, needsHeader())) {
      const oldest = this.#index.segments[0];
      const settled = this.#index.deletable();
      if (settled.some((segment) => !this.#deletion.isAllowed(segment))) {
        // Room now is worth more than what these vouch for a while longer.
        this.#deletion.allow(settled);
        await this.#deleteSettledSegments();
      } else if (this.#writer.active?.live === 0) {
        await this.#sealActive();
        await this.#deleteSettledSegments();
      } else if (whenFull === 'drop_oldest' && oldest) {
        await this.#dropSegment(oldest, request.dropped);
      } else {
        this.#waiters.markFull();
        if (whenFull === 'drop_newest') {
          request.resolve({ kind: 'dropped_newest' });
        } else {
          this.#problems.full('the disk buffer is full');
          request.resolve({ kind: 'full' });
        }
        return false;
      }
    }
    this.#problems.succeeded('room');
    return true;
  }

  #fits(bytes: number, needsHeader: boolean): boolean {
    return this.usedBytes + bytes + (needsHeader ? segmentHeaderBytes : 0) <= this.limitBytes;
  }

  #needsNewSegment(bytes: number): boolean {
    const active = this.#writer.active;
    if (!active) return true;
    return (
      active.bytes > segmentHeaderBytes &&
      active.bytes + bytes > segmentSize(this.#parts.options.segmentBytes, this.limitBytes)
    );
  }

  async #commit(group: AppendRequest[]): Promise<void> {
    const { durability } = this.#limits;
    const createdMs = this.#now();
    const items = group.map(({ header, body }) => ({
      sequence: this.#nextSequence++,
      createdMs,
      header,
      body,
    }));
    const writer = this.#writer;
    const segment = writer.active ?? this.#beginSegment(items[0]!.sequence);
    const goodBytes = segment.bytes;
    let positions: number[];
    try {
      positions = await writer.write(items);
    } catch (error) {
      const from = writer.syncedBytes;
      await writer.undoWrite(goodBytes);
      // Sealed with a last part that was never synced.
      if (segment.sealed && durability === 'interval') this.#rescues.push({ segment, from });
      if (this.#rescues.length > 0) this.#syncLater.request(this.#intervalMs);
      this.#cancel(items);
      this.#rejectAll(group, error, `append to ${segment.path}`);
      return;
    }
    if (durability === 'fsync') {
      try {
        await writer.sync();
      } catch (error) {
        await writer.abandon(goodBytes);
        this.#cancel(items);
        this.#rejectAll(group, error, `sync ${segment.path}`);
        return;
      }
    } else if (durability === 'interval') {
      this.#syncLater.request(this.#intervalMs);
    }
    this.#problems.succeeded('append');
    for (const [index, request] of group.entries()) {
      const { sequence, header } = items[index]!;
      const position = positions[index]!;
      const headerBytes = header.length;
      const bodyBytes = request.bytes - recordHeadBytes - headerBytes;
      this.#index.add({ sequence, createdMs, segment, position, headerBytes, bodyBytes }, false);
      const dropped = [...this.#droppedUntold.splice(0), ...request.dropped];
      request.resolve({ kind: 'stored', sequence, dropped });
    }
  }

  #beginSegment(firstSequence: number): Segment {
    const segment = this.#writer.begin(this.#nextSegment++, firstSequence);
    this.#index.segments.push(segment);
    return segment;
  }

  /** What failed may yet stand on the disk after a crash: as settled, it is not delivered then. */
  #cancel(items: readonly WriteItem[]): void {
    for (const { sequence } of items) this.#acks.add(sequence);
    this.#acksLater.request(this.#intervalMs);
  }

  #rejectAll(requests: readonly AppendRequest[], error: unknown, action?: string): void {
    const what = action ?? `append in ${this.#parts.options.directory}`;
    const failure = this.#problems.refused('append', what, error);
    for (const request of requests) {
      this.#droppedUntold.push(...request.dropped);
      request.reject(failure);
    }
  }

  /** Closes the active segment, durable unless the mode leaves that to the kernel. */
  async #sealActive(): Promise<void> {
    if (this.#limits.durability !== 'os') await this.#syncActive();
    if (this.#writer.active) await this.#writer.seal();
  }

  async #syncOnTime(): Promise<void> {
    this.#syncLater.due = false;
    try {
      await this.#rescueUnsynced();
      await this.#syncActive();
      this.#problems.succeeded('sync');
    } catch (error) {
      // Until it succeeds, appends are refused with the disk's reason.
      this.#problems.refused('sync', `sync what is in ${this.#parts.options.directory}`, error);
      this.#syncLater.request(retryMs);
    }
  }

  async #syncActive(): Promise<void> {
    const segment = this.#writer.active;
    if (!segment || !this.#writer.hasUnsynced) return;
    try {
      await this.#writer.sync();
    } catch (error) {
      // A second sync of this file would report success without writing the lost pages.
      const fields = { segment: segment.path, error: messageOf(error) };
      this.#parts.options.log.error(fields, 'A sync failed: writing its chunks again.');
      await this.#sealUnsynced();
      await this.#rescueUnsynced();
    }
  }

  /** Closes the active segment without a sync; what that leaves in doubt is to be rescued. */
  async #sealUnsynced(): Promise<void> {
    const from = this.#writer.syncedBytes;
    const segment = this.#writer.active;
    if (segment && this.#writer.hasUnsynced) this.#rescues.push({ segment, from });
    await this.#writer.seal();
  }

  async #rescueUnsynced(): Promise<void> {
    for (let part = this.#rescues[0]; part; part = this.#rescues[0]) {
      if (this.#writer.active) await this.#sealUnsynced();
      const damaged = await rewriteUnsynced(part, {
        index: this.#index,
        reader: this.#reader,
        writer: this.#writer,
        begin: (firstSequence) => this.#beginSegment(firstSequence),
      });
      this.#rescues.shift();
      for (const entry of damaged) await this.#quarantine(entry);
    }
  }

  /** Gives up the oldest segment with all unsettled chunks in it; lists them in `dropped`. */
  async #dropSegment(segment: Segment, dropped: StoredChunk[]): Promise<void> {
    if (this.#writer.active === segment) await this.#sealActive();
    for (const entry of this.#index.entriesOf(segment)) {
      const header = await this.#reader.readHeader(entry);
      if (!this.#settle(entry)) continue;
      dropped.push({ sequence: entry.sequence, header, bodyBytes: entry.bodyBytes });
    }
    await this.#deleteSegment(segment);
  }

  async #deleteSettledSegments(): Promise<void> {
    const deletable = this.#index.deletable();
    this.#deletion.ask(deletable);
    for (const segment of deletable) {
      if (!this.#deletion.isAllowed(segment)) continue;
      try {
        await this.#deleteSegment(segment);
        this.#problems.succeeded('delete');
      } catch (error) {
        const failure = this.#problems.refused('delete', `delete ${segment.path} yet`, error);
        this.#parts.options.log.warn({}, failure.message);
        this.#acksLater.request(retryMs);
      }
    }
  }

  async #deleteSegment(segment: Segment): Promise<void> {
    await removeIfPresent(this.#parts.fileSystem, segment.path);
    this.#index.removeSegment(segment);
    this.#waiters.notify();
  }

  async #flushAcks(): Promise<void> {
    this.#acksLater.due = false;
    try {
      await this.#writeAcks();
      this.#problems.succeeded('acknowledge');
    } catch (error) {
      const { directory, log } = this.#parts.options;
      const action = `note delivered chunks in ${directory} yet`;
      log.warn({}, this.#problems.refused('acknowledge', action, error).message);
      this.#acksLater.request(retryMs);
    }
  }

  #writeAcks(): Promise<void> {
    const isSynced = this.#limits.durability !== 'os';
    return this.#acks.flush(() => this.#index.settledBelow(this.#nextSequence), isSynced);
  }

  /** Notes a chunk as settled, so that the next start does not find it again. */
  #settle(entry: ChunkEntry): boolean {
    if (!this.#index.settle(entry.sequence)) return false;
    this.#acks.add(entry.sequence);
    this.#acksLater.request(this.#intervalMs);
    return true;
  }

  async #quarantine(entry: ChunkEntry): Promise<void> {
    if (!this.#settle(entry)) return;
    await this.#reader.quarantine(entry);
    this.#wake();
  }

  async #close(): Promise<void> {
    this.#syncLater.stop();
    this.#acksLater.stop();
    this.#waiters.close(storageClosed());
    while (this.#working) await this.#working;
    try {
      await this.#rescueUnsynced();
      await this.#syncActive();
      if (this.#writer.active) await this.#writer.seal();
      await this.#deletion.end(this.#index.deletable());
      await this.#deleteSettledSegments();
      await this.#writeAcks();
    } catch (error) {
      throw storageFailed(`close the disk buffer in ${this.#parts.options.directory}`, error);
    } finally {
      await this.#acks.close().catch(() => undefined);
      await this.#parts.lock.release();
    }
  }
}
