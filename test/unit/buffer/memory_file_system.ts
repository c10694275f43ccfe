import type { FileSystem, OpenFile } from '../../../core/buffer/file_system.ts';

type Operation = 'open' | 'read' | 'write' | 'truncate' | 'sync' | 'remove' | 'rename' | 'list';

/** An error as the system gives it. */
export function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: injected`), { code });
}

/** One spelling of a path: Windows joins with backslashes. */
function plain(path: string): string {
  return path.replaceAll('\\', '/');
}

/** Files in memory, with faults on demand and a view of what a machine crash would leave. */
export class MemoryFileSystem implements FileSystem {
  readonly files = new Map<string, MemoryContent>();
  readonly syncs: string[] = [];
  /** Throws to make an operation fail; `part` of a failed write stays behind. */
  fault: ((operation: Operation, path: string) => void) | undefined;
  bytesFree = Number.POSITIVE_INFINITY;

  async open(given: string, mode: 'read' | 'write' | 'create'): Promise<OpenFile> {
    const path = plain(given);
    this.fault?.('open', path);
    const existing = this.files.get(path);
    if (mode === 'create') {
      if (existing) throw systemError('EEXIST');
      const content = new MemoryContent();
      this.files.set(path, content);
      return new MemoryFile(this, path, content);
    }
    if (!existing) throw systemError('ENOENT');
    return new MemoryFile(this, path, existing);
  }

  async list(given: string): Promise<string[]> {
    const directory = plain(given);
    this.fault?.('list', directory);
    const prefix = `${directory}/`;
    return [...this.files.keys()]
      .filter((path) => path.startsWith(prefix) && !path.slice(prefix.length).includes('/'))
      .map((path) => path.slice(prefix.length));
  }

  async makeDirectory(): Promise<void> {}

  async syncDirectory(): Promise<void> {}

  async remove(given: string): Promise<void> {
    const path = plain(given);
    this.fault?.('remove', path);
    if (!this.files.delete(path)) throw systemError('ENOENT');
  }

  async rename(givenFrom: string, givenTo: string): Promise<void> {
    const from = plain(givenFrom);
    const to = plain(givenTo);
    this.fault?.('rename', from);
    const content = this.files.get(from);
    if (!content) throw systemError('ENOENT');
    this.files.delete(from);
    this.files.set(to, content);
  }

  bytes(path: string): Buffer {
    return this.files.get(plain(path))!.bytes;
  }

  /** A copy as another process would find it after this one was killed. */
  copy(): MemoryFileSystem {
    const copy = new MemoryFileSystem();
    for (const [path, content] of this.files) {
      copy.files.set(path, new MemoryContent(Buffer.from(content.bytes)));
    }
    return copy;
  }

  /** A copy as the machine would find it after losing power: what was not synced is gone. */
  copyOfSynced(): MemoryFileSystem {
    const copy = new MemoryFileSystem();
    for (const [path, content] of this.files) {
      copy.files.set(path, new MemoryContent(Buffer.from(content.synced)));
    }
    return copy;
  }
}

class MemoryContent {
  bytes: Buffer;
  synced: Buffer;

  constructor(bytes: Buffer = Buffer.alloc(0)) {
    this.bytes = bytes;
    this.synced = Buffer.from(bytes);
  }
}

class MemoryFile implements OpenFile {
  readonly #system: MemoryFileSystem;
  readonly #path: string;
  readonly #content: MemoryContent;

  constructor(system: MemoryFileSystem, path: string, content: MemoryContent) {
    this.#system = system;
    this.#path = path;
    this.#content = content;
  }

  async read(target: Uint8Array, position: number): Promise<number> {
    this.#system.fault?.('read', this.#path);
    const part = this.#content.bytes.subarray(position, position + target.length);
    target.set(part);
    return part.length;
  }

  async write(buffers: readonly Uint8Array[], position: number): Promise<void> {
    await Promise.resolve();
    this.#system.fault?.('write', this.#path);
    const data = Buffer.concat(buffers);
    const end = position + data.length;
    const grown = Math.max(0, end - this.#content.bytes.length);
    const fitting = Math.min(
      data.length,
      data.length - Math.max(0, grown - this.#system.bytesFree),
    );
    const bytes = Buffer.alloc(Math.max(this.#content.bytes.length, position + fitting));
    this.#content.bytes.copy(bytes);
    data.copy(bytes, position, 0, fitting);
    this.#system.bytesFree -= bytes.length - this.#content.bytes.length;
    this.#content.bytes = bytes;
    if (fitting < data.length) throw systemError('ENOSPC');
  }

  async truncate(bytes: number): Promise<void> {
    this.#system.fault?.('truncate', this.#path);
    this.#system.bytesFree += this.#content.bytes.length - bytes;
    this.#content.bytes = Buffer.from(this.#content.bytes.subarray(0, bytes));
  }

  async sync(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.#system.fault?.('sync', this.#path);
    this.#system.syncs.push(this.#path);
    this.#content.synced = Buffer.from(this.#content.bytes);
  }

  async size(): Promise<number> {
    return this.#content.bytes.length;
  }

  async close(): Promise<void> {}
}
