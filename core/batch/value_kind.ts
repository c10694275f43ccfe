/** What a column holds for one event. The numbers are part of the kernel's contract. */
export const valueKind = {
  /** Nothing: the field is as the root has it. */
  absent: 0,
  /** A string, as unescaped UTF-8 bytes. */
  text: 1,
  /** A JSON token as it stands: number, true, null, object, array, or string with its quotes. */
  json: 2,
  /** The field is gone, whatever the root has. */
  removed: 3,
  /** As `text`, in `batch.external[start]`: for what did not fit into the scratch space. */
  externalText: 4,
  /** As `json`, in `batch.external[start]`. */
  externalJson: 5,
} as const;
