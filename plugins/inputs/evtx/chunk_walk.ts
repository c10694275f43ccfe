import {
  chunkHeaderBytes,
  findRecord,
  recordHeaderBytes,
  recordIdAt,
  recordSizeAt,
} from './chunk.ts';

/** How far a chunk is trusted. `checked`: its checksum is right, the header says where its records
 *  end. `unchecked`: records are taken as long as they are whole and their ids grow. */
export type Trust = 'checked' | 'unchecked';

/** Goes from record to record of one chunk, over damaged ones. */
export class ChunkWalk {
  /** The record found last. */
  start = 0;
  size = 0;
  id = 0;
  /** Behind the records found so far. */
  at = chunkHeaderBytes;
  /** Where records of the chunk's present use ended: what follows is slack. */
  recordsEnd = chunkHeaderBytes;
  /** Places where no record stood. */
  gaps = 0;

  private bytes: Buffer = Buffer.alloc(0);
  private end = 0;
  private trust: Trust = 'checked';
  private isSlack = false;

  /** Begins at `from`. `end` is where the records end, or the bytes of the chunk. */
  open(bytes: Buffer, trust: Trust, from: number, end: number): void {
    this.bytes = bytes;
    this.trust = trust;
    this.at = Math.max(from, chunkHeaderBytes);
    this.recordsEnd = this.at;
    this.end = end;
    this.id = -1;
    this.gaps = 0;
    this.isSlack = false;
  }

  /** Goes on with what stands behind the records. */
  openSlack(from: number, end: number): void {
    this.at = from;
    this.end = end;
    this.isSlack = true;
  }

  /** Finds the next record; false when there is none. */
  next(): boolean {
    // hot path
    const { bytes, end } = this;
    let size = recordSizeAt(bytes, this.at, end);
    if (size === 0 || !this.isExpected(this.at)) {
      const place = this.findNext();
      if (place < 0) return false;
      if (!this.isSlack) this.gaps++;
      this.at = place;
      size = recordSizeAt(bytes, place, end);
    }
    this.start = this.at;
    this.size = size;
    this.id = recordIdAt(bytes, this.at + 8);
    this.at += size;
    if (!this.isSlack) this.recordsEnd = this.at;
    return true;
  }

  private isExpected(place: number): boolean {
    return this.trust === 'checked' || this.isSlack || recordIdAt(this.bytes, place + 8) > this.id;
  }

  /** Past what is no record. Behind the last one of a checked chunk zeros may follow. */
  private findNext(): number {
    let place = this.at;
    for (;;) {
      place = findRecord(this.bytes, place, this.end);
      if (place < 0 || this.isExpected(place)) break;
      // A record of an earlier use of the chunk.
      place += recordHeaderBytes;
    }
    const isRest = place < 0 && !this.isSlack && this.trust === 'checked';
    if (isRest && this.hasMagic()) this.gaps++;
    return place;
  }

  /** Whether something stands at the place that was to be a record. */
  private hasMagic(): boolean {
    return this.at + 4 <= this.end && this.bytes.readUInt32LE(this.at) !== 0;
  }
}
