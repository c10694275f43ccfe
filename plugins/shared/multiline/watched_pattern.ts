import { setTimeout as wait } from 'node:timers/promises';
import { type ByteSieve, RegexBudgetError, runGuarded } from '../../../core/sdk/index.ts';
import type { LineText } from './line_text.ts';

/** An expression, ready to be tried. */
export interface LinePattern {
  test(text: string): boolean;
  /** False when a text lacks something that every match has. */
  mayMatch?(text: string): boolean;
  /** True when a search in a text of this length could take long. Grows with the length. */
  needsGuard?(length: number): boolean;
  /** What bytes tell before there is a text. */
  readonly sieve?: ByteSieve;
  /** The part of a text that matches. */
  matched?(text: string): string | undefined;
}

/** Time that one line may take an expression; a line that needs more counts as not matching. */
const matchTimeoutMs = 20;
/** As long as a line may take, so that others get at least half of the time. */
const restMs = 20;
/** Lines of one block that an expression is given up on before it is not tried any more on lines
 *  as long. */
const givenUpMax = 5;
const lineBytesMost = 2 ** 31;
/** Heads that are kept, and how many are tried before it is clear that they do not come again. */
const headsMax = 4;
const headsTriedMax = 64;
const headLengthMax = 64;

/** An expression of a rule under the watchdog.
 *
 *  Its lines are tried in advance, a block at a time, since the watchdog costs as much for one line
 *  as for many. Between two lines that are given up, others get their turn. */
export class WatchedPattern {
  /** Shorter lines cannot take long. */
  readonly guardedBytesMin: number;
  /** Lines that the expression was given up on. */
  givenUp = 0;
  private readonly pattern: LinePattern;
  private readonly verdicts = new Map<string, boolean>();
  /** What lines began with that matched: a frame of a trace begins as the one before. */
  private readonly heads: Buffer[] = [];
  private headsTried = 0;

  constructor(pattern: LinePattern) {
    this.pattern = pattern;
    this.guardedBytesMin = shortestGuarded(pattern);
  }

  /** As `test`, for a line of which a string is made only when bytes do not tell. */
  testLine(line: LineText): boolean {
    // hot path
    const { sieve } = this.pattern;
    if (sieve === undefined || !line.hasBytes) return this.test(line.text);
    if (!sieve.mayMatch(line.bytes, line.start, line.end, line.isOneLine)) return false;
    if (!sieve.isDecidedByHead) return this.test(line.text);
    for (let i = 0; i < this.heads.length; i++) {
      if (line.beginsWith(this.heads[i]!)) return true;
    }
    const isMatch = this.test(line.text);
    if (isMatch && this.headsTried < headsTriedMax) this.keepHead(line.text);
    return isMatch;
  }

  private keepHead(text: string): void {
    this.headsTried++;
    if (text.length >= this.guardedBytesMin) return;
    const head = this.pattern.matched?.(text);
    if (head === undefined || head.length > headLengthMax) return;
    if (this.heads.length === headsMax) this.heads.shift();
    this.heads.push(Buffer.from(head));
  }

  /** Whether a line matches. */
  test(text: string): boolean {
    // hot path
    if (text.length < this.guardedBytesMin) return this.tryUnwatched(text);
    const known = this.verdicts.get(text);
    if (known !== undefined) return known;
    if (!this.mayMatch(text)) return false;
    this.tryWatched([text], 0);
    return this.verdicts.get(text) === true;
  }

  /** Tries lines in advance. */
  async prepare(texts: readonly string[]): Promise<void> {
    const tried = texts.filter((text) => {
      const isTried = text.length >= this.guardedBytesMin && this.mayMatch(text);
      if (!isTried) this.verdicts.set(text, false);
      return isTried && !this.verdicts.has(text);
    });
    const before = this.givenUp;
    let shortestGivenUp = Number.POSITIVE_INFINITY;
    for (let at = 0; at < tried.length; ) {
      const next = this.tryWatched(tried, at);
      if (next === tried.length) return;
      shortestGivenUp = Math.min(shortestGivenUp, tried[next - 1]!.length);
      at = next;
      if (this.givenUp - before >= givenUpMax) {
        at += this.giveUpLong(tried.slice(at), shortestGivenUp);
      }
      // One turn of the event loop would not bring a batch through: it takes several.
      await wait(restMs);
    }
  }

  /** Forgets the lines tried in advance. */
  forget(): void {
    if (this.verdicts.size > 0) this.verdicts.clear();
  }

  private mayMatch(text: string): boolean {
    return this.pattern.mayMatch?.(text) ?? true;
  }

  private tryUnwatched(text: string): boolean {
    try {
      return this.pattern.test(text);
    } catch (error) {
      if (!(error instanceof RegexBudgetError)) throw error;
      this.givenUp++;
      return false;
    }
  }

  /** Tries lines from `first` on until one is given up; returns where to go on. */
  private tryWatched(texts: readonly string[], first: number): number {
    let current = -1;
    let next = texts.length - first;
    const step = (index: number) => {
      // The one before was cut short for good: the rest has to wait for its turn.
      if (current >= 0 && current !== index) next = Math.min(next, index);
      if (index >= next) return;
      const text = texts[first + index]!;
      current = index;
      this.verdicts.set(text, false);
      this.verdicts.set(text, this.pattern.test(text));
      current = -1;
    };
    const work = { count: texts.length - first, progress: 0, step };
    this.givenUp += runGuarded(work, matchTimeoutMs).timedOut.length;
    return first + next;
  }

  /** Does not try lines as long as those that were given up; returns how many lines were settled
   *  from the beginning on. */
  private giveUpLong(texts: readonly string[], length: number): number {
    let settled = 0;
    for (const text of texts) {
      if (text.length < length) break;
      this.verdicts.set(text, false);
      this.givenUp++;
      settled++;
    }
    return settled;
  }
}

function shortestGuarded(pattern: LinePattern): number {
  if (pattern.needsGuard === undefined || !pattern.needsGuard(lineBytesMost)) {
    return Number.POSITIVE_INFINITY;
  }
  let low = 0;
  let high = lineBytesMost;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (pattern.needsGuard(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
