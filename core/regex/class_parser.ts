import {
  type CharSet,
  emptySet,
  intersectSets,
  negateSet,
  posixSet,
  singleSet,
  unionSets,
  withCaseVariants,
} from './char_set.ts';
import { takeCodeEscape, takeSetEscape } from './escapes.ts';
import type { Scanner } from './scanner.ts';

const nestingMax = 50;
const posixBracket = /\[:(\^?)([a-z]+):\]/y;

/** Parses a bracket class. The scanner stands after its `[`; it is left after the closing `]`.
 *  Nested classes and `&&` as in Oniguruma; a `]` right after the opening is a literal. */
export function takeClass(scanner: Scanner, ignoreCase: boolean, depth = 0): CharSet {
  const start = scanner.position - 1;
  if (depth > nestingMax) return scanner.fail('classes are nested too deep', start);
  const negative = scanner.take('^');
  let left: CharSet | undefined;
  const parts: CharSet[] = [];
  if (scanner.peek() === ']' && scanner.source.indexOf(']', scanner.position + 1) >= 0) {
    scanner.position++;
    parts.push(singleSet(0x5d));
  }
  while (true) {
    if (scanner.done) return scanner.fail('the character class is not closed', start);
    if (scanner.take(']')) {
      if (parts.length === 0 && left === undefined) {
        return scanner.fail('the character class is empty', start);
      }
      break;
    }
    if (scanner.take('&&')) {
      const right = folded(parts, ignoreCase);
      left = left === undefined ? right : intersectSets(left, right);
      parts.length = 0;
      continue;
    }
    parts.push(takeClassItem(scanner, ignoreCase, depth));
  }
  const last = folded(parts, ignoreCase);
  const whole = left === undefined ? last : intersectSets(left, last);
  return negative ? negateSet(whole) : whole;
}

function folded(parts: readonly CharSet[], ignoreCase: boolean): CharSet {
  const set = parts.length === 0 ? emptySet : unionSets(...parts);
  return ignoreCase ? withCaseVariants(set) : set;
}

function takeClassItem(scanner: Scanner, ignoreCase: boolean, depth: number): CharSet {
  if (scanner.peek() === '[') {
    const bracket = takePosix(scanner);
    if (bracket !== undefined) return bracket;
    scanner.position++;
    return takeClass(scanner, ignoreCase, depth + 1);
  }
  const start = scanner.position;
  const low = takeClassCode(scanner);
  if (typeof low !== 'number') return low;
  // `a-]` and `a-[` and `a-&&`: the hyphen is a literal.
  const after = scanner.source.charAt(scanner.position + 1);
  if (scanner.peek() !== '-' || after === ']' || after === '' || after === '[') {
    return singleSet(low);
  }
  scanner.position++;
  const high = takeClassCode(scanner);
  if (typeof high !== 'number') return unionSets(singleSet(low), singleSet(0x2d), high);
  if (high < low) return scanner.fail('the range of the class is in the wrong order', start);
  return [low, high];
}

function takePosix(scanner: Scanner): CharSet | undefined {
  const start = scanner.position;
  const match = scanner.takeMatch(posixBracket);
  if (match === null) return undefined;
  const set = posixSet(match[2]!);
  if (set === undefined) return scanner.fail(`unknown POSIX class [:${match[2]}:]`, start);
  return match[1] === '^' ? negateSet(set) : set;
}

function takeClassCode(scanner: Scanner): number | CharSet {
  if (!scanner.take('\\')) return scanner.takeCode();
  if (scanner.take('b')) return 8;
  return takeSetEscape(scanner) ?? takeCodeEscape(scanner);
}
