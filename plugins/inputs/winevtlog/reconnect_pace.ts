import type { WinevtlogOptions } from './config.ts';

/** How long to wait before subscribing again after so many failures in a row (from 1), in
 *  milliseconds. `random` is in [0, 1): many channels of one host do not come back in step. */
export function reconnectDelayMs(
  options: WinevtlogOptions,
  failures: number,
  random: number,
): number {
  const longestMs = options['reconnect.max_ms'] ?? options.retry_interval;
  const firstMs = options['reconnect.base_ms'] ?? longestMs / 60;
  const grown = firstMs * options['reconnect.multiplier'] ** (failures - 1);
  const jitter = options['reconnect.jitter_pct'] / 100;
  return Math.min(grown, longestMs) * (1 + jitter * (2 * random - 1));
}
