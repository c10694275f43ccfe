/** Sizes of one batch and of the memory that batches live in.
 *
 *  WebAssembly memory is laid out once and never grows (growing detaches every view, even under
 *  a read in flight):
 *
 *      0        kernel's own tables and stack
 *      256 KiB  programs, literals and results that filters and encoders keep
 *      8 MiB    staging: where the kernel encodes before the bytes go to a chunk
 *      12 MiB   bodies of chunks that encoders write and outputs send
 *      29 MiB   slots, each: data | scratch | per-event arrays | columns | member lists
 *
 *  Pages that are never touched cost no memory, so room is cheap and limits are generous. */
export const layout = {
  programStart: 256 * 1024,
  stagingStart: 8 * 1024 * 1024,
  stagingBytes: 4 * 1024 * 1024,
  chunksStart: 12 * 1024 * 1024,
  chunkAreas: 4,
  /** A full chunk and a little more, for a record or two that JavaScript adds. */
  chunkAreaBytes: 4 * 1024 * 1024 + 64 * 1024,
  slotsStart: 29 * 1024 * 1024,
  slots: 8,
  /** Most bytes that one read brings into a slot. */
  readBytes: 448 * 1024,
  /** Source bytes of a slot: one read and the unfinished line before it. */
  dataBytes: 512 * 1024,
  /** Values that filters make. */
  scratchBytes: 768 * 1024,
  /** Bytes behind data and scratch that the kernel may read over (16-byte loads). */
  guardBytes: 64,
  /** Lists of the members of roots. */
  listsBytes: 384 * 1024,
  eventsMax: 2048,
  columnsMax: 64,
} as const;

/** Bytes of the arrays that every event has, for `events` events. */
export function eventArraysBytes(events: number): number {
  return align(events * (4 + 4 + 4 + 1 + 8 + 4 + 8 + 8 + 4 + 2 + 1 + 1) + 16 * 13);
}

/** Bytes of one column's arrays (start, end, kind) for `events` events. */
export function columnBytes(events: number): number {
  return align(events * 9 + 16 * 3);
}

export function slotBytes(): number {
  return (
    align(layout.dataBytes + layout.guardBytes) +
    align(layout.scratchBytes + layout.guardBytes) +
    eventArraysBytes(layout.eventsMax) +
    columnBytes(layout.eventsMax) * layout.columnsMax +
    align(layout.listsBytes)
  );
}

export function memoryBytes(): number {
  const bytes = layout.slotsStart + layout.slots * slotBytes();
  return Math.ceil(bytes / 65536) * 65536;
}

/** Rounds up to 64 bytes, a cache line. */
export function align(bytes: number): number {
  return (bytes + 63) & ~63;
}
