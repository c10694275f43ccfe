export interface RetryPolicy {
  /** Tries after the first, or Infinity. */
  readonly retriesMax: number;
  readonly initialMs: number;
  readonly maxMs: number;
}

/** How long to wait before try `attempt + 1`: exponential with full jitter, so that many agents
 *  do not come back at once. `afterMs`, the server's own wish, is a lower bound (at most an
 *  hour). `random` gives [0, 1). */
export function backoffMs(
  policy: RetryPolicy,
  attempt: number,
  afterMs: number | undefined,
  random: () => number,
): number {
  const ceiling = Math.min(policy.maxMs, policy.initialMs * 2 ** Math.min(attempt - 1, 30));
  const jittered = random() * ceiling;
  return Math.max(jittered, Math.min(afterMs ?? 0, 3_600_000), Math.min(policy.initialMs, 10));
}
