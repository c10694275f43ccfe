/** A value at a time, in hours since the start. */
export interface Sample {
  readonly hours: number;
  readonly value: number;
}

export interface Trend {
  /** Growth in an hour, by least squares. */
  readonly perHour: number;
  /** Standard error of that growth, as if samples were independent of each other. */
  readonly standardError: number;
}

/** The line through samples that misses them by the least squares. */
export function trendOf(samples: readonly Sample[]): Trend {
  const count = samples.length;
  if (count < 3) return { perHour: Number.NaN, standardError: Number.NaN };
  const meanHours = mean(samples.map(({ hours }) => hours));
  const meanValue = mean(samples.map(({ value }) => value));
  let spread = 0;
  let together = 0;
  for (const { hours, value } of samples) {
    spread += (hours - meanHours) ** 2;
    together += (hours - meanHours) * (value - meanValue);
  }
  const perHour = together / spread;
  let missed = 0;
  for (const { hours, value } of samples) {
    missed += (value - meanValue - perHour * (hours - meanHours)) ** 2;
  }
  return { perHour, standardError: Math.sqrt(missed / (count - 2) / spread) };
}

function mean(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0) / values.length;
}
