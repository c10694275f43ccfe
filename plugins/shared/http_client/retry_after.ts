/** Longest wait that a server is taken at its word for. */
const retryAfterMsMax = 10 * 60_000;

/** Reads a Retry-After header (RFC 9110 section 10.2.3): seconds, or a date. Gives milliseconds
 *  from now, at most ten minutes; undefined when there is none or it makes no sense. */
export function parseRetryAfter(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined;
  const text = value.trim();
  if (/^\d{1,9}$/.test(text)) return Math.min(Number(text) * 1000, retryAfterMsMax);
  // Date.parse takes bare numbers for years; a date has a letter in it.
  if (!/[a-z]/i.test(text)) return undefined;
  const at = Date.parse(text);
  if (Number.isNaN(at)) return undefined;
  return Math.min(Math.max(at - nowMs, 0), retryAfterMsMax);
}
