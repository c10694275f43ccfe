import { basename, join } from 'node:path';
import { readAckLog, rangesHold } from './ack_log.ts';
import { type FileSystem, isMissing, nodeFileSystem } from './file_system.ts';
import type { QuarantinedRange } from './quarantine.ts';
import { surveyDirectory, withFile } from './recovery.ts';
import { segmentFileName } from './segment.ts';
import { scanSegment } from './segment_scan.ts';
import { storageFailed } from './storage_error.ts';

export interface SegmentReport {
  readonly name: string;
  readonly bytes: number;
  readonly records: number;
  readonly pendingRecords: number;
  readonly pendingBytes: number;
  /** Of its intact records; undefined when there is none. */
  readonly firstSequence: number | undefined;
  readonly lastSequence: number | undefined;
  readonly oldestMs: number | undefined;
  readonly damagedBytes: number;
  readonly tornBytes: number;
}

/** What a complete read of a buffer's files found. */
export interface VerifyReport {
  readonly segments: SegmentReport[];
  readonly bytes: number;
  readonly records: number;
  readonly pendingRecords: number;
  readonly pendingBytes: number;
  /** When the oldest unsettled chunk was stored, in milliseconds since the epoch. */
  readonly oldestMs: number | undefined;
  /** The first 1,000 damaged ranges. */
  readonly damaged: QuarantinedRange[];
  readonly damagedRanges: number;
  readonly damagedBytes: number;
  /** An unfinished write at the end of a segment: normal while an agent writes or after a crash. */
  readonly tornBytes: number;
  /** Segments of another buffer or a later version. */
  readonly foreign: string[];
}

export interface VerifyTarget {
  readonly path: string;
  /** Reads no further: an agent may be writing behind it. */
  readonly bytes?: number;
}

const damagedListedMax = 1000;

/**
 * Reads a buffer's directory without changing or locking anything, for the command line; an agent
 * may be using it meanwhile. Errors: SLUICE_STORAGE_FAILED.
 */
export async function inspectDiskBuffer(
  directory: string,
  fileSystem: FileSystem = nodeFileSystem(),
): Promise<VerifyReport> {
  try {
    const survey = await surveyDirectory(fileSystem, directory);
    const acks = await readAckLog(fileSystem, directory, survey.identity);
    const isSettled = (sequence: number) =>
      sequence < acks.floor || rangesHold(acks.ranges, sequence);
    const own = survey.numbers.filter((number) => !survey.foreign.includes(number));
    const targets = own.map((number) => ({ path: join(directory, segmentFileName(number)) }));
    const foreign = survey.foreign.map(segmentFileName);
    return await verifySegments(fileSystem, targets, survey.identity, isSettled, foreign);
  } catch (error) {
    throw storageFailed(`read the disk buffer in ${directory}`, error);
  }
}

/** Reads segments in full. A segment that is deleted meanwhile is left out. */
export async function verifySegments(
  fileSystem: FileSystem,
  targets: readonly VerifyTarget[],
  identity: bigint | undefined,
  isSettled: (sequence: number) => boolean,
  foreign: string[] = [],
): Promise<VerifyReport> {
  const segments: SegmentReport[] = [];
  const damaged: QuarantinedRange[] = [];
  let damagedRanges = 0;
  for (const target of targets) {
    try {
      const found = await verifySegment(fileSystem, target, identity, isSettled);
      segments.push(found.report);
      damagedRanges += found.damaged.length;
      damaged.push(...found.damaged.slice(0, damagedListedMax - damaged.length));
    } catch (error) {
      if (!isMissing(error)) throw storageFailed(`read ${target.path}`, error);
    }
  }
  const sum = (pick: (report: SegmentReport) => number) =>
    segments.reduce((total, report) => total + pick(report), 0);
  return {
    segments,
    bytes: sum((report) => report.bytes),
    records: sum((report) => report.records),
    pendingRecords: sum((report) => report.pendingRecords),
    pendingBytes: sum((report) => report.pendingBytes),
    oldestMs: smallest(segments.map((report) => report.oldestMs)),
    damaged,
    damagedRanges,
    damagedBytes: sum((report) => report.damagedBytes),
    tornBytes: sum((report) => report.tornBytes),
    foreign,
  };
}

async function verifySegment(
  fileSystem: FileSystem,
  target: VerifyTarget,
  identity: bigint | undefined,
  isSettled: (sequence: number) => boolean,
): Promise<{ report: SegmentReport; damaged: QuarantinedRange[] }> {
  const name = basename(target.path);
  const { bytes } = target;
  const scan = await withFile(fileSystem, target.path, 'read', (file) =>
    scanSegment(file, { identity, verifyBodies: true, ...(bytes === undefined ? {} : { bytes }) }),
  );
  const pending = scan.records.filter((record) => !isSettled(record.sequence));
  return {
    report: {
      name,
      bytes: scan.bytes,
      records: scan.records.length,
      pendingRecords: pending.length,
      pendingBytes: pending.reduce((total, record) => total + record.bodyBytes, 0),
      firstSequence: scan.records[0]?.sequence,
      lastSequence: scan.records.at(-1)?.sequence,
      oldestMs: smallest(pending.map((record) => record.createdMs)),
      damagedBytes: scan.damaged.reduce((total, range) => total + range.end - range.start, 0),
      tornBytes: scan.bytes - scan.tornAt,
    },
    damaged: scan.damaged.map((range) => ({ ...range, file: name })),
  };
}

function smallest(values: readonly (number | undefined)[]): number | undefined {
  let least: number | undefined;
  for (const value of values) {
    if (value !== undefined && (least === undefined || value < least)) least = value;
  }
  return least;
}
