/** What the TypeScript side (`encode_frame.ts`) puts into memory before a call. */
@unmanaged
export class Frame {
  select: usize;
  rootStart: usize;
  rootEnd: usize;
  rootKind: usize;
  seconds: usize;
  nanos: usize;
  offset: usize;
  part: usize;
  columns: usize;
  columnCount: i32;
  before: usize;
  beforeBytes: usize;
  afterId: usize;
  afterIdBytes: usize;
  after: usize;
  afterBytes: usize;
  /** 22 characters that begin every event's id, or 0 when no id is written. */
  idPrefix: usize;
  added: usize;
  addedCount: i32;
  timeForm: i32;
  timeDigits: i32;
  /** Result arrays: index and end position of each record. */
  events: usize;
  ends: usize;
  /** Spans of a text per event that stands in place of `before`, or 0. */
  beforeStarts: usize;
  beforeEnds: usize;
  /** Address of each root's member list, or 0. */
  lists: usize;
  /** Line ends in the constant bytes of a record. */
  constantLines: i32;
}

@unmanaged
export class Column {
  start: usize;
  end: usize;
  kind: usize;
  key: usize;
  keyBytes: usize;
  prefix: usize;
  prefixBytes: usize;
}

@unmanaged
export class Added {
  key: usize;
  keyBytes: usize;
  prefix: usize;
  prefixBytes: usize;
  /** The value as JSON; 0 when it is the event's time. */
  value: usize;
  valueBytes: usize;
  /** Position of the column of that name, or -1. */
  column: i32;
}

export const columnBytes: usize = 28;
export const addedBytes: usize = 28;
