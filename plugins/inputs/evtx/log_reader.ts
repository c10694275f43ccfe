import { read } from 'node:fs';
import { promisify } from 'node:util';
import {
  type Batch,
  type BatchEmitter,
  type InputContext,
  layout,
} from '../../../core/sdk/index.ts';
import {
  areRecordsIntact,
  type ChunkHeader,
  chunkBytes,
  chunkHeaderBytes,
  readChunkHeader,
} from './chunk.ts';
import { ChunkWalk, type Trust } from './chunk_walk.ts';
import type { EvtxOptions } from './config.ts';
import { Damage, TooLarge } from './damage.ts';
import type { FileScan, ScannedChunk } from './file_scan.ts';
import type { EvtxMetrics } from './evtx_metrics.ts';
import type { LogFile } from './log_file.ts';
import { chunkPrint } from './log_store.ts';
import { keyOf, placeOf, positionOf } from './positions.ts';
import { RecordDecoder } from './record_decoder.ts';

/** What became of a chunk. `changed`: another one stands there now. `wait`: it is not whole, and
 *  may be in the making. */
export type ChunkResult = 'read' | 'changed' | 'wait';

interface Judgement {
  readonly trust: Trust;
  readonly end: number;
  /** Why it is not to be trusted. */
  readonly damage: string | undefined;
}

const readBytes = promisify(read);
/** Each asking of the system costs more than what it copies. */
const chunksAtOnce = 8;

/** Reads chunks and puts their records into batches. A buffer of some chunks and one batch are all
 *  that it holds. */
export class LogReader {
  private readonly options: EvtxOptions;
  private readonly metrics: EvtxMetrics;
  private readonly context: InputContext;
  private readonly emitter: BatchEmitter;
  private readonly decoder: RecordDecoder;
  private readonly walk = new ChunkWalk();
  private readonly buffer = Buffer.alloc(chunksAtOnce * chunkBytes);
  /** What of a file the buffer holds. */
  private heldFrom = 0;
  private heldBytes = 0;
  private readonly eventBytesMax: number;
  private batch: Batch | undefined;
  private dataAt = 0;
  /** The batch has room for the greatest event. */
  private isRoomy = false;
  private problems = 0;
  private firstProblem = '';

  constructor(
    options: EvtxOptions,
    metrics: EvtxMetrics,
    context: InputContext,
    emitter: BatchEmitter,
  ) {
    this.options = options;
    this.metrics = metrics;
    this.context = context;
    this.emitter = emitter;
    this.eventBytesMax = context.service.eventBytesMax;
    this.decoder = new RecordDecoder({
      renderXml: options.render_xml,
      stringInserts: options.string_inserts,
      charactersMax: this.eventBytesMax,
    });
  }

  /** Reads what is new in a chunk. Errors: those of the file system and of the pipeline. */
  async read(
    descriptor: number,
    file: LogFile,
    scan: FileScan,
    chunk: ScannedChunk,
  ): Promise<ChunkResult> {
    const { walk } = this;
    const bytes = await this.load(descriptor, chunk.offset);
    const header = readChunkHeader(bytes, bytes.length);
    const isNewest = chunk === scan.chunks.at(-1);
    if (chunk.header !== undefined && header?.firstId !== chunk.header.firstId) return 'changed';
    const judgement = this.judge(bytes, header, scan, isNewest);
    const isTaken = judgement.damage === undefined || this.options.read_damaged_chunks;
    const mayGrow = isNewest && !this.options.exit_on_eof;
    if (judgement.damage !== undefined) {
      if (mayGrow && !file.isQuiet) return 'wait';
      this.reportChunk(file, chunk, judgement.damage, isTaken);
    }
    this.countMissed(file, chunk, header);
    if (!isTaken) {
      this.countSkipped(file, header);
      await this.moveOn(file, positionOf(chunk.key, chunkBytes));
      return 'read';
    }
    const from = keyOf(file.position) === chunk.key ? placeOf(file.position) : chunkHeaderBytes;
    this.decoder.open(bytes);
    walk.open(bytes, judgement.trust, from, judgement.end);
    await this.takeRecords(file, chunk, bytes, false);
    const { recordsEnd } = walk;
    const isShort = header?.isIntact === true && recordsEnd < header.freeSpace;
    // The header knows of records where none could be found.
    if (isShort && judgement.trust === 'unchecked' && isTaken && !mayGrow) walk.gaps++;
    if (this.options.include_slack && !mayGrow) {
      walk.openSlack(recordsEnd, bytes.length);
      await this.takeRecords(file, chunk, bytes, true);
    }
    this.reportRecords(file, chunk);
    // To the newest chunk records may be added, if not now, then before a later run.
    const end = isNewest ? recordsEnd : chunkBytes;
    file.position = Math.max(file.position, positionOf(chunk.key, end));
    return 'read';
  }

  /** Where the records of a chunk end. */
  async endOf(descriptor: number, scan: FileScan, chunk: ScannedChunk): Promise<number> {
    const bytes = await this.load(descriptor, chunk.offset);
    const judgement = this.judge(bytes, readChunkHeader(bytes, bytes.length), scan, true);
    this.walk.open(bytes, judgement.trust, chunkHeaderBytes, judgement.end);
    while (this.walk.next());
    return positionOf(chunk.key, this.walk.recordsEnd);
  }

  /** What was read ahead may be old by now, or of another file. */
  forget(): void {
    this.heldBytes = 0;
  }

  /** Emits what is held. */
  async flush(file: LogFile): Promise<void> {
    const { batch } = this;
    this.batch = undefined;
    if (batch === undefined) {
      if (file.position > file.sentPosition) await this.moveOn(file, file.position);
      return;
    }
    await this.emit(batch, file, file.position);
  }

  /** Gives back what is held: after an error. */
  drop(): void {
    if (this.batch !== undefined) this.emitter.discard(this.batch);
    this.batch = undefined;
  }

  /** The bytes of a chunk, fewer where the file ends within it. */
  private async load(descriptor: number, offset: number): Promise<Buffer> {
    const { buffer } = this;
    let from = offset - this.heldFrom;
    if (from < 0 || from + chunkBytes > this.heldBytes) {
      const { bytesRead } = await readBytes(descriptor, buffer, 0, buffer.length, offset);
      this.heldFrom = offset;
      this.heldBytes = bytesRead;
      from = 0;
    }
    return buffer.subarray(from, Math.min(from + chunkBytes, this.heldBytes));
  }

  private judge(
    bytes: Buffer,
    header: ChunkHeader | undefined,
    scan: FileScan,
    isNewest: boolean,
  ): Judgement {
    // Of a log that was not closed, the newest chunk has records that its header does not know.
    if (scan.isDirty && isNewest) {
      return { trust: 'unchecked', end: bytes.length, damage: undefined };
    }
    let damage: string | undefined;
    if (header?.isIntact !== true) damage = 'the checksum of its header is wrong';
    else if (header.freeSpace > bytes.length) damage = 'the file ends within it';
    else if (!areRecordsIntact(bytes, header)) damage = 'the checksum of its records is wrong';
    else return { trust: 'checked', end: header.freeSpace, damage };
    return { trust: 'unchecked', end: bytes.length, damage };
  }

  private async takeRecords(
    file: LogFile,
    chunk: ScannedChunk,
    bytes: Buffer,
    isSlack: boolean,
  ): Promise<void> {
    const { walk } = this;
    let memory = file.memory(chunk.key);
    if (memory === undefined) {
      memory = { print: chunkPrint(bytes), lastId: 0 };
      file.remember(chunk.key, memory);
    }
    while (walk.next()) {
      while (!this.takeRecord(file, chunk, isSlack)) await this.makeRoom(file);
      if (isSlack) this.metrics.slackRecords.value++;
      else {
        memory.lastId = walk.id;
        file.nextId = walk.id + 1;
      }
    }
  }

  /** Writes the record found last into the batch; false when there is no room. What cannot be read
   *  is counted and passed over. */
  private takeRecord(file: LogFile, chunk: ScannedChunk, isSlack: boolean): boolean {
    // hot path
    const { batch, decoder, walk } = this;
    if (batch === undefined || batch.count === batch.capacity) return false;
    const { out } = decoder;
    out.open(batch.bytes, this.dataAt, batch.dataEnd);
    try {
      decoder.write(walk.start, walk.size, isSlack ? file.slackMembers : file.members);
    } catch (error) {
      this.noteProblem(error);
      return true;
    }
    if (out.isFull && (batch.count > 0 || !this.isRoomy)) return false;
    if (out.isFull || out.at - this.dataAt > this.eventBytesMax) {
      this.metrics.tooLargeRecords.value++;
      return true;
    }
    const start = positionOf(chunk.key, walk.start);
    const end = positionOf(chunk.key, walk.start + walk.size);
    const index = batch.addEvent(start, end, decoder.seconds, decoder.nanos);
    batch.setRoot(index, this.dataAt, out.at);
    this.dataAt = out.at;
    batch.inputBytes += walk.size;
    // Slack passes with its chunk: in the newest one, records may yet take its place.
    if (!isSlack) file.position = end;
    return true;
  }

  /** Makes room for the record that did not fit: a new batch, or one of its own size. */
  private async makeRoom(file: LogFile): Promise<void> {
    const { batch } = this;
    this.batch = undefined;
    let bytes = 0;
    if (batch !== undefined && batch.count > 0) await this.emit(batch, file, file.position);
    else if (batch !== undefined) {
      this.emitter.discard(batch);
      // Writing asks for three times as much room as a text may need.
      bytes = Math.max(layout.dataBytes + 1, 3 * this.eventBytesMax + chunkBytes);
    }
    // A file that is read has a source.
    this.batch = await this.emitter.batch(file.source!, file.tag, bytes);
    this.dataAt = this.batch.dataStart;
    this.isRoomy = bytes > 0;
  }

  private async emit(batch: Batch, file: LogFile, position: number): Promise<void> {
    if (batch.count === 0 && position <= file.sentPosition) {
      this.emitter.discard(batch);
      return;
    }
    file.sentPosition = Math.max(file.sentPosition, position);
    batch.positionEnd = file.sentPosition;
    await this.emitter.emit(batch);
  }

  /** Passes over what is not read. */
  private async moveOn(file: LogFile, position: number): Promise<void> {
    file.position = Math.max(file.position, position);
    const held = this.batch;
    this.batch = undefined;
    const batch = held ?? (await this.emitter.batch(file.source!, file.tag));
    await this.emit(batch, file, file.position);
  }

  // ── what is wrong ───────────────────────────────────────────────────────────────────────────

  private countMissed(file: LogFile, chunk: ScannedChunk, header: ChunkHeader | undefined): void {
    const isKeyId = header?.isIntact !== true || header.firstId === chunk.key;
    if (file.nextId === 0 || !isKeyId || chunk.key <= file.nextId) return;
    const missed = chunk.key - file.nextId;
    this.metrics.missedRecords.value += missed;
    this.context.log.error(
      { path: file.path, from: file.nextId, to: chunk.key - 1, records: missed },
      'Records are missing: they were overwritten before they were read, or their chunk is damaged.',
    );
  }

  /** Records of a chunk that is passed over, where its header is to be trusted; where it is not, the
   *  next chunk tells. */
  private countSkipped(file: LogFile, header: ChunkHeader | undefined): void {
    if (header?.isIntact !== true) return;
    const { firstId, lastId } = header;
    const isWithin = file.nextId > firstId && file.nextId <= lastId + 1;
    this.metrics.missedRecords.value += Math.max(
      0,
      lastId + 1 - (isWithin ? file.nextId : firstId),
    );
    file.nextId = lastId + 1;
  }

  private reportChunk(file: LogFile, chunk: ScannedChunk, reason: string, isTaken: boolean): void {
    reportPlace(file, this.metrics, this.context, {
      index: chunk.index,
      offset: chunk.offset,
      // A chunk is judged once; when it is used again its key is another.
      print: chunk.key,
      reason: isTaken
        ? `${reason}; its whole records are read`
        : `${reason}; it is skipped: see read_damaged_chunks`,
    });
  }

  private noteProblem(error: unknown): void {
    if (error instanceof TooLarge) {
      this.metrics.tooLargeRecords.value++;
      return;
    }
    if (!(error instanceof Damage) && !(error instanceof RangeError)) throw error;
    this.problems++;
    const place = error instanceof Damage ? ` at byte ${error.at} of the chunk` : '';
    if (this.firstProblem === '') {
      this.firstProblem = `${error.message}${place}, in record ${this.walk.id}`;
    }
  }

  /** One line a chunk, whatever it is full of. */
  private reportRecords(file: LogFile, chunk: ScannedChunk): void {
    const { gaps } = this.walk;
    const count = this.problems + gaps;
    const reason = this.firstProblem || 'what stands there is no record';
    this.problems = 0;
    this.firstProblem = '';
    if (count === 0) return;
    this.metrics.damagedRecords.value += count;
    this.context.log.error(
      { path: file.path, chunk: chunk.index, offset: chunk.offset, places: count, reason },
      'Records of a log file are damaged; they are left out.',
    );
  }
}

/** Counts and names a damaged place, once. */
export function reportPlace(
  file: LogFile,
  metrics: EvtxMetrics,
  context: InputContext,
  place: { index: number; offset: number; print: number; reason: string },
): void {
  if (file.reported.get(place.index) === place.print) return;
  file.reported.set(place.index, place.print);
  metrics.damagedChunks.value++;
  const { index, offset, reason } = place;
  context.log.error(
    { path: file.path, chunk: index, offset, reason },
    'A chunk of a log file is damaged.',
  );
}
