/** The last bytes that were consumed of a content, and some places further back: enough to say of
 *  a shorter copy how much of it was read already. */
export class RecentBytes {
  private bytes = Buffer.alloc(0);
  private length = 0;
  /** Position behind the bytes kept. */
  private end = 0;
  private readonly places: { readonly position: number; readonly bytes: Buffer }[] = [];

  /** Takes in `bytes[from, to)`, which were consumed up to `position`. */
  append(bytes: Buffer, from: number, to: number, position: number): void {
    const count = Math.min(recentBytesMax, to - from);
    if (position - (to - from) !== this.end) this.length = 0;
    this.makeRoom(this.length + count);
    const kept = Math.min(this.length, recentBytesMax - count);
    this.bytes.copyWithin(0, this.length - kept, this.length);
    bytes.copy(this.bytes, kept, to - count, to);
    this.length = kept + count;
    this.end = position;
    if (to - from > recentBytesMax / 2) this.keepPlace(position);
  }

  /** The `length` bytes in front of a position, if they are kept. */
  before(position: number, length: number): Buffer | undefined {
    const from = position - length - (this.end - this.length);
    return from < 0 || position > this.end ? undefined : this.bytes.subarray(from, from + length);
  }

  /** How far a content of `size` bytes equals what was consumed: its whole size, an earlier place,
   *  or undefined when nothing shows that it does. `read` gets the bytes at a position. */
  agreesUpTo(size: number, read: (length: number, position: number) => Buffer): number | undefined {
    const begin = this.end - this.length;
    const evidence = Math.min(evidenceBytes, this.end);
    if (size > 0 && size <= this.end && size - begin >= Math.min(evidence, size)) {
      const ours = this.bytes.subarray(0, size - begin);
      return read(ours.length, begin).equals(ours) ? size : undefined;
    }
    for (const { position, bytes } of this.places) {
      if (position > size) continue;
      return read(bytes.length, position - bytes.length).equals(bytes) ? position : undefined;
    }
    return undefined;
  }

  private keepPlace(position: number): void {
    if (this.places.length === placesMax) this.places.pop();
    const bytes = this.bytes.subarray(this.length - evidenceBytes, this.length);
    this.places.unshift({ position, bytes: Buffer.from(bytes) });
  }

  /** Grows by need: most files bring few bytes at a time. */
  private makeRoom(wanted: number): void {
    if (wanted <= this.bytes.length || this.bytes.length === recentBytesMax) return;
    const larger = Buffer.alloc(wanted <= recentBytesMax / 4 ? recentBytesMax / 4 : recentBytesMax);
    this.bytes.copy(larger, 0, 0, this.length);
    this.bytes = larger;
  }
}

const recentBytesMax = 4096;
const evidenceBytes = 256;
const placesMax = 8;
