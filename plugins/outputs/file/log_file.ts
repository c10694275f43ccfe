import { constants } from 'node:fs';
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeDirectories } from '../../../core/sdk/index.ts';

export interface LogFileOptions {
  readonly path: string;
  readonly mkdir: boolean;
  readonly rotateBytes: number;
  readonly rotateKeep: number;
  readonly sync: boolean;
}

/** One file that records are appended to. */
export class LogFile {
  private readonly options: LogFileOptions;
  private handle: FileHandle | undefined;
  private bytes = 0;
  private inode = 0;

  constructor(options: LogFileOptions) {
    this.options = options;
  }

  /** Appends whole lines; resolves when they are written, and durable with `sync`. A write that
   *  failed half-way is cut off again, so that no torn line stays. */
  async append(lines: Buffer): Promise<void> {
    const handle = await this.ready();
    const { rotateBytes } = this.options;
    if (rotateBytes > 0 && this.bytes > 0 && this.bytes + lines.length > rotateBytes) {
      await this.rotate();
      return await this.append(lines);
    }
    try {
      let written = 0;
      while (written < lines.length) {
        const result = await handle.write(lines, written, lines.length - written);
        written += result.bytesWritten;
      }
      if (this.options.sync) await handle.datasync();
      this.bytes += lines.length;
    } catch (error) {
      await handle.truncate(this.bytes).catch(() => undefined);
      await this.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    const handle = this.handle;
    this.handle = undefined;
    await handle?.close();
  }

  /** The open file; opened anew when somebody renamed or removed it. */
  private async ready(): Promise<FileHandle> {
    if (this.handle !== undefined) {
      const now = await stat(this.options.path).catch(() => undefined);
      if (now?.ino === this.inode) return this.handle;
      await this.close();
    }
    if (this.options.mkdir) {
      await makeDirectories(dirname(this.options.path), 0o700);
    }
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_APPEND;
    const handle = await open(this.options.path, flags, 0o600);
    const { size, ino } = await handle.stat();
    this.inode = ino;
    this.bytes = await wholeLines(handle, size);
    if (this.bytes < size) await handle.truncate(this.bytes);
    this.handle = handle;
    return handle;
  }

  private async rotate(): Promise<void> {
    await this.close();
    const { path, rotateKeep } = this.options;
    await rm(`${path}.${rotateKeep}`, { force: true });
    for (let number = rotateKeep - 1; number >= 1; number--) {
      await rename(`${path}.${number}`, `${path}.${number + 1}`).catch(ignoreMissing);
    }
    await rename(path, `${path}.1`);
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}

/** Length of a file up to its last newline: what follows is a line that a crash tore; its record
 *  was not acknowledged and comes again. */
async function wholeLines(handle: FileHandle, size: number): Promise<number> {
  const block = Buffer.alloc(64 * 1024);
  let end = size;
  while (end > 0) {
    const start = Math.max(0, end - block.length);
    const { bytesRead } = await handle.read(block, 0, end - start, start);
    const newline = block.subarray(0, bytesRead).lastIndexOf(0x0a);
    if (newline >= 0) return start + newline + 1;
    end = start;
  }
  return 0;
}
