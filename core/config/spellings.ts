/** Milliseconds in each unit of a duration. */
const durationUnits: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', 1000],
  ['sec', 1000],
  ['m', 60_000],
  ['min', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
  ['w', 604_800_000],
]);

/** Bytes in each unit of a size: k, m, g are decimal as in Fluent Bit, KiB, MiB, GiB binary. */
const sizeUnits: ReadonlyMap<string, number> = new Map([
  ['b', 1],
  ['k', 1e3],
  ['kb', 1e3],
  ['kib', 1024],
  ['m', 1e6],
  ['mb', 1e6],
  ['mib', 1024 ** 2],
  ['g', 1e9],
  ['gb', 1e9],
  ['gib', 1024 ** 3],
  ['t', 1e12],
  ['tb', 1e12],
  ['tib', 1024 ** 4],
]);

/** Reads a duration into whole milliseconds: `5s`, `1h30m`, `250ms`, or a bare number of `unit`.
 *  Undefined when the text is no duration. */
export function parseDuration(value: unknown, unit = 's'): number | undefined {
  const bare = bareNumber(value);
  if (bare !== undefined) return whole(bare * (durationUnits.get(unit) ?? 1000));
  if (typeof value !== 'string' || !/^(?:[\d.]+\s*[a-z]+\s*)+$/i.test(value.trim()))
    return undefined;
  let total = 0;
  for (const [, amount, name] of value.matchAll(/([\d.]+)\s*([a-z]+)/gi)) {
    const factor = durationUnits.get(name!.toLowerCase());
    const number = bareNumber(amount);
    if (factor === undefined || number === undefined) return undefined;
    total += number * factor;
  }
  return whole(total);
}

/** Reads a size into whole bytes: `10MB`, `64KiB`, `1.5g`, or a bare number. Undefined when it is none. */
export function parseSize(value: unknown): number | undefined {
  const bare = bareNumber(value);
  if (bare !== undefined) return whole(bare);
  const match = typeof value === 'string' ? /^([\d.]+)\s*([a-z]+)$/i.exec(value.trim()) : null;
  if (match === null) return undefined;
  const factor = sizeUnits.get(match[2]!.toLowerCase());
  const number = bareNumber(match[1]);
  return factor === undefined || number === undefined ? undefined : whole(number * factor);
}

function bareNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return value >= 0 ? value : undefined;
  if (typeof value !== 'string' || !/^(?:\d+\.?\d*|\.\d+)$/.test(value.trim())) return undefined;
  return Number(value);
}

function whole(value: number): number | undefined {
  const rounded = Math.round(value);
  return Number.isSafeInteger(rounded) ? rounded : undefined;
}

/** Reads true/false, on/off, yes/no in any case. */
export function parseBooleanWord(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value;
  if (typeof value !== 'string') return undefined;
  const word = value.toLowerCase();
  if (word === 'true' || word === 'on' || word === 'yes') return true;
  return word === 'false' || word === 'off' || word === 'no' ? false : undefined;
}

/** Reads a number as YAML would: `9200`, `-1.5`, `1e6`, `0x1F`. */
export function parseNumber(value: string): number | undefined {
  const text = value.trim();
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$|^0x[\da-f]+$|^0o[0-7]+$/i.test(text))
    return undefined;
  const number = Number(text);
  return Number.isFinite(number) ? number : undefined;
}

/** Reads `retry_limit` into attempts, the first one counted; Infinity for `no_limits`, `false` and `off`. */
export function parseRetryLimit(value: unknown): number | undefined {
  const word = typeof value === 'string' ? value.trim().toLowerCase() : value;
  if (word === 'no_limits' || word === 'unlimited') return Number.POSITIVE_INFINITY;
  if (word === 'no_retries') return 1;
  if (parseBooleanWord(word) === false) return Number.POSITIVE_INFINITY;
  const retries = typeof word === 'string' ? parseNumber(word) : word;
  if (typeof retries !== 'number' || !Number.isSafeInteger(retries) || retries < 0)
    return undefined;
  return retries + 1;
}

/** Splits at commas; spaces around the parts and empty parts go. */
export function splitCommas(value: string): string[] {
  return value
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** Splits at white space; a part in quotes may hold spaces. */
export function splitSpaces(value: string): string[] {
  const parts: string[] = [];
  for (const [, double, single, plain] of value.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)) {
    parts.push(double ?? single ?? plain!);
  }
  return parts;
}

/** Whether this Node.js knows the IANA time zone. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
