/** Sets of code points as sorted, disjoint, inclusive ranges `[low, high, low, high, …]`. */
export type CharSet = readonly number[];

const codePointMax = 0x10ffff;
/** Above this many members, case variants are added for the ASCII part only. */
const caseFoldMembersMax = 4096;
const unicodeCacheEntriesMax = 64;

export const emptySet: CharSet = [];
export const anySet: CharSet = [0, codePointMax];
export const lineFeedSet: CharSet = [10, 10];
export const digitSet: CharSet = [48, 57];
export const wordSet: CharSet = [48, 57, 65, 90, 95, 95, 97, 122];
/** Ruby's `\s`: tab, LF, VT, FF, CR, space. */
export const spaceSet: CharSet = [9, 13, 32, 32];
export const hexSet: CharSet = [48, 57, 65, 70, 97, 102];

export function singleSet(code: number): CharSet {
  return [code, code];
}

/** Builds a set from ranges in any order, overlapping or not. */
export function setOfRanges(ranges: readonly (readonly [number, number])[]): CharSet {
  const sorted = [...ranges].sort((a, b) => a[0] - b[0]);
  const out: number[] = [];
  for (const [low, high] of sorted) {
    const last = out.length - 1;
    if (last > 0 && low <= out[last]! + 1) {
      if (high > out[last]!) out[last] = high;
    } else {
      out.push(low, high);
    }
  }
  return out;
}

export function unionSets(...sets: readonly CharSet[]): CharSet {
  const filled = sets.filter((set, index) => set.length > 0 && sets.indexOf(set) === index);
  if (filled.length <= 1) return filled[0] ?? emptySet;
  const ranges: [number, number][] = [];
  for (const set of filled) {
    for (let i = 0; i < set.length; i += 2) ranges.push([set[i]!, set[i + 1]!]);
  }
  return setOfRanges(ranges);
}

export function negateSet(set: CharSet): CharSet {
  const out: number[] = [];
  let next = 0;
  for (let i = 0; i < set.length; i += 2) {
    if (set[i]! > next) out.push(next, set[i]! - 1);
    next = set[i + 1]! + 1;
  }
  if (next <= codePointMax) out.push(next, codePointMax);
  return out;
}

export function intersectSets(a: CharSet, b: CharSet): CharSet {
  const out: number[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    const low = Math.max(a[i]!, b[j]!);
    const high = Math.min(a[i + 1]!, b[j + 1]!);
    if (low <= high) out.push(low, high);
    if (a[i + 1]! < b[j + 1]!) i += 2;
    else j += 2;
  }
  return out;
}

export function setsOverlap(a: CharSet, b: CharSet): boolean {
  return intersectSets(a, b).length > 0;
}

export function isSubset(inner: CharSet, outer: CharSet): boolean {
  return setsEqual(intersectSets(inner, outer), inner);
}

export function setsEqual(a: CharSet, b: CharSet): boolean {
  return a.length === b.length && a.every((value, index) => value === b[index]);
}

export function setHas(set: CharSet, code: number): boolean {
  let low = 0;
  let high = set.length / 2 - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    if (code < set[middle * 2]!) high = middle - 1;
    else if (code > set[middle * 2 + 1]!) low = middle + 1;
    else return true;
  }
  return false;
}

/** Adds the other case of every member (simple one-to-one mappings only). */
export function withCaseVariants(set: CharSet): CharSet {
  let members = 0;
  for (let i = 0; i < set.length; i += 2) members += set[i + 1]! - set[i]! + 1;
  const source = members > caseFoldMembersMax ? intersectSets(set, [0, 127]) : set;
  const extra: [number, number][] = [];
  for (let i = 0; i < source.length; i += 2) {
    for (let code = source[i]!; code <= source[i + 1]!; code++) {
      const character = String.fromCodePoint(code);
      for (const variant of [character.toLowerCase(), character.toUpperCase()]) {
        const other = variant.codePointAt(0)!;
        if (other !== code && variant.length === String.fromCodePoint(other).length) {
          extra.push([other, other]);
        }
      }
    }
  }
  return extra.length === 0 ? set : unionSets(set, setOfRanges(extra));
}

/** POSIX bracket names. Unicode-aware, as Ruby's are. Source: Oniguruma doc/RE, "POSIX bracket". */
const posixClasses: Readonly<Record<string, string | CharSet>> = {
  alnum: '\\p{Alphabetic}\\p{M}\\p{Nd}',
  alpha: '\\p{Alphabetic}\\p{M}',
  ascii: [0, 127],
  blank: '\\p{Zs}\\t',
  cntrl: '\\p{Cc}',
  digit: '\\p{Nd}',
  graph: '\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}\\p{Cf}\\p{Co}',
  lower: '\\p{Lowercase}',
  print: '\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}\\p{Cf}\\p{Co}\\p{Zs}',
  punct: '\\p{P}$+<=>^`|~',
  space: '\\p{Z}\\t\\n\\v\\f\\r\\x85',
  upper: '\\p{Uppercase}',
  xdigit: hexSet,
  word: '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}',
};

/** The set of a POSIX bracket name such as `alpha`, or undefined for an unknown name. */
export function posixSet(name: string): CharSet | undefined {
  const entry = Object.hasOwn(posixClasses, name) ? posixClasses[name] : undefined;
  return typeof entry === 'string' ? unicodeSet(entry) : entry;
}

/** The set of a `\p{…}` property: POSIX names, general categories, binary properties, scripts. */
export function propertySet(name: string): CharSet | undefined {
  const plain = name.replace(/[\s_-]/g, '').toLowerCase();
  if (plain === 'any') return anySet;
  const posix = posixSet(plain);
  if (posix !== undefined) return posix;
  if (!/^[A-Za-z_]+$/.test(name)) return undefined;
  for (const body of [`\\p{${name}}`, `\\p{Script=${name}}`]) {
    if (isValidClassBody(body)) return unicodeSet(body);
  }
  return undefined;
}

const unicodeCache = new Map<string, CharSet>();

/** Members of a JavaScript `u`-mode class body, found by scanning the assigned planes once. */
function unicodeSet(classBody: string): CharSet {
  const known = unicodeCache.get(classBody);
  if (known !== undefined) return known;
  const found = new RegExp(`[${classBody}]+`, 'gu');
  const ranges: [number, number][] = [];
  for (const plane of [0, 1, 2, 3, 14, 15, 16]) {
    const text = planeText(plane);
    found.lastIndex = 0;
    for (let match = found.exec(text); match !== null; match = found.exec(text)) {
      const first = match[0].codePointAt(0)!;
      const width = plane === 0 ? 1 : 2;
      // The plane's text leaves the surrogates out, so a run never spans them.
      ranges.push([first, first + match[0].length / width - 1]);
    }
  }
  const set = setOfRanges(ranges);
  if (unicodeCache.size >= unicodeCacheEntriesMax) unicodeCache.clear();
  unicodeCache.set(classBody, set);
  return set;
}

/** Every code point of a plane in order; a NUL stands where the surrogates would be. */
function planeText(plane: number): string {
  const units = new Uint16Array(plane === 0 ? 0x10000 : 0x20000);
  let length = 0;
  for (let low = 0; low < 0x10000; low++) {
    if (plane === 0) {
      units[length++] = low >= 0xd800 && low < 0xe000 ? 0 : low;
      continue;
    }
    const offset = plane * 0x10000 + low - 0x10000;
    units[length++] = 0xd800 + (offset >> 10);
    units[length++] = 0xdc00 + (offset & 0x3ff);
  }
  return Buffer.from(units.buffer, 0, length * 2).toString('utf16le');
}

function isValidClassBody(body: string): boolean {
  try {
    new RegExp(`[${body}]`, 'u');
    return true;
  } catch {
    return false;
  }
}
