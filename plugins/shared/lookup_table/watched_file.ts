import { readFile, stat } from 'node:fs/promises';
import { type Clock, type Log, messageOf, SluiceError } from '../../../core/sdk/index.ts';

export interface WatchedFileOptions<Content> {
  readonly path: string;
  readonly bytesMax: number;
  readonly pollMs: number;
  readonly clock: Clock;
  readonly log: Log;
  /** Makes the content of the file's bytes; throws what is wrong with them. */
  load(bytes: Buffer): Content | Promise<Content>;
}

/** A file that is read on opening and again whenever it changes. The new content takes the place
 *  of the old at once; a file that is broken, or gone, keeps the old and is said once. */
export class WatchedFile<Content> {
  private readonly options: WatchedFileOptions<Content>;
  private loaded: Content | undefined;
  private signature = '';
  private cancel: (() => void) | undefined;
  private checking: Promise<void> | undefined;
  private isClosed = false;

  constructor(options: WatchedFileOptions<Content>) {
    this.options = options;
  }

  /** The content; there is one after `open`. */
  get content(): Content {
    if (this.loaded !== undefined) return this.loaded;
    throw new SluiceError('SLUICE_BUG', `The file ${this.options.path} was not opened.`);
  }

  /** Reads the file. Errors: SLUICE_OPTION_INVALID naming it. */
  async open(): Promise<void> {
    const { path, pollMs, clock } = this.options;
    try {
      this.signature = await this.statFile();
      this.loaded = await this.read();
    } catch (cause) {
      throw new SluiceError(
        'SLUICE_OPTION_INVALID',
        `Cannot use the file ${path}: ${messageOf(cause)}`,
        { cause },
      );
    }
    this.cancel = clock.every(pollMs, () => {
      this.checking ??= this.check().finally(() => {
        this.checking = undefined;
      });
    });
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.cancel?.();
    this.cancel = undefined;
    await this.checking;
  }

  private async check(): Promise<void> {
    const { path, log } = this.options;
    let signature = 'missing';
    try {
      signature = await this.statFile();
      if (signature === this.signature) return;
      const content = await this.read();
      // A file that is still being written has changed again; the next poll takes it.
      if (this.isClosed || (await this.statFile()) !== signature) return;
      this.loaded = content;
      this.signature = signature;
      log.info({ path }, 'Read a changed file again.');
    } catch (error) {
      if (this.isClosed || signature === this.signature) return;
      this.signature = signature;
      log.warn(
        { path, error: messageOf(error) },
        'A changed file cannot be used: the content from before stays.',
      );
    }
  }

  private async statFile(): Promise<string> {
    const { size, mtimeMs, ino } = await stat(this.options.path);
    if (size > this.options.bytesMax) {
      throw new Error(`It is larger than ${this.options.bytesMax} bytes.`);
    }
    return `${size} ${mtimeMs} ${ino}`;
  }

  private async read(): Promise<Content> {
    return this.options.load(await readFile(this.options.path));
  }
}
