import { type CharSet, posixSet, setHas } from './char_set.ts';
import { assertionTypes, type MatcherProgram, op } from './matcher_program.ts';

/** Thrown when a match needs more steps than its budget, or more memory for going back. */
export class RegexBudgetError extends Error {
  constructor(steps: number) {
    super(`The regular expression gave up after ${steps} steps.`);
    this.name = 'RegexBudgetError';
  }
}

const stackEntriesMax = 8_000_000;
const unset = -1;

/** Runs a program with Oniguruma's meaning: groups in loops keep their last value, an empty round
 *  ends its loop, a reference to an unset group fails. Positions count UTF-16 units; code points are
 *  read whole. The reference for the translation to JavaScript. */
export class BacktrackingMatcher {
  readonly #program: MatcherProgram;
  readonly #bitmaps: readonly Uint8Array[];
  readonly #stepBudget: number;
  /** Starts a match may have; undefined when it can be empty. */
  readonly #first: CharSet | undefined;
  readonly #slots: number[];
  /** Pairs: (target, position) is a choice, (-1 - slot, old value) undoes an assignment. */
  readonly #stack: number[] = [];
  #text = '';
  #searchStart = 0;
  #steps = 0;
  /** Where the last choice taken up goes on. */
  #resumeAt = 0;

  constructor(program: MatcherProgram, first: CharSet | undefined, stepBudget: number) {
    this.#program = program;
    this.#first = first;
    this.#stepBudget = stepBudget;
    this.#slots = new Array<number>(program.slotCount).fill(unset);
    this.#bitmaps = program.sets.map(asciiBitmap);
  }

  /** Searches from `from`. Returns starts and ends of the groups (group 0 is the match; -1 is unset),
   *  valid until the next call, or null. Errors: RegexBudgetError. */
  search(text: string, from: number): readonly number[] | null {
    this.#text = text;
    this.#searchStart = from;
    this.#steps = 0;
    for (let start = from; start <= text.length; start++) {
      if (start > from && isLow(text, start)) continue;
      if (this.#first !== undefined) {
        if (start === text.length) return null;
        if (!setHas(this.#first, text.codePointAt(start)!)) continue;
      }
      if (this.#run(start)) return this.#slots;
    }
    return null;
  }

  /** One loop over the instructions: long, but a call for each would cost more than its work. */
  #run(start: number): boolean {
    const { code, sets } = this.#program;
    const text = this.#text;
    const slots = this.#slots;
    const stack = this.#stack;
    slots.fill(unset);
    stack.length = 0;
    let at = 0;
    let position = start;
    while (true) {
      if (++this.#steps > this.#stepBudget || stack.length > stackEntriesMax) {
        throw new RegexBudgetError(this.#steps);
      }
      let ok = true;
      switch (code[at]) {
        case op.match:
          slots[0] = start;
          slots[1] = position;
          return true;
        case op.set: {
          const unit = text.charCodeAt(position);
          const set = code[at + 1]!;
          if (unit < 128) {
            ok = this.#bitmaps[set]![unit] === 1;
            position++;
          } else if (position < text.length) {
            const point = text.codePointAt(position)!;
            ok = setHas(sets[set]!, point);
            position += point > 0xffff ? 2 : 1;
          } else {
            ok = false;
          }
          at += 2;
          break;
        }
        case op.split:
          stack.push(code[at + 2]!, position);
          at = code[at + 1]!;
          break;
        case op.jump:
          at = code[at + 1]!;
          break;
        case op.mark:
          this.#assign(code[at + 1]!, position);
          at += 2;
          break;
        case op.assert:
          ok = this.#holds(code[at + 1]!, position);
          at += 2;
          break;
        case op.backreference: {
          const length = this.#referenceLength(at, position);
          ok = length >= 0;
          position += length;
          at += 3 + code[at + 2]!;
          break;
        }
        case op.enterAtomic:
          this.#assign(code[at + 1]!, stack.length + 2);
          at += 2;
          break;
        case op.leaveAtomic:
          this.#forgetChoices(slots[code[at + 1]!]!);
          at += 2;
          break;
        case op.leaveLook: {
          const slot = code[at + 1]!;
          position = slots[slot + 1]!;
          this.#forgetChoices(slots[slot]!);
          at += 2;
          break;
        }
        case op.enterNegative: {
          this.#assign(code[at + 1]!, stack.length + 2);
          stack.push(code[at + 2]!, position);
          at += 3;
          break;
        }
        case op.leaveNegative: {
          // Undo all of the body, and take its choice point away: the look fails as a whole.
          this.#undoTo(slots[code[at + 1]!]!);
          ok = false;
          break;
        }
        case op.back: {
          position = stepBack(text, position, code[at + 1]!);
          ok = position >= 0;
          at += 2;
          break;
        }
        case op.expectMark:
          ok = slots[code[at + 1]!] === position;
          at += 2;
          break;
        case op.assign:
          this.#assign(code[at + 1]!, code[at + 2]!);
          at += 3;
          break;
        case op.count: {
          const rounds = slots[code[at + 1]!]!;
          const max = code[at + 3]!;
          const after = at + 6;
          const body = code[at + 5]!;
          if (rounds < code[at + 2]!) {
            this.#assign(code[at + 1]!, rounds + 1);
            at = body;
          } else if (max >= 0 && rounds >= max) {
            at = after;
          } else if (code[at + 4] === 1) {
            // Lazy: going back must find the counter raised, so raise it, then lower it for the way out.
            this.#assign(code[at + 1]!, rounds + 1);
            stack.push(body, position);
            at = after;
          } else {
            stack.push(after, position);
            this.#assign(code[at + 1]!, rounds + 1);
            at = body;
          }
          break;
        }
        case op.leaveIfEmpty:
          at = slots[code[at + 1]!] === position ? code[at + 2]! : at + 3;
          break;
      }
      if (ok) continue;
      const choice = this.#goBack();
      if (choice < 0) return false;
      at = choice;
      position = this.#resumeAt;
    }
  }

  /** Undoes assignments up to the last choice; returns its target, or -1 when none is left. */
  #goBack(): number {
    const stack = this.#stack;
    while (stack.length > 0) {
      const value = stack.pop()!;
      const target = stack.pop()!;
      if (target >= 0) {
        this.#resumeAt = value;
        return target;
      }
      this.#slots[-1 - target] = value;
    }
    return -1;
  }

  #undoTo(height: number): void {
    const stack = this.#stack;
    while (stack.length > height) {
      const value = stack.pop()!;
      const target = stack.pop()!;
      if (target < 0) this.#slots[-1 - target] = value;
    }
  }

  #assign(slot: number, value: number): void {
    this.#stack.push(-1 - slot, this.#slots[slot]!);
    this.#slots[slot] = value;
  }

  /** Drops the choices above `height` but keeps the assignments, so that they can be undone. */
  #forgetChoices(height: number): void {
    const stack = this.#stack;
    let keep = height;
    for (let i = height; i < stack.length; i += 2) {
      if (stack[i]! >= 0) continue;
      stack[keep] = stack[i]!;
      stack[keep + 1] = stack[i + 1]!;
      keep += 2;
    }
    stack.length = keep;
  }

  #holds(type: number, position: number): boolean {
    const text = this.#text;
    switch (assertionTypes[type]) {
      case 'text_start':
        return position === 0;
      case 'text_end':
        return position === text.length;
      case 'text_end_newline':
        return (
          position === text.length ||
          (position === text.length - 1 && text.charCodeAt(position) === 10)
        );
      case 'line_start':
        return position === 0 || (position < text.length && text.charCodeAt(position - 1) === 10);
      case 'line_end':
        return position === text.length || text.charCodeAt(position) === 10;
      case 'search_start':
        return position === this.#searchStart;
      case 'word_boundary':
        return isWordBefore(text, position) !== isWordAt(text, position);
      default:
        return isWordBefore(text, position) === isWordAt(text, position);
    }
  }

  /** Length of the referenced text at `position`, or -1 when it is not there. */
  #referenceLength(at: number, position: number): number {
    const { code } = this.#program;
    const text = this.#text;
    const count = code[at + 2]!;
    for (let i = count - 1; i >= 0; i--) {
      const group = code[at + 3 + i]!;
      const start = this.#slots[group * 2]!;
      const end = this.#slots[group * 2 + 1]!;
      if (start < 0 || end < start) continue;
      const wanted = text.slice(start, end);
      const found = text.slice(position, position + wanted.length);
      if (found === wanted) return wanted.length;
      if (code[at + 1] === 1 && found.toLowerCase() === wanted.toLowerCase()) return wanted.length;
    }
    return -1;
  }
}

function asciiBitmap(set: CharSet): Uint8Array {
  const bits = new Uint8Array(128);
  for (let code = 0; code < 128; code++) bits[code] = setHas(set, code) ? 1 : 0;
  return bits;
}

function isLow(text: string, position: number): boolean {
  const unit = text.charCodeAt(position);
  if (unit < 0xdc00 || unit > 0xdfff) return false;
  const before = text.charCodeAt(position - 1);
  return before >= 0xd800 && before <= 0xdbff;
}

function stepBack(text: string, position: number, count: number): number {
  let at = position;
  for (let i = 0; i < count; i++) {
    at -= at > 1 && isLow(text, at - 1) ? 2 : 1;
    if (at < 0) return -1;
  }
  return at;
}

function isWordAt(text: string, position: number): boolean {
  return position < text.length && isWord(text.codePointAt(position)!);
}

function isWordBefore(text: string, position: number): boolean {
  const before = stepBack(text, position, 1);
  return before >= 0 && isWord(text.codePointAt(before)!);
}

function isWord(code: number): boolean {
  if (code < 128) {
    return (
      (code >= 97 && code <= 122) ||
      (code >= 65 && code <= 90) ||
      (code >= 48 && code <= 57) ||
      code === 95
    );
  }
  return setHas(posixSet('word')!, code);
}
