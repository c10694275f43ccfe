/** Milliseconds since some moment that all processes of a machine share (Linux: CLOCK_MONOTONIC). */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
