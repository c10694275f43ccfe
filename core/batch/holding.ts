/** How a filter keeps records of a source beyond their batch. What is kept is not acknowledged: after
 *  a restart it is read again. */
export interface RecordHolding {
  /** Nothing can be held any more: what is held has to leave with this batch. */
  readonly isLast: boolean;
  /** `holder` stands for records from `offset` on. A batch of the source, perhaps an empty one,
   *  comes by at `dueMs` (monotonic) at the latest. */
  hold(holder: object, offset: number, dueMs: number): void;
  /** What `holder` stands for leaves with this batch, or under another holder. */
  release(holder: object): void;
}
