import { SluiceError } from '../errors/sluice_error.ts';

/** The part of the kernel's memory that holds what filters and encoders keep from start to stop:
 *  programs, literals, result arrays. First fit; neighbours that are free grow together. */
export class ProgramArena {
  private readonly bytes: Buffer;
  /** Free spans in address order. */
  private readonly free: { start: number; end: number }[];

  constructor(bytes: Buffer, start: number, end: number) {
    this.bytes = bytes;
    this.free = [{ start: roundUp(start), end }];
  }

  /** Takes `length` bytes, zeroed and aligned to 16; undefined when there is no room. The
   *  kernel may write 15 bytes over the end. */
  take(length: number): ArenaBlock | undefined {
    const needed = roundUp(length + 16);
    for (let i = 0; i < this.free.length; i++) {
      const span = this.free[i]!;
      if (span.end - span.start < needed) continue;
      const start = span.start;
      span.start += needed;
      if (span.start === span.end) this.free.splice(i, 1);
      this.bytes.fill(0, start, start + needed);
      return { start, length, end: start + needed };
    }
    return undefined;
  }

  /** Gives a block back. Errors: SLUICE_BUG when it is free already. */
  release(block: ArenaBlock): void {
    let i = 0;
    while (i < this.free.length && this.free[i]!.start < block.start) i++;
    const before = this.free[i - 1];
    const behind = this.free[i];
    const overlaps =
      (before !== undefined && before.end > block.start) ||
      (behind !== undefined && behind.start < block.end);
    if (overlaps) throw new SluiceError('SLUICE_BUG', 'A block of kernel memory was freed twice.');
    const joinsBefore = before !== undefined && before.end === block.start;
    const joinsBehind = behind !== undefined && behind.start === block.end;
    if (joinsBefore && joinsBehind) {
      before.end = behind.end;
      this.free.splice(i, 1);
    } else if (joinsBefore) before.end = block.end;
    else if (joinsBehind) behind.start = block.start;
    else this.free.splice(i, 0, { start: block.start, end: block.end });
  }

  /** Bytes that are free, for tests and metrics. */
  freeBytes(): number {
    let sum = 0;
    for (const span of this.free) sum += span.end - span.start;
    return sum;
  }
}

export interface ArenaBlock {
  readonly start: number;
  /** What was asked for. */
  readonly length: number;
  /** Behind the last byte that belongs to the block. */
  readonly end: number;
}

function roundUp(bytes: number): number {
  return (bytes + 15) & ~15;
}
