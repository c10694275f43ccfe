import {
  type CharSet,
  digitSet,
  hexSet,
  negateSet,
  propertySet,
  spaceSet,
  wordSet,
} from './char_set.ts';
import type { Scanner } from './scanner.ts';

const setEscapes: Readonly<Record<string, CharSet>> = {
  d: digitSet,
  D: negateSet(digitSet),
  w: wordSet,
  W: negateSet(wordSet),
  s: spaceSet,
  S: negateSet(spaceSet),
  h: hexSet,
  H: negateSet(hexSet),
};

const controlEscapes: Readonly<Record<string, number>> = {
  t: 9,
  n: 10,
  v: 11,
  f: 12,
  r: 13,
  a: 7,
  e: 27,
};

const bracedHex = /x\{\s*([0-9a-fA-F]{1,8})\s*\}/y;
const shortHex = /x([0-9a-fA-F]{0,2})/y;
const unicodeHex = /u([0-9a-fA-F]{4})/y;
const octal = /[0-7]{1,3}/y;
const property = /[pP]\{(\^?)([^}]*)\}/y;

/** Reads a class escape (`d`, `h`, `p{Alpha}`…) after the backslash, or returns undefined. */
export function takeSetEscape(scanner: Scanner): CharSet | undefined {
  const letter = scanner.peek();
  const known = Object.hasOwn(setEscapes, letter) ? setEscapes[letter] : undefined;
  if (known !== undefined) {
    scanner.position++;
    return known;
  }
  if (letter !== 'p' && letter !== 'P') return undefined;
  const start = scanner.position;
  const match = scanner.takeMatch(property);
  if (match === null) return undefined;
  const set = propertySet(match[2]!);
  if (set === undefined) return scanner.fail(`unknown character property ${match[2]}`, start);
  const negative = (letter === 'P') !== (match[1] === '^');
  return negative ? negateSet(set) : set;
}

/** Reads an escape that stands for one code point, after the backslash. Any other letter is itself. */
export function takeCodeEscape(scanner: Scanner): number {
  if (scanner.done) return scanner.fail('a backslash ends the expression', scanner.position - 1);
  const letter = scanner.peek();
  if (Object.hasOwn(controlEscapes, letter)) {
    scanner.position++;
    return controlEscapes[letter]!;
  }
  if (letter === 'x') return takeHex(scanner);
  if (letter === 'u') {
    const match = scanner.takeMatch(unicodeHex);
    return match === null
      ? scanner.fail('\\u needs four hexadecimal digits')
      : Number.parseInt(match[1]!, 16);
  }
  if (letter >= '0' && letter <= '7') {
    return Number.parseInt(scanner.takeMatch(octal)![0], 8) & 0xff;
  }
  if (letter === 'c' || scanner.startsWith('C-')) {
    scanner.position += letter === 'c' ? 1 : 2;
    return scanner.takeCode() & 0x1f;
  }
  return scanner.takeCode();
}

function takeHex(scanner: Scanner): number {
  const start = scanner.position;
  const braced = scanner.takeMatch(bracedHex);
  if (braced !== null) {
    const code = Number.parseInt(braced[1]!, 16);
    return code > 0x10ffff ? scanner.fail('the code point is too large', start) : code;
  }
  const digits = scanner.takeMatch(shortHex)?.[1] ?? '';
  return digits === '' ? 0 : Number.parseInt(digits, 16);
}
