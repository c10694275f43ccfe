import { SluiceError } from '../errors/sluice_error.ts';

const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  sec: 1000,
  second: 1000,
  m: 60_000,
  min: 60_000,
  minute: 60_000,
  h: 3_600_000,
  hr: 3_600_000,
  hour: 3_600_000,
  d: 86_400_000,
  day: 86_400_000,
  w: 604_800_000,
  week: 604_800_000,
};

/** Reads a duration as people write it, and gives milliseconds, with a fraction for `us` and `ns`.
 *  In: `30s`, `1.5h`, `1h30m`, `250 ms`, `2 minutes`, in either letter case; a bare number, or text of one, counts in
 *  `defaultUnit` (Fluent Bit: seconds for time options).
 *  Errors: SLUICE_OPTION_INVALID for anything else, negative numbers included. */
export function parseDuration(value: string | number, defaultUnit: 's' | 'ms'): number {
  if (typeof value === 'number') return checked(value, value * unitMs[defaultUnit]!);
  const text = value.trim().toLowerCase();
  if (/^[0-9]*\.?[0-9]+$/.test(text)) return checked(value, Number(text) * unitMs[defaultUnit]!);
  const part = /([0-9]*\.?[0-9]+)\s*([a-zµμ]+)\s*/y;
  let totalMs = 0;
  while (part.lastIndex < text.length || text === '') {
    const match = part.exec(text);
    if (match === null) throw invalid(value, 'is not a number with a unit');
    totalMs += Number(match[1]) * unitOf(value, match[2]!);
  }
  return checked(value, totalMs);
}

function unitOf(value: string, name: string): number {
  const plural = name.length > 2 && name.endsWith('s') ? name.slice(0, -1) : name;
  const ms = Object.hasOwn(unitMs, plural) ? unitMs[plural] : undefined;
  if (ms === undefined) throw invalid(value, `has the unknown unit "${name}"`);
  return ms;
}

function checked(value: string | number, ms: number): number {
  if (!(ms >= 0)) throw invalid(value, 'is negative or no number');
  if (ms > Number.MAX_SAFE_INTEGER) throw invalid(value, 'is too long');
  // 0.1 + 0.2 and 1.1 * 1000 leave dust below a nanosecond.
  return ms < 1e9 ? Math.round(ms * 1e6) / 1e6 : Math.round(ms);
}

function invalid(value: string | number, problem: string): SluiceError {
  return new SluiceError(
    'SLUICE_OPTION_INVALID',
    `Duration "${value}" ${problem}; write a number with ns, us, ms, s, m, h or d, such as 30s.`,
  );
}
