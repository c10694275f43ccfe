/** The bytes of a body that are not yet part of a batch. */
export class BodyWindow {
  bytes: Buffer;
  length = 0;
  private readonly held: HeldBytes;

  constructor(held: HeldBytes) {
    this.held = held;
    this.bytes = Buffer.alloc(0);
  }

  /** False when all windows together would hold too much. */
  append(piece: Buffer): boolean {
    const needed = this.length + piece.length;
    if (needed > this.bytes.length && !this.grow(needed)) return false;
    piece.copy(this.bytes, this.length);
    this.length = needed;
    return true;
  }

  /** Forgets the bytes before `position`. */
  release(position: number): void {
    if (position === 0) return;
    this.bytes.copyWithin(0, position, this.length);
    this.length -= position;
  }

  close(): void {
    this.held.bytes -= this.bytes.length;
    this.bytes = Buffer.alloc(0);
    this.length = 0;
  }

  private grow(needed: number): boolean {
    const size = Math.max(needed, this.bytes.length * 2);
    const more = size - this.bytes.length;
    if (this.held.bytes + more > this.held.bytesMax) return false;
    const larger = Buffer.allocUnsafeSlow(size);
    this.bytes.copy(larger, 0, 0, this.length);
    this.bytes = larger;
    this.held.bytes += more;
    return true;
  }
}

/** What all windows of an input hold together. */
export interface HeldBytes {
  bytes: number;
  readonly bytesMax: number;
}
