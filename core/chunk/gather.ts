type Numbers = Float64Array | Int32Array | Uint16Array;

/** So many numbers are copied sooner by making two views of them than one by one. */
const viewsPayFrom = 32;

/** Copies what `from` has of the events to `to`, from position `at` on. */
export function gather<T extends Numbers>(
  from: T,
  events: Int32Array,
  count: number,
  to: T,
  at: number,
): void {
  // hot path
  const start = events[0]!;
  // Events without a gap are copied as a whole.
  if (count >= viewsPayFrom && events[count - 1]! - start === count - 1) {
    to.set(from.subarray(start, start + count), at);
    return;
  }
  for (let k = 0; k < count; k++) to[at + k] = from[events[k]!]!;
}
