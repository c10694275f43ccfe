import { type CompiledRegex, RegexBudgetError, runInTurn } from '../../../core/sdk/index.ts';

/** Time that one text may take: a regular expression that needs more is given up on it. */
export const matchTimeoutMs = 20;

/** Mark of events on which a regular expression was given up. */
export const regexTimeoutMark = '_regextimeout';

/** Runs `step` for each of the texts, under the watchdog when one of them is long enough for the
 *  expression to run away. Returns the positions that were given up, ascending.
 *  `step` must be able to run again for a text that was cut short. */
export function matchTexts(
  regex: CompiledRegex,
  texts: readonly string[],
  step: (position: number) => void,
): readonly number[] {
  for (let position = 0; position < texts.length; position++) {
    if (!regex.needsGuard(texts[position]!.length)) continue;
    const work = { count: texts.length, progress: 0, step };
    const isRisky = (at: number) => regex.needsGuard(texts[at]!.length);
    return runInTurn(work, matchTimeoutMs, isRisky).timedOut;
  }
  return matchUnguarded(texts.length, step);
}

function matchUnguarded(count: number, step: (position: number) => void): readonly number[] {
  const givenUp: number[] = [];
  for (let position = 0; position < count; position++) {
    try {
      step(position);
    } catch (error) {
      if (!(error instanceof RegexBudgetError)) throw error;
      givenUp.push(position);
    }
  }
  return givenUp;
}
