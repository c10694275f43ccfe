/** Compiles an expression to a flat program for the backtracking matcher.
 *
 *  Instructions are numbers: an opcode and its operands. Slots hold numbers that the matcher saves and
 *  restores when it goes back: first the starts and ends of the groups, then loop counters and marks. */
import { childrenOf, type RegexNode, type RepeatNode } from './ast.ts';
import type { CharSet } from './char_set.ts';
import type { FactTable } from './facts.ts';

export const op = {
  match: 0,
  /** set */
  set: 1,
  /** first, second: try the first, later the second */
  split: 2,
  /** target */
  jump: 3,
  /** slot: slot = position */
  mark: 4,
  /** assertion type */
  assert: 5,
  /** ignoreCase, count, groups… */
  backreference: 6,
  /** slot: remembers how high the stack is */
  enterAtomic: 7,
  /** slot: forgets the choices made since */
  leaveAtomic: 8,
  /** slot: forgets the choices and goes back to the position in slot + 1 */
  leaveLook: 9,
  /** slot, after: a negative look begins; when its body fails, go on at `after` */
  enterNegative: 10,
  /** slot: the body of a negative look matched: fail */
  leaveNegative: 11,
  /** count: steps back that many code points or fails */
  back: 12,
  /** slot: fails unless the position is the one in the slot */
  expectMark: 13,
  /** slot, value */
  assign: 14,
  /** slot, min, max, lazy, body: counts rounds of a loop; falls through to the end of the loop */
  count: 15,
  /** slot, exit: leaves the loop when the round consumed nothing */
  leaveIfEmpty: 16,
} as const;

export const assertionTypes = [
  'line_start',
  'line_end',
  'text_start',
  'text_end',
  'text_end_newline',
  'word_boundary',
  'not_word_boundary',
  'search_start',
] as const;

export interface MatcherProgram {
  readonly code: readonly number[];
  readonly sets: readonly CharSet[];
  readonly slotCount: number;
  readonly groupCount: number;
}

/** Bodies whose copies together take no more instructions than this are written out. */
const unrolledCodeMax = 400;

export function compileProgram(
  root: RegexNode,
  facts: FactTable,
  groupCount: number,
): MatcherProgram {
  const compiler = new Compiler(facts, groupCount);
  compiler.emit(root);
  compiler.code.push(op.match);
  return {
    code: compiler.code,
    sets: compiler.sets,
    slotCount: compiler.slotCount,
    groupCount,
  };
}

class Compiler {
  readonly code: number[] = [];
  readonly sets: CharSet[] = [];
  slotCount: number;
  readonly #facts: FactTable;
  readonly #setIndexes = new Map<string, number>();
  readonly #sizes = new WeakMap<RegexNode, number>();

  constructor(facts: FactTable, groupCount: number) {
    this.#facts = facts;
    this.slotCount = (groupCount + 1) * 2;
  }

  emit(node: RegexNode): void {
    const { code } = this;
    switch (node.kind) {
      case 'empty':
        return;
      case 'set':
        code.push(op.set, this.#setIndex(node.set));
        return;
      case 'sequence':
        for (const item of node.items) this.emit(item);
        return;
      case 'alternation':
        this.#alternatives(node.items.map((item) => () => this.emit(item)));
        return;
      case 'repeat':
        this.#repeat(node);
        return;
      case 'capture':
        code.push(op.mark, node.index * 2);
        this.emit(node.body);
        code.push(op.mark, node.index * 2 + 1);
        return;
      case 'reference':
        this.emit(node.body);
        return;
      case 'atomic': {
        const slot = this.#newSlots(1);
        code.push(op.enterAtomic, slot);
        this.emit(node.body);
        code.push(op.leaveAtomic, slot);
        return;
      }
      case 'look':
        this.#look(node.body, node.behind, node.negative);
        return;
      case 'assertion':
        code.push(op.assert, assertionTypes.indexOf(node.type));
        return;
      case 'backreference':
        code.push(op.backreference, node.ignoreCase ? 1 : 0, node.indexes.length, ...node.indexes);
        return;
    }
  }

  #newSlots(count: number): number {
    const first = this.slotCount;
    this.slotCount += count;
    return first;
  }

  #setIndex(set: CharSet): number {
    const key = set.join();
    let index = this.#setIndexes.get(key);
    if (index === undefined) {
      index = this.sets.push(set) - 1;
      this.#setIndexes.set(key, index);
    }
    return index;
  }

  #alternatives(branches: readonly (() => void)[]): void {
    const { code } = this;
    const ends: number[] = [];
    for (const [index, branch] of branches.entries()) {
      if (index === branches.length - 1) {
        branch();
        break;
      }
      const split = code.length;
      code.push(op.split, split + 3, 0);
      branch();
      code.push(op.jump, 0);
      ends.push(code.length - 1);
      code[split + 2] = code.length;
    }
    for (const end of ends) code[end] = code.length;
  }

  #look(body: RegexNode, behind: boolean, negative: boolean): void {
    const { code } = this;
    const slot = this.#newSlots(2);
    code.push(op.mark, slot + 1);
    if (negative) code.push(op.enterNegative, slot, 0);
    else code.push(op.enterAtomic, slot);
    const patch = code.length - 1;
    if (behind) this.#behind(body, slot + 1);
    else this.emit(body);
    code.push(negative ? op.leaveNegative : op.leaveLook, slot);
    if (negative) code[patch] = code.length;
  }

  /** Tries every length the body may have, shortest first. */
  #behind(body: RegexNode, mark: number): void {
    const { minLength, maxLength } = this.#facts.of(body);
    const lengths: number[] = [];
    const last = Math.min(maxLength, minLength + 255);
    for (let length = minLength; length <= last; length++) lengths.push(length);
    this.#alternatives(
      lengths.map((length) => () => {
        this.code.push(op.back, length);
        this.emit(body);
        this.code.push(op.expectMark, mark);
      }),
    );
  }

  #repeat(node: RepeatNode): void {
    const { body, min, max, lazy } = node;
    if (max === 0) return;
    const copies = max === Number.POSITIVE_INFINITY ? min : max;
    if (copies > 1 && this.#size(body) * copies > unrolledCodeMax) {
      this.#counted(node);
      return;
    }
    for (let round = 0; round < min; round++) this.emit(body);
    if (max === Number.POSITIVE_INFINITY) this.#loop(body, lazy);
    else this.#optional(body, max - min, lazy);
  }

  /** Instructions that a node takes, about. */
  #size(node: RegexNode): number {
    const known = this.#sizes.get(node);
    if (known !== undefined) return known;
    let size = 4;
    for (const child of childrenOf(node)) size += this.#size(child);
    if (node.kind === 'repeat') {
      const copies = node.max === Number.POSITIVE_INFINITY ? node.min + 1 : node.max;
      if (size * copies <= unrolledCodeMax) size *= copies;
    }
    this.#sizes.set(node, size);
    return size;
  }

  #optional(body: RegexNode, rounds: number, lazy: boolean): void {
    const { code } = this;
    const exits: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const split = code.length;
      code.push(op.split, split + 3, split + 3);
      exits.push(lazy ? split + 1 : split + 2);
      this.emit(body);
    }
    for (const exit of exits) code[exit] = code.length;
  }

  #loop(body: RegexNode, lazy: boolean): void {
    const { code } = this;
    const nullable = this.#facts.nullable(body);
    const slot = nullable ? this.#newSlots(1) : 0;
    const split = code.length;
    code.push(op.split, split + 3, split + 3);
    if (nullable) code.push(op.mark, slot);
    this.emit(body);
    let leave = -1;
    if (nullable) {
      code.push(op.leaveIfEmpty, slot, 0);
      leave = code.length - 1;
    }
    code.push(op.jump, split);
    code[lazy ? split + 1 : split + 2] = code.length;
    if (leave >= 0) code[leave] = code.length;
  }

  #counted(node: RepeatNode): void {
    const { code } = this;
    const slot = this.#newSlots(2);
    const max = node.max === Number.POSITIVE_INFINITY ? -1 : node.max;
    code.push(op.assign, slot, 0);
    code.push(op.jump, 0);
    const entry = code.length;
    const unboundedNullable = max < 0 && this.#facts.nullable(node.body);
    if (unboundedNullable) code.push(op.mark, slot + 1);
    this.emit(node.body);
    if (unboundedNullable) code.push(op.leaveIfEmpty, slot + 1, 0);
    const leave = code.length - 1;
    code[entry - 1] = code.length;
    code.push(op.count, slot, node.min, max, node.lazy ? 1 : 0, entry);
    if (unboundedNullable) code[leave] = code.length;
  }
}
