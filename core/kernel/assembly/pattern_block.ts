// What the steps of a straight way work on: a block of texts.

/** Events in a block; `layout.eventsMax` is a multiple of it. */
export const blockTexts: usize = 64;

/** As `StraightStep`, written by core/kernel/pattern_ops.ts. */
@unmanaged
export class Step {
  kind: i32;
  set: usize;
  least: usize;
  instead: i32;
  capture: i32;
  nextBytes: usize;
  next: u64;
  nextMask: u64;
  /** No byte before or behind can belong to what is taken. */
  apart: i32;
}

export const stepBytes: usize = 48;

// Per text of the block: where it is to be read on, 0 when it is left to the matcher; its begin
// and its end.
export const places: usize = memory.data(256);
export const begins: usize = memory.data(256);
export const limits: usize = memory.data(256);
