/** Forms of values that the kernel writes into rows; the numbers are those of
 *  assembly/row_cells.ts. */
export const cellForms = {
  text: 1,
  signed: 2,
  unsigned: 3,
  float: 4,
  bool: 5,
  date: 6,
  dateTime: 7,
  dateTime64: 8,
} as const;

/** How the kernel may write the values of a column type. */
export interface Cell {
  readonly form: (typeof cellForms)[keyof typeof cellForms];
  /** Bytes of a number or a date; of `dateTime64` the digits behind the second. */
  readonly size: number;
  /** Has a NULL, and a byte in front that tells. */
  readonly isNullable: boolean;
  /** Times without a zone are in UTC. */
  readonly isUtc: boolean;
}
