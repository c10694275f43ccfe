import type { Writable } from 'node:stream';

/** Writes text to a stream as fast as its reader takes it. When the reader goes away (`| head`),
 *  `isClosed` turns true and further text is dropped: there is nobody to tell. */
export class TextOutput {
  isClosed = false;
  private readonly stream: Writable;
  private failure: Error | undefined;
  private wake: (() => void) | undefined;

  constructor(stream: Writable) {
    this.stream = stream;
    stream.on('error', (error: NodeJS.ErrnoException) => {
      this.isClosed = true;
      if (error.code !== 'EPIPE' && error.code !== 'ERR_STREAM_DESTROYED') this.failure = error;
      this.wake?.();
    });
    stream.on('drain', () => this.wake?.());
  }

  /** Resolves when there is room for more. Throws what the stream failed with, other than that
   *  nobody reads it. */
  async write(text: string): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    if (this.isClosed || text === '') return;
    if (this.stream.write(text)) return;
    await new Promise<void>((resolve) => {
      this.wake = resolve;
      if (this.isClosed) resolve();
    });
    this.wake = undefined;
    if (this.failure !== undefined) throw this.failure;
  }

  /** Resolves when all is written: a process that ends earlier would cut it off. */
  async finish(): Promise<void> {
    if (this.isClosed) return;
    await new Promise<void>((resolve) => {
      this.wake = resolve;
      this.stream.write('', () => resolve());
    });
    if (this.failure !== undefined) throw this.failure;
  }
}
