/**
 * The checkpoint file: a journal of lines, each `CHECKSUM JSON\n` with the CRC-32 of the JSON text
 * as 8 hexadecimal digits. The first line is `{"sluice_checkpoints":1,"number":N,"entries":M}`; then
 * `{"key":K,"entry":{…}}` sets and `{"key":K}` deletes; later lines win. The first M of them were
 * synced before the file got its name: when fewer stand there, that is damage, not a crash.
 *
 * Two generations stand side by side: PATH and PATH.previous. A flush appends the changed entries
 * to PATH and syncs; when PATH has grown to twice what it holds, all entries go to a new file, PATH
 * becomes PATH.previous and the new file PATH. An unfinished last line is what a crash leaves, and
 * is cut. Any other damaged line costs one change: its entry is then taken from an earlier line or
 * from PATH.previous, which is an older position, so records are read twice and none is lost.
 */
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import {
  readWholeFile,
  removeIfPresent,
  temporaryPath,
  writeNewFile,
} from '../buffer/atomic_file.ts';
import {
  type FileSystem,
  isMissing,
  nodeFileSystem,
  type OpenFile,
} from '../buffer/file_system.ts';
import { type StorageLog, storageClosed, storageFailed } from '../buffer/storage_error.ts';
import { messageOf } from '../errors/sluice_error.ts';

/** How far a source was read, for each output. */
export interface CheckpointEntry {
  /** The source's generation, 32 hexadecimal digits. */
  readonly generation: string;
  /** By output: everything before this position is settled. */
  readonly position: Readonly<Record<string, number>>;
  /** What the input knows its source by; JSON. */
  readonly identity: unknown;
  readonly updatedAtMs: number;
}

export interface CheckpointStoreOptions {
  readonly path: string;
  readonly log: StorageLog;
  readonly fileSystem?: FileSystem;
  /** Most entries kept; default 100,000. */
  readonly entriesMax?: number;
  /** Tells whether a source still exists: the others give way first when there are too many. */
  readonly isAlive?: (key: string) => boolean;
}

export interface CheckpointStore {
  readonly entries: ReadonlyMap<string, CheckpointEntry>;
  /** Lines found damaged at the start; 0 means that all was read. */
  readonly damagedLines: number;
  /** Entries of living sources that gave way to the limit: their sources are read again. */
  readonly evictedAlive: number;
  set(key: string, entry: CheckpointEntry): void;
  delete(key: string): void;
  /**
   * Makes all changes up to now durable; calls that overlap share the work. Called about once a
   * second. Errors: SLUICE_STORAGE_FAILED (retryable: the changes wait for the next flush).
   */
  flush(): Promise<void>;
  /** Flushes and closes. Idempotent. */
  close(): Promise<void>;
}

const lineEnd = 0x0a;
/** The checksum and a blank. */
const prefixBytes = 9;
const hexDigits = Buffer.from('0123456789abcdef', 'latin1');

/** Beyond these, the file is written anew when it is twice as large as what it holds. */
const journalBytesMin = 1024 * 1024;
const fileBytesMax = 1024 * 1024 * 1024;
const entriesMaxDefault = 100_000;
/** Room made at once when there are too many entries, so that it is not looked for each time. */
const evictedShare = 0.1;

/**
 * Opens the checkpoints of an agent. Content never makes it fail: with both generations unreadable
 * it starts empty, and what was there is kept beside it as PATH.damaged.
 * Errors: SLUICE_STORAGE_FAILED.
 */
export async function openCheckpointStore(
  options: CheckpointStoreOptions,
): Promise<CheckpointStore> {
  const { path } = options;
  const fileSystem = options.fileSystem ?? nodeFileSystem();
  try {
    await fileSystem.makeDirectory(dirname(path));
    await removeIfPresent(fileSystem, temporaryPath(path));
    const newest = await readGeneration(fileSystem, path);
    const previous = await readGeneration(fileSystem, previousPath(path));
    const isDamaged = newest !== undefined && newest.damagedLines > 0;
    const needsPrevious = newest === undefined || isDamaged;
    const entries = new Map<string, CheckpointEntry>();
    let damagedLines = newest?.damagedLines ?? 0;
    if (needsPrevious && previous) {
      damagedLines += previous.damagedLines;
      applyChanges(entries, previous.changes);
    }
    if (newest) applyChanges(entries, newest.changes);
    if (damagedLines > 0) await reportDamage(options, fileSystem, newest, previous, damagedLines);
    return new JournaledCheckpoints(options, fileSystem, entries, {
      number: Math.max(newest?.number ?? 0, previous?.number ?? 0),
      // A damaged file is not appended to: the first flush writes a new one.
      bytes: needsPrevious ? 0 : newest.bytes,
      damagedLines,
    });
  } catch (error) {
    throw storageFailed(`open the checkpoints in ${path}`, error);
  }
}

interface Change {
  readonly key: string;
  readonly entry: CheckpointEntry | undefined;
}

interface Generation {
  readonly number: number;
  readonly changes: Change[];
  readonly damagedLines: number;
  /** Up to where it is whole; appending goes on there. */
  readonly bytes: number;
  readonly content: Buffer;
}

class JournaledCheckpoints implements CheckpointStore {
  readonly entries: Map<string, CheckpointEntry>;
  readonly damagedLines: number;
  evictedAlive = 0;
  readonly #options: CheckpointStoreOptions;
  readonly #fileSystem: FileSystem;
  readonly #entriesMax: number;
  #changed = new Set<string>();
  #file: OpenFile | undefined;
  #number: number;
  /** 0: the next flush writes a new file. */
  #bytes: number;
  #rewrittenBytes: number;
  #running: Promise<void> | undefined;
  #queued: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(
    options: CheckpointStoreOptions,
    fileSystem: FileSystem,
    entries: Map<string, CheckpointEntry>,
    state: { number: number; bytes: number; damagedLines: number },
  ) {
    this.#options = options;
    this.#fileSystem = fileSystem;
    this.#entriesMax = options.entriesMax ?? entriesMaxDefault;
    this.entries = entries;
    this.damagedLines = state.damagedLines;
    this.#number = state.number;
    this.#bytes = state.bytes;
    this.#rewrittenBytes = state.bytes;
    this.#makeRoom(0);
  }

  set(key: string, entry: CheckpointEntry): void {
    if (!this.entries.has(key)) this.#makeRoom(1);
    this.entries.set(key, entry);
    this.#changed.add(key);
  }

  delete(key: string): void {
    if (this.entries.delete(key)) this.#changed.add(key);
  }

  flush(): Promise<void> {
    if (this.#closing) return Promise.reject(storageClosed());
    return this.#flushInTurn();
  }

  close(): Promise<void> {
    this.#closing ??= this.#flushInTurn().finally(() => this.#closeFile());
    return this.#closing;
  }

  /** One flush runs, at most one waits: it takes all changes made before it starts. */
  #flushInTurn(): Promise<void> {
    if (!this.#running) {
      this.#running = this.#flush().finally(() => {
        this.#running = undefined;
      });
      return this.#running;
    }
    this.#queued ??= this.#running
      .catch(() => undefined)
      .then(() => {
        this.#queued = undefined;
        return this.#flushInTurn();
      });
    return this.#queued;
  }

  async #flush(): Promise<void> {
    if (this.#changed.size === 0) return;
    const changed = this.#changed;
    this.#changed = new Set();
    try {
      const limitBytes = Math.max(journalBytesMin, 2 * this.#rewrittenBytes);
      if (this.#bytes === 0 || this.#bytes > limitBytes) await this.#rewrite();
      else await this.#append(encodeLines(changed, this.entries));
    } catch (error) {
      for (const key of changed) this.#changed.add(key);
      throw storageFailed(`write the checkpoints in ${this.#options.path}`, error);
    }
  }

  async #append(lines: Buffer): Promise<void> {
    const start = this.#bytes;
    // If this fails, the file's content is unknown, and after a failed sync it stays so.
    this.#bytes = 0;
    if (!this.#file) {
      this.#file = await this.#fileSystem.open(this.#options.path, 'write');
      // What a crash left unfinished must not show behind shorter lines.
      await this.#file.truncate(start);
    }
    await this.#file.write([lines], start);
    await this.#file.sync();
    this.#bytes = start + lines.length;
  }

  async #rewrite(): Promise<void> {
    this.#bytes = 0;
    await this.#closeFile();
    const { path } = this.#options;
    const number = this.#number + 1;
    const content = Buffer.concat([
      encodeLine({ sluice_checkpoints: 1, number, entries: this.entries.size }),
      encodeLines(this.entries.keys(), this.entries),
    ]);
    await writeNewFile(this.#fileSystem, temporaryPath(path), [content]);
    // Between the two renames PATH is missing and PATH.previous has all: a start then reads that.
    await renameIfPresent(this.#fileSystem, path, previousPath(path));
    await this.#fileSystem.rename(temporaryPath(path), path);
    await this.#fileSystem.syncDirectory(dirname(path));
    this.#number = number;
    this.#bytes = content.length;
    this.#rewrittenBytes = content.length;
  }

  async #closeFile(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close().catch(() => undefined);
  }

  /** Lets the longest untouched entries go, those of dead sources first. */
  #makeRoom(wanted: number): void {
    if (this.entries.size + wanted <= this.#entriesMax) return;
    const isAlive = this.#options.isAlive ?? (() => false);
    const surplus = this.entries.size + wanted - this.#entriesMax;
    const target = Math.max(surplus, Math.floor(this.#entriesMax * evictedShare));
    const byAge = [...this.entries].sort((a, b) => a[1].updatedAtMs - b[1].updatedAtMs);
    const living: string[] = [];
    let evicted = 0;
    for (const [key] of byAge) {
      if (evicted >= target) break;
      if (isAlive(key)) living.push(key);
      else {
        this.delete(key);
        evicted++;
      }
    }
    for (const key of living.slice(0, Math.max(0, surplus - evicted))) {
      this.delete(key);
      this.evictedAlive++;
      const fields = { key, entriesMax: this.#entriesMax };
      this.#options.log.warn(fields, 'Too many checkpoints: a living source will be read again.');
    }
  }
}

async function readGeneration(
  fileSystem: FileSystem,
  path: string,
): Promise<Generation | undefined> {
  const content = await readWholeFile(fileSystem, path, fileBytesMax);
  if (!content) return undefined;
  const changes: Change[] = [];
  let number = 0;
  let entriesMissing = 0;
  let damagedLines = 0;
  let position = 0;
  while (position < content.length) {
    const end = content.indexOf(lineEnd, position);
    if (end < 0) break;
    const value = decodeLine(content.subarray(position, end));
    if (position === 0) {
      number = numberOf(value, 'number');
      entriesMissing = numberOf(value, 'entries');
      if (number === 0) damagedLines++;
    } else {
      entriesMissing--;
      const change = changeOf(value);
      if (change) changes.push(change);
      else damagedLines++;
    }
    position = end + 1;
  }
  // A flipped line end looks like an unfinished line, but the line before it is whole.
  const rest = changeOf(decodeLine(content.subarray(position, -1)));
  if (rest) {
    changes.push(rest);
    damagedLines++;
  }
  // A new generation is synced before it gets its name, so not even a header means damage.
  if (number === 0 && damagedLines === 0) damagedLines = 1;
  // Lines that were joined by a flipped line end are counted already.
  if (entriesMissing > 0 && damagedLines === 0) damagedLines = entriesMissing;
  return { number, changes, damagedLines, bytes: position, content };
}

async function reportDamage(
  options: CheckpointStoreOptions,
  fileSystem: FileSystem,
  newest: Generation | undefined,
  previous: Generation | undefined,
  damagedLines: number,
): Promise<void> {
  const { path, log } = options;
  const damaged = newest && newest.damagedLines > 0 ? newest : previous;
  const copy = `${path}.damaged`;
  try {
    if (damaged) await writeNewFile(fileSystem, copy, [damaged.content]);
  } catch (error) {
    log.warn({ copy, error: messageOf(error) }, 'Cannot keep a copy of damaged checkpoints.');
  }
  log.error(
    { path, damagedLines, copy },
    'Damaged checkpoints: some sources go on from an older position, or from their start.',
  );
}

function applyChanges(entries: Map<string, CheckpointEntry>, changes: readonly Change[]): void {
  for (const { key, entry } of changes) {
    if (entry) entries.set(key, entry);
    else entries.delete(key);
  }
}

function encodeLines(
  keys: Iterable<string>,
  entries: ReadonlyMap<string, CheckpointEntry>,
): Buffer {
  let text = '';
  for (const key of keys) text += `00000000 ${JSON.stringify({ key, entry: entries.get(key) })}\n`;
  return withChecksums(Buffer.from(text));
}

function encodeLine(value: object): Buffer {
  return withChecksums(Buffer.from(`00000000 ${JSON.stringify(value)}\n`));
}

/** Fills the checksum of each line in. On the bytes, since a checksum of a string encodes it anew. */
function withChecksums(lines: Buffer): Buffer {
  for (let start = 0; start < lines.length; ) {
    const end = lines.indexOf(lineEnd, start);
    let checksum = crc32(lines.subarray(start + prefixBytes, end));
    for (let digit = 7; digit >= 0; digit--) {
      lines[start + digit] = hexDigits[checksum & 15]!;
      checksum >>>= 4;
    }
    start = end + 1;
  }
  return lines;
}

/** The value of a line; undefined when it is damaged. */
function decodeLine(line: Buffer): unknown {
  if (line.length <= prefixBytes) return undefined;
  const json = line.subarray(prefixBytes);
  if (line.toString('latin1', 0, prefixBytes) !== `${crc32(json).toString(16).padStart(8, '0')} `) {
    return undefined;
  }
  try {
    return JSON.parse(json.toString());
  } catch {
    return undefined;
  }
}

/** A number of the first line; 0 when it has none. */
function numberOf(value: unknown, name: 'number' | 'entries'): number {
  if (!isObject(value) || value.sluice_checkpoints !== 1) return 0;
  const number = value[name];
  return typeof number === 'number' && number > 0 ? number : 0;
}

function changeOf(value: unknown): Change | undefined {
  if (!isObject(value) || typeof value.key !== 'string') return undefined;
  if (value.entry === undefined) return { key: value.key, entry: undefined };
  const { entry } = value;
  if (!isObject(entry) || !isObject(entry.position)) return undefined;
  const { generation, identity, updatedAtMs } = entry;
  if (typeof generation !== 'string' || typeof updatedAtMs !== 'number') return undefined;
  const position: Record<string, number> = {};
  for (const [output, at] of Object.entries(entry.position)) {
    if (typeof at !== 'number') return undefined;
    position[output] = at;
  }
  return { key: value.key, entry: { generation, position, identity, updatedAtMs } };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function previousPath(path: string): string {
  return `${path}.previous`;
}

async function renameIfPresent(fileSystem: FileSystem, from: string, to: string): Promise<void> {
  try {
    await fileSystem.rename(from, to);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}
