import { join } from 'node:path';
import { readWholeFile } from '../buffer/atomic_file.ts';
import { type FileSystem, isMissing, nodeFileSystem } from '../buffer/file_system.ts';
import { storageFailed } from '../buffer/storage_error.ts';
import { SluiceError } from '../errors/sluice_error.ts';
import { DeadLetterCodec } from './avro_container.ts';
import { type ContainerScan, scanContainer } from './container_scan.ts';
import type { DeadLetter } from './dead_letter.ts';
import { readRemovals } from './removal_log.ts';

export type DeadLetterEntry =
  | { readonly kind: 'letter'; readonly letter: DeadLetter }
  | {
      readonly kind: 'damaged';
      readonly file: string;
      readonly start: number;
      readonly end: number;
    };

export interface ReadDeadLettersOptions {
  /** Goes on behind damage and tells its range; otherwise damage ends the reading with an error. */
  readonly salvage: boolean;
  readonly fileSystem?: FileSystem;
}

export interface DeadLetterSummary {
  readonly count: number;
  /** Bytes of the container files, letters that were removed included. */
  readonly bytes: number;
  readonly oldestMs: number | undefined;
  readonly newestMs: number | undefined;
  /** The ten commonest reason codes, with an example each. */
  readonly reasons: { readonly code: string; readonly count: number; readonly example: string }[];
  readonly damagedRanges: number;
}

const containerName = /^(\d{8,15})\.avro$/;
const containerBytesMax = 0x7fffffff;
const reasonsCountedMax = 1000;
const reasonsListed = 10;

export function containerFileName(number: number): string {
  return `${String(number).padStart(8, '0')}.avro`;
}

/** Numbers of the container files in a directory, ascending; none when it does not exist. */
export async function containerNumbers(
  fileSystem: FileSystem,
  directory: string,
): Promise<number[]> {
  let names: string[];
  try {
    names = await fileSystem.list(directory);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
  return names
    .map((name) => containerName.exec(name)?.[1])
    .filter((digits) => digits !== undefined)
    .map(Number)
    .sort((a, b) => a - b);
}

/** Reads and scans one container; undefined when it does not exist. */
export async function scanContainerFile(
  fileSystem: FileSystem,
  directory: string,
  number: number,
  codec: DeadLetterCodec,
): Promise<(ContainerScan & { readonly bytes: number }) | undefined> {
  const path = join(directory, containerFileName(number));
  const content = await readWholeFile(fileSystem, path, containerBytesMax);
  return content && { ...scanContainer(content, codec), bytes: content.length };
}

/**
 * Reads an output's dead letters, oldest first, without those that were removed. It locks nothing:
 * an agent may be writing meanwhile, and a block it has not finished is left out. One file is in
 * memory at a time. Errors: SLUICE_STORAGE_FAILED; without `salvage` SLUICE_STORAGE_DAMAGED.
 */
export async function* readDeadLetters(
  directory: string,
  options: ReadDeadLettersOptions,
): AsyncGenerator<DeadLetterEntry> {
  const fileSystem = options.fileSystem ?? nodeFileSystem();
  const codec = new DeadLetterCodec();
  let scan: Awaited<ReturnType<typeof scanContainerFile>>;
  const removed = await orFail(directory, readRemovals(fileSystem, directory));
  for (const number of await orFail(directory, containerNumbers(fileSystem, directory))) {
    scan = await orFail(directory, scanContainerFile(fileSystem, directory, number, codec));
    const file = containerFileName(number);
    for (const { start, end } of scan?.damaged ?? []) {
      if (!options.salvage) throw damagedError(join(directory, file), start, end);
      yield { kind: 'damaged', file, start, end };
    }
    for (const { position, encoded } of scan?.letters ?? []) {
      const letter = codec.decodeLetter(encoded);
      if (removed.has(number, position, letter.id)) continue;
      const reference = { file: number, position, id: letter.id };
      yield { kind: 'letter', letter: { ...letter, reference } };
    }
  }
}

/** Counts an output's dead letters by reading all of them. Errors: SLUICE_STORAGE_FAILED. */
export async function summarizeDeadLetters(
  directory: string,
  fileSystem: FileSystem = nodeFileSystem(),
): Promise<DeadLetterSummary> {
  let count = 0;
  let damagedRanges = 0;
  let oldestMs: number | undefined;
  let newestMs: number | undefined;
  const reasons = new Map<string, { code: string; count: number; example: string }>();
  for await (const entry of readDeadLetters(directory, { salvage: true, fileSystem })) {
    if (entry.kind === 'damaged') {
      damagedRanges++;
      continue;
    }
    const { reason, reasonCode: code, failedAt } = entry.letter;
    const failedAtMs = failedAt.seconds * 1000 + Math.floor(failedAt.nanos / 1e6);
    count++;
    oldestMs = Math.min(oldestMs ?? failedAtMs, failedAtMs);
    newestMs = Math.max(newestMs ?? failedAtMs, failedAtMs);
    const counted = reasons.get(code);
    if (counted) counted.count++;
    else if (reasons.size < reasonsCountedMax)
      reasons.set(code, { code, count: 1, example: reason });
  }
  const bytes = await orFail(directory, containerBytes(fileSystem, directory));
  const top = [...reasons.values()].sort((a, b) => b.count - a.count).slice(0, reasonsListed);
  return { count, bytes, oldestMs, newestMs, reasons: top, damagedRanges };
}

async function containerBytes(fileSystem: FileSystem, directory: string): Promise<number> {
  let bytes = 0;
  for (const number of await containerNumbers(fileSystem, directory)) {
    bytes += (await containerSize(fileSystem, directory, number)) ?? 0;
  }
  return bytes;
}

/** The size of one container; undefined when it does not exist. */
export async function containerSize(
  fileSystem: FileSystem,
  directory: string,
  number: number,
): Promise<number | undefined> {
  try {
    const file = await fileSystem.open(join(directory, containerFileName(number)), 'read');
    try {
      return await file.size();
    } finally {
      await file.close();
    }
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

async function orFail<Result>(directory: string, work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    throw storageFailed(`read the dead letters in ${directory}`, error);
  }
}

function damagedError(path: string, start: number, end: number): SluiceError {
  return new SluiceError(
    'SLUICE_STORAGE_DAMAGED',
    `${path} is damaged from byte ${start} to ${end}: read it with salvage to get the rest.`,
  );
}
