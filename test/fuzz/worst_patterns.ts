import { compileRegex, RegexBudgetError } from '../../core/regex/regex.ts';
import { Random } from '../model/random.ts';

/** A pattern that was let run without a watchdog although it runs away. */
export interface UnderratedPattern {
  readonly pattern: string;
  readonly text: string;
}

const budgets = [10_000, 100_000, 1_000_000, 8_000_000];
const units = ['a', 'ab', 'aab', 'b', 'abc'];
const lengths = [28, 120, 1200];

/** How hard a pattern is on the hardest of some texts: the number of budgets that were not enough.
 *  With `isUnwatched`, texts that it would not meet without a watchdog do not count. */
export function hardnessOf(
  pattern: string,
  { isUnwatched = true } = {},
): { hardness: number; text: string } {
  let worst = { hardness: 0, text: '' };
  const rating = compileRegex(pattern);
  // Our own matcher stops itself.
  if (rating.engine === 'matcher') return worst;
  const regexes = budgets.map((stepBudget) =>
    compileRegex(pattern, { engine: 'matcher', stepBudget }),
  );
  for (const unit of units) {
    for (const length of lengths) {
      const text = `${unit.repeat(length).slice(0, length)}!`;
      if (isUnwatched && rating.needsGuard(text.length)) continue;
      while (worst.hardness < budgets.length && !isEnough(regexes[worst.hardness]!, text)) {
        worst = { hardness: worst.hardness + 1, text };
      }
    }
  }
  return worst;
}

/** Some patterns that run away on short texts, watched or not, each with such a text. */
export function hardestPatterns(seed: number, count: number): UnderratedPattern[] {
  const random = new Random(seed);
  const found: UnderratedPattern[] = [];
  for (let tried = 0; found.length < count && tried < 5000; tried++) {
    const pattern = patternOf(random, 3);
    try {
      const { hardness, text } = hardnessOf(pattern, { isUnwatched: false });
      if (hardness === budgets.length) found.push({ pattern, text });
    } catch {
      // It is no pattern.
    }
  }
  return found;
}

function isEnough(regex: ReturnType<typeof compileRegex>, text: string): boolean {
  try {
    regex.test(text);
    return true;
  } catch (error) {
    if (error instanceof RegexBudgetError) return false;
    throw error;
  }
}

/** Looks for patterns whose cost is rated too low: makes some of a few pieces, changes what is
 *  hardest on its texts a little, and begins anew when that leads nowhere. */
export function searchWorst(seed: number, patterns: number): UnderratedPattern[] {
  const random = new Random(seed);
  const found: UnderratedPattern[] = [];
  let best = patternOf(random, 3);
  let bestHardness = 0;
  let sinceBetter = 0;
  for (let tried = 0; tried < patterns; tried++) {
    const pattern = random.below(4) === 0 ? patternOf(random, 3) : changed(random, best);
    let outcome: { hardness: number; text: string };
    try {
      outcome = hardnessOf(pattern);
    } catch {
      continue; // It is no pattern.
    }
    if (outcome.hardness === budgets.length) found.push({ pattern, text: outcome.text });
    if (outcome.hardness >= bestHardness) {
      if (outcome.hardness > bestHardness) sinceBetter = 0;
      best = pattern;
      bestHardness = outcome.hardness;
    }
    if (++sinceBetter > 60 || bestHardness === budgets.length) {
      best = patternOf(random, 3);
      bestHardness = 0;
      sinceBetter = 0;
    }
  }
  return found;
}

const atoms = ['a', 'b', '[ab]', '.', '[a-c]', '\\w', 'ab', 'a'];
const suffixes = ['', '', '?', '*', '+', '{1,3}', '{0,2}', '*?', '+?', '{2}'];
const ends = ['$', '$', 'c$', '!x', '\\b$', ''];

function patternOf(random: Random, depth: number): string {
  return `${random.pick(['^', '^', ''])}${pieceOf(random, depth)}${random.pick(ends)}`;
}

function pieceOf(random: Random, depth: number): string {
  if (depth === 0) return random.pick(atoms) + random.pick(suffixes);
  const inner = () => pieceOf(random, depth - 1);
  switch (random.below(4)) {
    case 0:
      return inner();
    case 1:
      return `(?:${inner()}|${inner()})${random.pick(suffixes)}`;
    case 2:
      return `(?:${inner()})${random.pick(suffixes)}`;
    default:
      return inner() + inner();
  }
}

/** The pattern with a piece more, less, or another. */
function changed(random: Random, pattern: string): string {
  const at = random.below(pattern.length + 1);
  const cut = random.below(3);
  return (
    pattern.slice(0, at) + random.pick(['', ...atoms, ...suffixes, '|']) + pattern.slice(at + cut)
  );
}
