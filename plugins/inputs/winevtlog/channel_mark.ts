/** A place in a log: behind the event with this record id. */
export interface ChannelMark {
  /** Position of the source. */
  readonly position: number;
  /** What is added to a record id to make it a position. */
  readonly base: number;
  /** Absent before the first event. */
  readonly bookmark?: string;
  /** 0 before the first event. */
  readonly recordId: number;
  /** `SystemTime` of the event, as text; times in this form compare as texts. */
  readonly time: string;
}

export const firstMark: ChannelMark = { position: 0, base: 0, recordId: 0, time: '' };

/** Reads a mark out of a checkpoint; undefined for what is none. */
export function readMark(identity: unknown): ChannelMark | undefined {
  if (typeof identity !== 'object' || identity === null) return undefined;
  const { position, base, recordId, time, bookmark } = identity as Record<string, unknown>;
  if (!isWhole(position) || !isWhole(base) || !isWhole(recordId)) return undefined;
  if (typeof time !== 'string') return undefined;
  const mark = { position, base, recordId, time };
  return typeof bookmark === 'string' ? { ...mark, bookmark } : mark;
}

function isWhole(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value);
}
