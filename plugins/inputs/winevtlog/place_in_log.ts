import type { ChannelMark } from './channel_mark.ts';

/** What an event is to the place where reading stands. */
export type Step =
  /** Read before: leave it out. */
  | { readonly kind: 'known' }
  /** `missed` record ids before it were never seen. */
  | { readonly kind: 'new'; readonly offset: number; readonly missed: number };

/** Turns record ids into positions that only grow and are the same when a log is read again.
 *
 *  A position is the record id plus a base; the base changes only where ids begin anew (the log was
 *  cleared) or come in no order (forwarded events keep the ids of their own hosts). */
export class PlaceInLog {
  position: number;
  private base: number;
  private recordId: number;
  private time: string;
  private readonly isOrdered: boolean;
  private readonly countsGaps: boolean;
  private readonly positionFloor: number;
  private isRereading = false;

  /** `positionFloor`: no position below it may be given to an event after a reset, because some
   *  output has settled it. `countsGaps`: no query leaves ids out. */
  constructor(
    mark: ChannelMark,
    options: { isOrdered: boolean; countsGaps: boolean; positionFloor: number },
  ) {
    this.position = mark.position;
    this.base = mark.base;
    this.recordId = mark.recordId;
    this.time = mark.time;
    this.isOrdered = options.isOrdered;
    this.countsGaps = options.countsGaps;
    this.positionFloor = options.positionFloor;
  }

  /** Reading begins at the oldest event, because the bookmark was of no use. */
  reread(): void {
    this.isRereading = this.recordId > 0;
  }

  take(recordId: number, time: string): Step {
    let missed = 0;
    if (this.isOrdered && this.recordId > 0) {
      // A lower id with a later time is of a log that was cleared.
      const isReset = recordId <= this.recordId && time > this.time;
      if (this.isRereading && recordId <= this.recordId && !isReset) return { kind: 'known' };
      if (!isReset && (this.countsGaps || this.isRereading)) {
        missed = Math.max(0, recordId - this.recordId - 1);
      }
      // Events with the ids in front were there, and are gone.
      if (isReset && this.countsGaps) missed = Math.max(0, recordId - 1);
      if (isReset) this.position = Math.max(this.position, this.positionFloor);
    }
    this.isRereading = false;
    if (this.base + recordId < this.position) this.base = this.position - recordId;
    const offset = this.base + recordId;
    this.position = offset + 1;
    this.recordId = recordId;
    this.time = time;
    return { kind: 'new', offset, missed };
  }

  mark(bookmark: string): ChannelMark {
    const { position, base, recordId, time } = this;
    return { position, base, recordId, time, bookmark };
  }
}
