import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { messageOf } from '../errors/sluice_error.ts';
import { ackLogName, readAckLog, rangesHold, type SequenceRange } from './ack_log.ts';
import { removeIfPresent, temporaryPath } from './atomic_file.ts';
import type { FileSystem, OpenFile } from './file_system.ts';
import type { Quarantine, QuarantinedRange } from './quarantine.ts';
import { segmentFileName, segmentNumberOf, segmentVersion } from './segment.ts';
import { readSegmentHeader, type SegmentScan, scanSegment } from './segment_scan.ts';
import type { Segment } from './segment_writer.ts';
import type { StorageLog } from './storage_error.ts';

export interface RecoveredChunk {
  readonly sequence: number;
  readonly createdMs: number;
  readonly segment: Segment;
  readonly position: number;
  readonly headerBytes: number;
  /** Its description, where it has one; else the whole header. */
  readonly header: Buffer;
  readonly bodyBytes: number;
}

export interface RecoveredBuffer {
  readonly identity: bigint;
  /** By number, all sealed: a start never appends to what an earlier run wrote. */
  readonly segments: Segment[];
  /** Unsettled chunks by sequence number. */
  readonly chunks: RecoveredChunk[];
  readonly nextSequence: number;
  readonly nextSegment: number;
  readonly ackLogBytes: number;
  readonly tornBytes: number;
  /** Segments that could not be synced: what stands in them may not be on the disk. */
  readonly unsynced: readonly Segment[];
}

export interface RecoveryOptions {
  /** False: when the disk has what was written is the kernel's affair. */
  readonly isDurable: boolean;
  readonly fileSystem: FileSystem;
  readonly directory: string;
  readonly quarantine: Quarantine;
  readonly log: StorageLog;
  readonly onQuarantine: (range: QuarantinedRange) => void;
  /** Told of settled chunks that are still there. */
  readonly onDelivered?: ((header: Buffer) => void) | undefined;
}

/** What a directory's files say, before anything is changed. */
export interface DirectorySurvey {
  readonly identity: bigint | undefined;
  readonly numbers: number[];
  /** Segments of another buffer or a later version: never read, never deleted. */
  readonly foreign: number[];
}

/**
 * Brings a buffer's directory into a known state and lists what is still to be delivered. Content
 * never makes it fail: a torn tail is cut, a damaged range is quarantined, a foreign file moved
 * aside. All is checked in the last segment, where a crash tears; elsewhere bodies, and headers behind
 * their descriptions, when they are read.
 */
export async function recoverBuffer(options: RecoveryOptions): Promise<RecoveredBuffer> {
  const { fileSystem, directory, log } = options;
  await removeIfPresent(fileSystem, temporaryPath(join(directory, ackLogName)));
  const survey = await surveyDirectory(fileSystem, directory);
  const numbers = survey.numbers.filter((number) => !survey.foreign.includes(number));
  for (const number of survey.foreign) await moveForeign(options, number);
  const acks = await readAckLog(fileSystem, directory, survey.identity);
  if (acks.damagedEntries > 0) {
    log.warn(
      { directory, entries: acks.damagedEntries },
      'Damaged acknowledgements ignored: some stored chunks may be delivered twice.',
    );
  }
  const state: RecoveryState = {
    options,
    settled: (sequence) => sequence < acks.floor || rangesHold(acks.ranges, sequence),
    segments: [],
    chunks: new Map(),
    tornBytes: 0,
    damaged: false,
    sequenceMax: highestSettled(acks.floor, acks.ranges),
  };
  for (let from = 0; from < numbers.length; from += scansAtOnce) {
    const some = numbers.slice(from, from + scansAtOnce);
    const scanning = some.map((number) => {
      const verifyBodies = number === numbers.at(-1);
      const path = join(directory, segmentFileName(number));
      return withFile(fileSystem, path, 'read', (file) =>
        scanSegment(file, { identity: survey.identity, verifyBodies }),
      );
    });
    const scans = await Promise.all(scanning);
    for (const [index, number] of some.entries()) {
      await recoverSegment(state, number, scans[index]!);
    }
  }
  return {
    identity: survey.identity ?? acks.identity ?? randomBytes(8).readBigUInt64LE(),
    segments: state.segments,
    chunks: [...state.chunks.values()].sort((a, b) => a.sequence - b.sequence),
    nextSequence: state.sequenceMax + 1 + (state.damaged ? sequencesSkipped : 0),
    nextSegment: 1 + Math.max(0, ...survey.numbers, ...(await quarantinedNumbers(options))),
    ackLogBytes: acks.bytes,
    tornBytes: state.tornBytes,
    unsynced: options.isDurable ? await syncLiveSegments(options, state.segments) : [],
  };
}

/**
 * Syncs what is to be delivered. A process that was killed between its write and its sync left
 * chunks that only the kernel has; from now on their sources are taken to be safe. Returns what
 * could not be synced.
 */
async function syncLiveSegments(
  options: RecoveryOptions,
  segments: readonly Segment[],
): Promise<Segment[]> {
  const { fileSystem, directory, log } = options;
  const failed: Segment[] = [];
  const live = segments.filter((segment) => segment.live > 0);
  try {
    if (live.length > 0) await fileSystem.syncDirectory(directory);
  } catch (error) {
    log.error({ directory, error: messageOf(error) }, 'Cannot sync the stored chunks found.');
    return live;
  }
  for (const segment of live) {
    try {
      await withFile(fileSystem, segment.path, 'write', (file) => file.sync());
    } catch (error) {
      const fields = { segment: segment.path, error: messageOf(error) };
      log.error(fields, 'Cannot sync the stored chunks found: writing them again.');
      failed.push(segment);
    }
  }
  return failed;
}

/** Lists segments and finds the identity that most of them, or else the acknowledgements, carry. */
export async function surveyDirectory(
  fileSystem: FileSystem,
  directory: string,
): Promise<DirectorySurvey> {
  const names = await fileSystem.list(directory);
  const numbers = names.map(segmentNumberOf).filter((number) => number !== undefined);
  numbers.sort((a, b) => a - b);
  const identities = new Map<number, bigint>();
  const votes = new Map<bigint, number>();
  const foreign: number[] = [];
  for (const number of numbers) {
    const path = join(directory, segmentFileName(number));
    const header = await withFile(fileSystem, path, 'read', readSegmentHeader);
    if (!header) continue;
    if (header.version !== segmentVersion) {
      foreign.push(number);
      continue;
    }
    identities.set(number, header.identity);
    votes.set(header.identity, (votes.get(header.identity) ?? 0) + 1);
  }
  let identity: bigint | undefined;
  for (const [candidate, count] of votes) {
    if (identity === undefined || count > votes.get(identity)!) identity = candidate;
  }
  identity ??= (await readAckLog(fileSystem, directory, undefined)).identity;
  identity ??= await identityOfRecords(fileSystem, directory, numbers);
  for (const [number, own] of identities) if (own !== identity) foreign.push(number);
  return { identity, numbers, foreign };
}

/** Opens a file for one use. */
export async function withFile<Result>(
  fileSystem: FileSystem,
  path: string,
  mode: 'read' | 'write',
  use: (file: OpenFile) => Promise<Result>,
): Promise<Result> {
  const file = await fileSystem.open(path, mode);
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

interface RecoveryState {
  readonly options: RecoveryOptions;
  readonly settled: (sequence: number) => boolean;
  readonly segments: Segment[];
  readonly chunks: Map<number, RecoveredChunk>;
  tornBytes: number;
  damaged: boolean;
  sequenceMax: number;
}

/** Segments that are looked at together: a start mostly waits for small reads. */
const scansAtOnce = 8;

/**
 * Left out after damage, which may hide the highest numbers used: should the bytes become readable
 * again, their chunks must not meet others of the same number.
 */
const sequencesSkipped = 1_000_000;

async function recoverSegment(
  state: RecoveryState,
  number: number,
  scan: SegmentScan,
): Promise<void> {
  const { fileSystem, directory } = state.options;
  const path = join(directory, segmentFileName(number));
  const lost = scan.damaged.filter(
    ({ sequence }) => sequence === undefined || !state.settled(sequence),
  );
  if (lost.length > 0) {
    await withFile(fileSystem, path, 'read', async (file) => {
      for (const range of lost) {
        await quarantineRange(state.options, { ...range, file: segmentFileName(number) }, file);
      }
    });
  }
  const segment: Segment = { number, path, bytes: scan.bytes, live: 0, sealed: true };
  state.segments.push(segment);
  if (scan.tornAt < scan.bytes) await cutTail(state, segment, scan);
  if (scan.header) state.sequenceMax = Math.max(state.sequenceMax, scan.header.firstSequence - 1);
  for (const range of scan.damaged) {
    state.damaged = true;
    state.sequenceMax = Math.max(state.sequenceMax, range.sequence ?? 0);
  }
  for (const record of scan.records) {
    const { sequence, createdMs, position, headerBytes, header, bodyBytes } = record;
    state.sequenceMax = Math.max(state.sequenceMax, sequence);
    if (state.settled(sequence)) {
      state.options.onDelivered?.(header);
      continue;
    }
    // A later copy was written because the earlier one could not be synced.
    const earlier = state.chunks.get(sequence);
    if (earlier) earlier.segment.live--;
    segment.live++;
    state.chunks.set(sequence, {
      ...{ sequence, createdMs, segment, position },
      ...{ headerBytes, header, bodyBytes },
    });
  }
}

/** Keeps a copy of a damaged range and tells about it, unless an earlier run did. */
export async function quarantineRange(
  options: Omit<RecoveryOptions, 'directory' | 'isDurable'>,
  range: QuarantinedRange,
  source: OpenFile | undefined,
): Promise<void> {
  const { log } = options;
  try {
    if (!(await options.quarantine.keepRange(range, source))) return;
  } catch (error) {
    log.error({ ...range, error: messageOf(error) }, 'Cannot keep a copy of a damaged range.');
  }
  log.error({ ...range }, 'Damaged bytes in the disk buffer: the chunks in them are lost.');
  options.onQuarantine(range);
}

async function cutTail(state: RecoveryState, segment: Segment, scan: SegmentScan): Promise<void> {
  const { fileSystem, log } = state.options;
  const tornBytes = scan.bytes - scan.tornAt;
  state.tornBytes += tornBytes;
  segment.bytes = scan.tornAt;
  log.info({ segment: segment.path, tornBytes }, 'Cut an unfinished write off a segment.');
  try {
    await withFile(fileSystem, segment.path, 'write', (file) => file.truncate(scan.tornAt));
  } catch (error) {
    // Harmless: nothing is appended to it, and the next start finds the same tail.
    log.warn({ segment: segment.path, error: messageOf(error) }, 'Cannot cut a torn segment.');
  }
}

async function moveForeign(options: RecoveryOptions, number: number): Promise<void> {
  const { directory, quarantine, log, onQuarantine } = options;
  const file = segmentFileName(number);
  const path = join(directory, file);
  try {
    const end = await withFile(options.fileSystem, path, 'read', (opened) => opened.size());
    await quarantine.moveFile(path, file);
    log.error({ file }, 'A segment of another buffer or a later version was moved to quarantine.');
    onQuarantine({ file, start: 0, end, reason: 'foreign' });
  } catch (error) {
    log.error({ file, error: messageOf(error) }, 'Cannot move a foreign segment to quarantine.');
  }
}

async function identityOfRecords(
  fileSystem: FileSystem,
  directory: string,
  numbers: readonly number[],
): Promise<bigint | undefined> {
  for (const number of numbers) {
    const path = join(directory, segmentFileName(number));
    const scan = await withFile(fileSystem, path, 'read', (file) =>
      scanSegment(file, { verifyBodies: false }),
    );
    if (scan.identity !== undefined) return scan.identity;
  }
  return undefined;
}

async function quarantinedNumbers(options: RecoveryOptions): Promise<number[]> {
  const numbers: number[] = [];
  for (const name of await options.quarantine.names()) {
    const number = segmentNumberOf(name.slice(0, name.indexOf('.seg') + 4));
    if (number !== undefined) numbers.push(number);
  }
  return numbers;
}

function highestSettled(floor: number, ranges: readonly SequenceRange[]): number {
  return Math.max(0, floor - 1, ranges.at(-1)?.last ?? 0);
}
