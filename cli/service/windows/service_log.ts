import { closeSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { Writable } from 'node:stream';

const recentMax = 2000;

/** Where a service, which has no standard error, says what it has to say. A file that has grown to
 *  its limit becomes `NAME.1`; the one before it is removed. Lines are written as they come, so that the last one
 *  before a crash is there. */
export class ServiceLog extends Writable {
  private readonly path: string;
  private readonly bytesMax: number;
  private file: number | undefined;
  private bytes = 0;
  private lastText = '';

  constructor(path: string, bytesMax = 16 * 1024 * 1024) {
    super({ decodeStrings: true });
    this.path = path;
    this.bytesMax = bytesMax;
  }

  /** The last lines, a bounded number of characters. */
  get recent(): string {
    return this.lastText.slice(-recentMax);
  }

  override _write(text: Buffer, _encoding: string, done: () => void): void {
    this.lastText = (this.lastText + text.toString()).slice(-2 * recentMax);
    try {
      if (this.bytes > 0 && this.bytes + text.length > this.bytesMax) this.turn();
      this.file ??= this.open();
      this.bytes += writeSync(this.file, text);
    } catch {
      // A disk that is full must not end the agent; its log goes on when there is room.
      this.closeFile();
    }
    done();
  }

  override _final(done: () => void): void {
    this.closeFile();
    done();
  }

  private open(): number {
    const file = openSync(this.path, 'a', 0o600);
    this.bytes = statSync(this.path).size;
    return file;
  }

  private turn(): void {
    this.closeFile();
    try {
      rmSync(`${this.path}.1`, { force: true });
      renameSync(this.path, `${this.path}.1`);
    } catch {
      // Somebody reads it in a way that keeps its name: it grows until they are done.
    }
  }

  private closeFile(): void {
    const { file } = this;
    this.file = undefined;
    if (file !== undefined) closeSync(file);
  }
}
