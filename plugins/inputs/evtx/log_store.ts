import { randomBytes } from 'node:crypto';
import { readSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import type { InputContext, StoredCheckpoint } from '../../../core/sdk/index.ts';
import { chunkBytes, chunkHeaderBytes, recordSizeAt } from './chunk.ts';
import type { FileScan, ScannedChunk } from './file_scan.ts';
import type { LogFile } from './log_file.ts';
import { identityOf, keyOf, type StoredIdentity } from './positions.ts';

/** How a file relates to what was read of a log. `overwritten`: it goes on, but the chunk at the
 *  position is gone. */
export type Relation = 'same' | 'overwritten' | 'other';

interface Unclaimed {
  readonly key: string;
  readonly checkpoint: StoredCheckpoint;
  readonly identity: StoredIdentity;
}

/** Checkpoints of logs that were not seen for this long are given up. */
const keptMs = 7 * 24 * 3600 * 1000;

/** Opens and ends the sources of logs, and finds the checkpoint that a file goes on from. */
export class LogStore {
  /** The files that are there now, by `device:inode`. */
  foundKeys: ReadonlyMap<string, string> = new Map();
  private readonly context: InputContext;
  private readonly keysInUse = new Set<string>();
  /** Replaced logs of which not everything is settled. */
  private readonly ending: { readonly file: LogFile; readonly key: string }[] = [];

  constructor(context: InputContext) {
    this.context = context;
  }

  /** Opens the source of a file: goes on from a checkpoint, or begins at `start`. */
  async open(file: LogFile, scan: FileScan, descriptor: number, start: number): Promise<void> {
    const one = this.claim(file, scan, descriptor);
    const key = one?.key ?? randomBytes(8).toString('hex');
    const positions = one === undefined ? undefined : one.checkpoint.positions;
    const stored = positions === undefined ? [] : Object.values(positions);
    const position = stored.length > 0 ? Math.min(...stored) : start;
    if (one !== undefined) {
      file.remember(keyOf(one.identity.position), {
        print: one.identity.print,
        lastId: one.identity.lastId,
      });
      file.nextId = one.identity.lastId === 0 ? 0 : one.identity.lastId + 1;
    } else if (start > 0) this.rememberStart(file, scan, descriptor, start);
    this.keysInUse.add(key);
    try {
      file.source = await this.context.sources.open({
        name: file.path,
        checkpointKey: key,
        ...(one === undefined ? {} : { generation: one.checkpoint.generation }),
        ...(positions === undefined ? {} : { positions }),
        startPosition: position,
        identity: async (at) => file.identify(at),
        onSettled: (at) => file.settle(at),
      });
    } catch (error) {
      this.keysInUse.delete(key);
      throw error;
    }
    file.checkpointKey = key;
    file.position = file.source.resumePosition;
    file.sentPosition = file.position;
  }

  /** Whether a file still holds the log that was read of it. */
  relation(file: LogFile, scan: FileScan, descriptor: number): Relation {
    const print = file.memory(keyOf(file.position))?.print ?? '';
    return relate(scan, descriptor, file.position, print);
  }

  /** The file holds another log: its checkpoint goes once all of the old one is settled. */
  replace(file: LogFile): void {
    const { source, checkpointKey, sentPosition } = file;
    if (source !== undefined) {
      const old = Object.assign(Object.create(Object.getPrototypeOf(file)) as LogFile, file);
      this.ending.push({ file: Object.assign(old, { sentPosition }), key: checkpointKey });
    }
    file.startAnew();
    this.collect();
  }

  /** Closes the source of a file that is gone; its checkpoint stays. */
  close(file: LogFile): void {
    file.source?.close();
    file.source = undefined;
    this.keysInUse.delete(file.checkpointKey);
  }

  collect(): void {
    for (let i = this.ending.length - 1; i >= 0; i--) {
      const { file, key } = this.ending[i]!;
      if (!file.isSettled) continue;
      this.ending.splice(i, 1);
      file.source?.close();
      this.keysInUse.delete(key);
      this.context.sources.forget(key);
    }
  }

  closeAll(): void {
    for (const { file } of this.ending) file.source?.close();
    this.ending.length = 0;
  }

  /** Gives up the checkpoints of logs that were not found for a long time. */
  dropStale(): void {
    const oldest = this.context.clock.nowMs() - keptMs;
    for (const [key, checkpoint] of this.context.sources.checkpoints()) {
      const isOurs = identityOf(checkpoint) !== undefined;
      if (this.keysInUse.has(key)) continue;
      if (!isOurs || checkpoint.updatedAtMs < oldest) this.context.sources.forget(key);
    }
  }

  /** The checkpoint that fits: of the same file, or of one that had the path. */
  private claim(file: LogFile, scan: FileScan, descriptor: number): Unclaimed | undefined {
    let byPath: Unclaimed | undefined;
    for (const [key, checkpoint] of this.context.sources.checkpoints()) {
      const identity = identityOf(checkpoint);
      if (identity === undefined || this.keysInUse.has(key)) continue;
      const isFile = identity.file === file.facts.key;
      // A checkpoint whose file was renamed is that file's.
      const isPath = identity.path === file.path && !this.foundKeys.has(identity.file);
      if (!isFile && !isPath) continue;
      if (relate(scan, descriptor, identity.position, identity.print) === 'other') continue;
      if (isFile) return { key, checkpoint, identity };
      byPath = { key, checkpoint, identity };
    }
    return byPath;
  }

  private rememberStart(file: LogFile, scan: FileScan, descriptor: number, start: number): void {
    const chunk = scan.chunks.find(({ key }) => key === keyOf(start));
    if (chunk === undefined) return;
    const print = printOfChunk(descriptor, chunk);
    file.remember(chunk.key, { print, lastId: chunk.header?.lastId ?? 0 });
  }
}

/** Finds the chunk at a position again: by its first record, which stays while the chunk fills. */
function relate(scan: FileScan, descriptor: number, position: number, print: string): Relation {
  if (position === 0 || print === '') return 'same';
  const key = keyOf(position);
  const chunk = scan.chunks.find((one) => one.key === key);
  if (chunk !== undefined) return printOfChunk(descriptor, chunk) === print ? 'same' : 'other';
  const isBehind = scan.chunks.length > 0 && scan.chunks[0]!.key > key;
  return isBehind ? 'overwritten' : 'other';
}

function printOfChunk(descriptor: number, { offset }: ScannedChunk): string {
  const bytes = Buffer.alloc(chunkBytes);
  const length = readSync(descriptor, bytes, 0, chunkBytes, offset);
  return chunkPrint(bytes.subarray(0, length));
}

/** Print of a chunk's first record: checksum, id and time. */
export function chunkPrint(bytes: Buffer): string {
  const at = chunkHeaderBytes;
  const size = recordSizeAt(bytes, at, bytes.length);
  if (size === 0) return '';
  const checksum = crc32(bytes.subarray(at, at + size)).toString(16);
  return `${checksum}-${bytes.toString('hex', at + 8, at + 24)}`;
}
