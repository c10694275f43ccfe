// The kernel: what the engine does to the bytes of many events in one call. It allocates
// nothing, keeps no state between calls but caches, and reads at most 64 bytes over the end of
// what it is given (`guardBytes` of core/batch/layout.ts).
export { encodeEvents, encodedCount, encodedEnd, encodedLines, encodeStop } from './encode';
export { takeCriLines } from './cri_lines';
export { repeatDates } from './dates';
export { encodeRows, rowsCount, rowsStop } from './rows';
export { splitLines } from './lines';
export { scanObjects } from './json_scan';
export { validateObjects } from './json_validate';
export { writeEntries } from './line_entries';
export { writeObjects } from './objects';
export { matchTexts } from './pattern_run';
export { compressFragment } from './snappy';

/** Where the kernel's own data ends; programs begin behind it. */
export const staticEnd: usize = __heap_base;
