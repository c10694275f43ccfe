/** Where reading goes on: behind the entry with this cursor, at this position of the source. */
export interface JournalMark {
  /** Absent before the first entry. */
  readonly cursor?: string;
  readonly position: number;
}

/** Reads a mark out of a checkpoint; undefined for what is none. */
export function readMark(identity: unknown): JournalMark | undefined {
  if (typeof identity !== 'object' || identity === null) return undefined;
  const { cursor, position } = identity as Record<string, unknown>;
  if (typeof position !== 'number' || !Number.isSafeInteger(position)) return undefined;
  return typeof cursor === 'string' ? { cursor, position } : { position };
}
