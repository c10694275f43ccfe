import { constants } from 'node:fs';
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeDirectories } from '../../../core/sdk/index.ts';

const newline = 0x0a;
const openBrace = 0x7b;

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
  /** Neither a pipe nor a device: those have no length and no disk to wait for. */
  private isRegular = true;

  constructor(options: LogFileOptions) {
    this.options = options;
  }

  /** Appends whole lines; resolves when they are written, and durable with `sync`. A write that
   *  failed half-way is cut off again, so that no torn line stays. */
  async append(lines: Buffer): Promise<void> {
    let rest = lines;
    while (rest.length > 0) {
      const handle = await this.ready();
      const length = this.fitting(rest);
      if (length === 0) {
        await this.rotate();
        continue;
      }
      await this.write(handle, rest.subarray(0, length));
      rest = rest.subarray(length);
    }
  }

  /** How many bytes of these lines, whole ones, the file takes before it is renamed. A line that is
   *  larger than a file may be has one of its own. */
  private fitting(lines: Buffer): number {
    const { rotateBytes } = this.options;
    const room = rotateBytes - this.bytes;
    if (rotateBytes === 0 || !this.isRegular || lines.length <= room) return lines.length;
    const whole = room <= 0 ? 0 : lines.lastIndexOf(newline, room - 1) + 1;
    if (whole > 0 || this.bytes > 0) return whole;
    return lines.indexOf(newline) + 1 || lines.length;
  }

  private async write(handle: FileHandle, lines: Buffer): Promise<void> {
    try {
      let written = 0;
      while (written < lines.length) {
        const result = await handle.write(lines, written, lines.length - written);
        written += result.bytesWritten;
      }
      if (this.options.sync && this.isRegular) await handle.datasync();
      this.bytes += lines.length;
    } catch (error) {
      if (this.isRegular) await handle.truncate(this.bytes).catch(() => undefined);
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
    const facts = await handle.stat();
    this.inode = facts.ino;
    this.isRegular = facts.isFile();
    this.bytes = this.isRegular ? await endOfLines(handle, facts.size) : 0;
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

/** Makes a file end with a whole line and returns its length. What stands behind the last line end
 *  is a record that a crash tore: it was not acknowledged, comes again and is cut off. Text that
 *  does not begin as our records do was written by somebody else and stays. */
async function endOfLines(handle: FileHandle, size: number): Promise<number> {
  const end = await lastLineEnd(handle, size);
  if (end === size) return size;
  const first = Buffer.alloc(1);
  await handle.read(first, 0, 1, end);
  if (first[0] === openBrace) {
    await handle.truncate(end);
    return end;
  }
  await handle.write('\n');
  return size + 1;
}

/** The position behind the last line end; 0 when there is none. */
async function lastLineEnd(handle: FileHandle, size: number): Promise<number> {
  const block = Buffer.alloc(64 * 1024);
  let end = size;
  while (end > 0) {
    const start = Math.max(0, end - block.length);
    const { bytesRead } = await handle.read(block, 0, end - start, start);
    const at = block.subarray(0, bytesRead).lastIndexOf(newline);
    if (at >= 0) return start + at + 1;
    end = start;
  }
  return 0;
}
