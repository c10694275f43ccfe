import { type GzipChunks, GzipDamageError, gzipChunks } from './gzip_chunks.ts';

/** Reads a gzip file like a plain one, forwards: positions are those of the decompressed bytes.
 *
 *  Holds the bytes from the last `release` on, and little more: callers release what they have
 *  consumed. A position before that is found again by inflating from the start. */
export class GzipWindow {
  private readonly descriptor: number;
  private chunks: GzipChunks;
  private held = Buffer.alloc(0);
  private heldEnd = 0;
  private windowStart = 0;
  /** All of the file was inflated; its length is `end`. */
  private finished = false;

  constructor(descriptor: number) {
    this.descriptor = descriptor;
    this.chunks = gzipChunks(descriptor);
  }

  /** True when everything up to the end of the file lies before or in the window. */
  get isFinished(): boolean {
    return this.finished;
  }

  /** Why nothing comes after the bytes in the window, though the file should have more. */
  damage: GzipDamageError | undefined;

  /** Copies up to `length` bytes from `position` into `bytes` at `at`; fewer only at the end.
   *  Errors: GzipDamageError, when there is nothing at the position for a damage before it; what
   *  stands before the damage is read as usual. `restart` begins anew. */
  async read(bytes: Buffer, at: number, length: number, position: number): Promise<number> {
    if (position < this.windowStart) this.restart();
    while (!this.finished && this.windowStart + this.heldEnd < position + length) {
      if (this.damage !== undefined) break;
      await this.inflateMore(position);
    }
    const from = position - this.windowStart;
    const count = Math.max(0, Math.min(length, this.heldEnd - from));
    if (count === 0 && this.damage !== undefined) throw this.damage;
    if (count > 0) this.held.copy(bytes, at, from, from + count);
    return count;
  }

  private async inflateMore(position: number): Promise<void> {
    try {
      const next = await this.chunks.next();
      if (next.done) this.finished = true;
      else this.append(next.value, position);
    } catch (error) {
      if (!(error instanceof GzipDamageError)) throw error;
      this.damage = error;
    }
  }

  /** Forgets the bytes before `position`. */
  release(position: number): void {
    const drop = Math.min(position - this.windowStart, this.heldEnd);
    if (drop <= 0) return;
    this.held.copyWithin(0, drop, this.heldEnd);
    this.heldEnd -= drop;
    this.windowStart += drop;
    if (this.heldEnd === 0 && this.held.length > keepBytes) this.held = Buffer.alloc(0);
  }

  /** Starts at the first byte again, for instance after the file has grown. */
  restart(): void {
    void this.chunks.return();
    this.chunks = gzipChunks(this.descriptor);
    this.heldEnd = 0;
    this.windowStart = 0;
    this.finished = false;
    this.damage = undefined;
  }

  async close(): Promise<void> {
    await this.chunks.return();
    this.held = Buffer.alloc(0);
    this.heldEnd = 0;
  }

  private append(chunk: Buffer, wanted: number): void {
    // Nobody asks for what lies before the position wanted now.
    const end = this.windowStart + this.heldEnd + chunk.length;
    if (end <= wanted) {
      this.windowStart = end;
      this.heldEnd = 0;
      return;
    }
    const needed = this.heldEnd + chunk.length;
    if (needed > this.held.length) {
      const larger = Buffer.alloc(Math.max(needed, this.held.length * 2, keepBytes));
      this.held.copy(larger, 0, 0, this.heldEnd);
      this.held = larger;
    }
    chunk.copy(this.held, this.heldEnd);
    this.heldEnd = needed;
  }
}

const keepBytes = 512 * 1024;
