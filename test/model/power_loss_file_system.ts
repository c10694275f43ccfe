import { dirname } from 'node:path';
import type { FileSystem, OpenFile, OpenMode } from '../../core/buffer/file_system.ts';
import { systemError } from '../unit/buffer/memory_file_system.ts';
import type { Random } from './random.ts';

const sectorBytes = 512;

export type FaultyCall = 'open' | 'write' | 'truncate' | 'sync' | 'sync_directory' | 'rename';

interface Write {
  readonly position: number;
  readonly data: Buffer;
}

interface Truncation {
  readonly bytes: number;
}

interface NameChange {
  readonly directory: string;
  /** Changes names as the kernel did; nothing happens when what it needs is not there. */
  readonly apply: (names: Map<string, Inode>) => void;
}

/** One file: what the kernel shows, what the disk has, and what stands between the two. */
class Inode {
  shown: Buffer;
  durable: Buffer;
  unsynced: (Write | Truncation)[] = [];

  constructor(content: Buffer = Buffer.alloc(0)) {
    this.shown = content;
    this.durable = Buffer.from(content);
  }
}

/**
 * A disk whose machine can lose power. What was not synced survives in part: any subset of the
 * 512-byte sectors that were written, some of them torn, a length without its data, a truncation
 * or not. A name that was created, renamed or removed survives for sure after its directory was
 * synced; before that either in the order of a journal or in none. A sync that fails drops what it
 * was to write, and the next one succeeds without it, as Linux does after an I/O error.
 */
export class PowerLossFileSystem implements FileSystem {
  readonly #shown: Map<string, Inode>;
  readonly #durable: Map<string, Inode>;
  #nameChanges: NameChange[] = [];
  /** Calls that fail with EIO until it is emptied. */
  readonly failing = new Set<FaultyCall>();
  bytesFree = Number.POSITIVE_INFINITY;
  /** A sync failed: the process knows what must be written again, the next one cannot. */
  hasDropped = false;
  #isOff = false;

  constructor(names: Map<string, Inode> = new Map()) {
    this.#shown = names;
    this.#durable = new Map(names);
  }

  /** True when all that was written is on the disk, names included. */
  get isAllDurable(): boolean {
    if (this.#nameChanges.length > 0) return false;
    return [...this.#shown.values()].every(({ unsynced }) => unsynced.length === 0);
  }

  get hasFaults(): boolean {
    return this.failing.size > 0 || this.bytesFree !== Number.POSITIVE_INFINITY;
  }

  heal(): void {
    this.failing.clear();
    this.bytesFree = Number.POSITIVE_INFINITY;
  }

  /** What another process finds after this one was killed. The killed one can do nothing more. */
  afterKill(): PowerLossFileSystem {
    this.#isOff = true;
    const next = new PowerLossFileSystem();
    const copies = new Map<Inode, Inode>();
    for (const [path, inode] of this.#shown) next.#shown.set(path, copyOf(inode, copies));
    for (const [path, inode] of this.#durable) next.#durable.set(path, copyOf(inode, copies));
    // The order of names that are not durable yet is settled here, for simplicity.
    for (const change of this.#nameChanges) change.apply(next.#durable);
    for (const [path] of next.#durable) if (!next.#shown.has(path)) next.#durable.delete(path);
    for (const [path, inode] of next.#shown) next.#durable.set(path, inode);
    next.#removeLocks();
    return next;
  }

  /** What the machine finds after it lost power. The process before can do nothing more. */
  afterPowerLoss(random: Random): PowerLossFileSystem {
    this.#isOff = true;
    const names = new Map(this.#durable);
    const inOrder = random.chance(0.5);
    const survivors = random.below(this.#nameChanges.length + 1);
    for (const [index, change] of this.#nameChanges.entries()) {
      if (inOrder ? index < survivors : random.chance(0.5)) change.apply(names);
    }
    const kept = random.pick([0, 0.5, 0.9, 1]);
    const found = new Map<Inode, Inode>();
    const after = new Map<string, Inode>();
    for (const [path, inode] of names) {
      let survivor = found.get(inode);
      if (survivor === undefined) {
        survivor = new Inode(contentAfterPowerLoss(inode, kept, random));
        found.set(inode, survivor);
      }
      after.set(path, survivor);
    }
    const next = new PowerLossFileSystem(after);
    next.#removeLocks();
    return next;
  }

  /** Sizes of the files whose path matches. */
  sizeOf(pattern: RegExp): number {
    let bytes = 0;
    for (const [path, { shown }] of this.#shown) if (pattern.test(path)) bytes += shown.length;
    return bytes;
  }

  async open(path: string, mode: OpenMode): Promise<OpenFile> {
    await this.#call('open');
    const existing = this.#shown.get(path);
    if (mode !== 'create') {
      if (existing === undefined) throw systemError('ENOENT');
      return this.#file(existing);
    }
    if (existing !== undefined) throw systemError('EEXIST');
    const inode = new Inode();
    this.#rename(dirname(path), (names) => names.set(path, inode));
    return this.#file(inode);
  }

  async list(directory: string): Promise<string[]> {
    await this.#call();
    const prefix = `${directory}/`;
    return [...this.#shown.keys()]
      .filter((path) => path.startsWith(prefix) && !path.slice(prefix.length).includes('/'))
      .map((path) => path.slice(prefix.length));
  }

  async makeDirectory(): Promise<void> {
    await this.#call();
  }

  async remove(path: string): Promise<void> {
    await this.#call('rename');
    if (!this.#shown.has(path)) throw systemError('ENOENT');
    this.#rename(dirname(path), (names) => names.delete(path));
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#call('rename');
    if (!this.#shown.has(from)) throw systemError('ENOENT');
    this.#rename(dirname(to), (names) => {
      const inode = names.get(from);
      if (inode === undefined) return;
      names.delete(from);
      names.set(to, inode);
    });
  }

  async syncDirectory(path: string): Promise<void> {
    await this.#call('sync_directory');
    for (const change of this.#nameChanges) {
      if (change.directory === path) change.apply(this.#durable);
    }
    this.#nameChanges = this.#nameChanges.filter((change) => change.directory !== path);
  }

  #rename(directory: string, apply: NameChange['apply']): void {
    apply(this.#shown);
    this.#nameChanges.push({ directory, apply });
  }

  /** Locks name a process of before the machine was started. */
  #removeLocks(): void {
    for (const names of [this.#shown, this.#durable]) {
      for (const path of names.keys()) if (path.endsWith('/lock')) names.delete(path);
    }
  }

  async #call(call?: FaultyCall): Promise<void> {
    await Promise.resolve();
    if (this.#isOff) throw systemError('EIO');
    if (call !== undefined && this.failing.has(call)) throw systemError('EIO');
  }

  #file(inode: Inode): OpenFile {
    return {
      read: async (target, position) => {
        await this.#call();
        const part = inode.shown.subarray(position, position + target.length);
        target.set(part);
        return part.length;
      },
      write: async (buffers, position) => {
        await Promise.resolve();
        const data = Buffer.concat(buffers);
        const isFailing = this.#isOff || this.failing.has('write');
        const grown = Math.max(0, position + data.length - inode.shown.length);
        const missing = Math.max(0, grown - this.bytesFree);
        const fitting = isFailing ? data.length >> 1 : Math.max(0, data.length - missing);
        if (!this.#isOff) this.#write(inode, { position, data: data.subarray(0, fitting) });
        if (isFailing) throw systemError('EIO');
        if (fitting < data.length) throw systemError('ENOSPC');
      },
      truncate: async (bytes) => {
        await this.#call('truncate');
        this.bytesFree += Math.max(0, inode.shown.length - bytes);
        inode.shown = truncated(inode.shown, bytes);
        inode.unsynced.push({ bytes });
      },
      sync: async () => {
        await new Promise((resolve) => setImmediate(resolve));
        if (this.failing.has('sync')) {
          inode.unsynced = [];
          this.hasDropped = true;
        }
        await this.#call('sync');
        for (const change of inode.unsynced) inode.durable = applied(inode.durable, change);
        inode.unsynced = [];
      },
      size: async () => {
        await this.#call();
        return inode.shown.length;
      },
      close: async () => undefined,
    };
  }

  #write(inode: Inode, write: Write): void {
    const before = inode.shown.length;
    inode.shown = applied(inode.shown, write);
    this.bytesFree -= inode.shown.length - before;
    inode.unsynced.push(write);
  }
}

function copyOf(inode: Inode, copies: Map<Inode, Inode>): Inode {
  const known = copies.get(inode);
  if (known !== undefined) return known;
  const copy = new Inode(Buffer.from(inode.shown));
  copy.durable = Buffer.from(inode.durable);
  copy.unsynced = [...inode.unsynced];
  copies.set(inode, copy);
  return copy;
}

function contentAfterPowerLoss(inode: Inode, kept: number, random: Random): Buffer {
  let content: Buffer = Buffer.from(inode.durable);
  for (const change of inode.unsynced) {
    if (!('data' in change)) {
      if (random.chance(kept)) content = truncated(content, change.bytes);
      continue;
    }
    for (const piece of sectorsOf(change)) {
      if (!random.chance(kept)) continue;
      const isTorn = random.chance(0.1);
      const data = isTorn ? piece.data.subarray(0, random.below(piece.data.length)) : piece.data;
      content = applied(content, { position: piece.position, data });
    }
  }
  // A length can be on the disk before the data that it counts: the rest reads as zeros.
  if (random.chance(0.3) && content.length < inode.shown.length) {
    content = Buffer.concat([content, Buffer.alloc(inode.shown.length - content.length)]);
  }
  return content;
}

function* sectorsOf(write: Write): Iterable<Write> {
  for (let done = 0; done < write.data.length; ) {
    const position = write.position + done;
    const bytes = sectorBytes - (position % sectorBytes);
    yield { position, data: write.data.subarray(done, done + bytes) };
    done += bytes;
  }
}

function applied(content: Buffer, change: Write | Truncation): Buffer {
  if (!('data' in change)) return truncated(content, change.bytes);
  if (change.data.length === 0) return content;
  const bytes = Math.max(content.length, change.position + change.data.length);
  const next = Buffer.alloc(bytes);
  content.copy(next);
  change.data.copy(next, change.position);
  return next;
}

function truncated(content: Buffer, bytes: number): Buffer {
  if (bytes <= content.length) return Buffer.from(content.subarray(0, bytes));
  return Buffer.concat([content, Buffer.alloc(bytes - content.length)]);
}
