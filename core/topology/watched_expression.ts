import { compileExpression, type Expression, WatchNeeded } from '../expression/expression.ts';
import { RegexBudgetError } from '../regex/backtracking_matcher.ts';
import { compileRegex } from '../regex/regex.ts';
import { runInTurn } from '../regex/turn.ts';

/** Time of one event whose texts a regular expression may run away on. */
const eventMs = 20;

/** A condition whose regular expressions cannot stop the agent: where one may take long on a text
 *  the events are evaluated under the watchdog, and one that is given up on has not found what it
 *  looks for. */
export class WatchedExpression {
  readonly expression: Expression;
  /** Events on which an expression was given up. */
  readonly onGivenUp: (events: number) => void;
  private state: 'unwatched' | 'watched' | 'giving up' = 'unwatched';

  /** Errors: those of `compileExpression`. */
  constructor(source: string, onGivenUp: (events: number) => void = () => undefined) {
    this.onGivenUp = onGivenUp;
    this.expression = compileExpression(source, {
      compileRegex: (pattern) => {
        const regex = compileRegex(pattern);
        const test = (text: string): boolean => {
          if (!regex.needsGuard(text.length) || this.state === 'watched') return regex.test(text);
          throw this.state === 'unwatched' ? watchNeeded : new RegexBudgetError(0);
        };
        return { test };
      },
    });
  }

  /** Calls `evaluate` for each event from 0 on, under the watchdog from the first that needs it.
   *  `evaluate` must be able to run again for an event that was cut short; for one that was given
   *  up it runs once more, with `isFinal`. */
  each(count: number, evaluate: (event: number, isFinal: boolean) => void): void {
    let event = 0;
    try {
      for (; event < count; event++) evaluate(event, false);
    } catch (error) {
      if (error !== watchNeeded) throw error;
      this.eachWatched(event, count, evaluate);
    }
  }

  private eachWatched(
    from: number,
    count: number,
    evaluate: (event: number, isFinal: boolean) => void,
  ): void {
    try {
      this.state = 'watched';
      const step = (index: number) => evaluate(from + index, false);
      const { timedOut } = runInTurn({ count: count - from, progress: 0, step }, eventMs);
      this.state = 'giving up';
      for (const index of timedOut) evaluate(from + index, true);
      this.onGivenUp(timedOut.length);
    } finally {
      this.state = 'unwatched';
    }
  }
}

const watchNeeded = new WatchNeeded();
