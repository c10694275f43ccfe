import type { LookNode, ReferenceNode, RegexNode, RepeatNode } from '../regex/ast.ts';
import {
  type CharSet,
  isSubset,
  setsOverlap,
  singleSet,
  unionSets,
  wordSet,
} from '../regex/char_set.ts';
import { FactTable, someNode } from '../regex/facts.ts';
import { simplifyRegex } from '../regex/simplify.ts';
import {
  type Argument,
  assertionNumbers,
  classTable,
  type KernelCapture,
  type KernelOp,
  type KernelProgram,
  type Label,
  type opcodes,
  unwantedSlot,
} from './pattern_ops.ts';
import { neededPrefix, singleByte } from './pattern_facts.ts';
import { joinOperations } from './pattern_joints.ts';
import { shortcutOf } from './pattern_shortcuts.ts';

/** A group of the pattern whose text a field takes. */
export interface GroupTarget {
  /** The group's number. */
  readonly group: number;
  /** The field's name. */
  readonly field: string;
  readonly conversion: 'text' | 'int' | 'float';
}

/** Limits of a program; a pattern beyond them stays in JavaScript. */
const opsMax = 8000;
const capturesMax = 120;
const targetsMax = 64;
const nestingMax = 60;
/** Copies that a counted repeat of a group may become. */
const copiesMax = 100;
/** With this many nodes before its first sure character an alternative is worth a test. */
const guardedNodesMin = 11;

/** Lowers a parsed pattern to a program for the kernel. Without `groups`, every reference that
 *  captures (`%{NAME:field:type}`) fills its field. */
export function lowerGrok(
  root: RegexNode,
  groups: readonly GroupTarget[] = groupsOf(root),
): KernelProgram | { readonly reason: string } {
  try {
    return new Lowering(groups).lower(simplifyRegex(root));
  } catch (error) {
    if (error instanceof NotLowered) return { reason: error.message };
    throw error;
  }
}

/** The groups of references and named captures, in order. */
export function groupsOf(root: RegexNode): GroupTarget[] {
  const groups: GroupTarget[] = [];
  const walk = (node: RegexNode, type: string | undefined, field: string | undefined): void => {
    if (node.kind === 'reference') walk(node.body, node.type, node.semantic);
    else if (node.kind === 'capture') {
      const name = field ?? node.name;
      if (name !== undefined) {
        const conversion = type === 'int' || type === 'float' ? type : 'text';
        groups.push({ group: node.index, field: name, conversion });
      }
      walk(node.body, undefined, undefined);
    } else if (node.kind === 'sequence' || node.kind === 'alternation') {
      for (const item of node.items) walk(item, undefined, undefined);
    } else if (node.kind === 'repeat' || node.kind === 'atomic' || node.kind === 'look') {
      walk(node.body, undefined, undefined);
    }
  };
  walk(root, undefined, undefined);
  return groups;
}

class NotLowered extends Error {}

/** What may come behind a node. */
interface Follow {
  /** Nothing comes and nothing can fail any more. */
  readonly accepts: boolean;
  /** Characters that a non-empty rest can begin with. */
  readonly first: CharSet;
  /** The rest may consume nothing. */
  readonly nullable: boolean;
}

const acceptance: Follow = { accepts: true, first: [], nullable: true };

class Lowering {
  private readonly ops: KernelOp[] = [];
  private readonly facts = new FactTable();
  private readonly captures: KernelCapture[] = [];
  private readonly targets: string[] = [];
  /** Position of each wanted group in `captures`. */
  private readonly slots = new Map<number, number>();
  private marks = 0;
  /** Inside of a negative look-around failing has a meaning, so nothing may give up there. */
  private insideNegation = false;
  /** Characters of which one stands just before the current place; undefined when not known. */
  private previous: CharSet | undefined;

  constructor(groups: readonly GroupTarget[]) {
    for (const { group, field, conversion } of groups) {
      let target = this.targets.indexOf(field);
      if (target < 0) target = this.targets.push(field) - 1;
      this.slots.set(group, this.captures.length);
      this.captures.push({ target, conversion });
    }
    if (this.captures.length > capturesMax || this.targets.length > targetsMax) {
      throw new NotLowered('it has too many captures');
    }
  }

  lower(root: RegexNode): KernelProgram {
    this.node(root, acceptance);
    this.emit('match');
    const { captures, targets } = this;
    return { ...joinOperations(this.ops), captures, targets };
  }

  private emit(name: keyof typeof opcodes, ...list: Argument[]): void {
    if (this.ops.length >= opsMax) throw new NotLowered('it is too large');
    this.ops.push({ name, arguments: list });
  }

  /** Several ways lead to a label, so that nothing is known of what stands before it. */
  private place(label: Label): void {
    label.position = this.ops.length;
    this.previous = undefined;
  }

  private node(node: RegexNode, follow: Follow): void {
    switch (node.kind) {
      case 'empty':
        return;
      case 'set':
        this.set(node.set);
        return;
      case 'sequence':
        this.sequence(node.items, follow);
        return;
      case 'alternation':
        this.alternation(node.items, follow);
        return;
      case 'repeat':
        this.repeat(node, follow);
        return;
      case 'capture':
        this.capture(node.index, node.body, follow);
        return;
      case 'reference':
        this.reference(node, follow);
        return;
      case 'atomic':
        this.atomic(node.body);
        return;
      case 'look':
        this.look(node, follow);
        return;
      case 'assertion':
        if (node.type === 'search_start') throw new NotLowered('it uses \\G');
        if (node.type === 'word_boundary' && this.isSureBoundary(follow)) return;
        this.emit('assert', assertionNumbers[node.type]);
        return;
      case 'backreference':
        throw new NotLowered('it refers back to a group');
    }
  }

  private set(set: CharSet): void {
    const byte = singleByte({ kind: 'set', set });
    if (byte !== undefined) this.emit('byte', byte);
    else this.emit('set', { table: classTable(set, true) });
    this.previous = set;
  }

  /** True when a word begins or ends here, whatever the text is for which the rest matches. */
  private isSureBoundary(follow: Follow): boolean {
    const before = this.previous;
    if (before === undefined || follow.nullable || !isAscii(before) || !isAscii(follow.first)) {
      return false;
    }
    const begins = !setsOverlap(before, wordSet) && isSubset(follow.first, wordSet);
    const ends = isSubset(before, wordSet) && !setsOverlap(follow.first, wordSet);
    return begins || ends;
  }

  private sequence(items: readonly RegexNode[], follow: Follow): void {
    for (let i = 0; i < items.length; i++) {
      const text = literalAt(items, i);
      if (text.count > 1) {
        this.emit('literal', { literal: text.bytes }, text.bytes.length);
        this.previous = singleSet(text.bytes.at(-1)!);
        i += text.count - 1;
        continue;
      }
      this.node(items[i]!, this.followOf(items.slice(i + 1), follow));
    }
  }

  private followOf(rest: readonly RegexNode[], follow: Follow): Follow {
    if (rest.length === 0) return follow;
    const facts = this.facts.of({ kind: 'sequence', items: rest });
    const nullable = facts.minLength === 0;
    return {
      accepts: false,
      first: nullable ? unionSets(facts.first, follow.first) : facts.first,
      nullable: nullable && follow.nullable,
    };
  }

  private alternation(items: readonly RegexNode[], follow: Follow): void {
    const end: Label = { position: 0 };
    const before = this.previous;
    items.forEach((item, i) => {
      this.previous = before;
      if (i === items.length - 1) {
        this.node(item, follow);
        return;
      }
      const other: Label = { position: 0 };
      const rest: RegexNode = { kind: 'alternation', items: items.slice(i + 1) };
      const byte = singleByte(item);
      if (byte !== undefined && this.excludes(rest, singleSet(byte))) {
        this.emit('pass', byte, { label: end });
        return;
      }
      this.guard(item, other);
      this.emit('try', { label: other }, this.firstOf(item, follow), this.firstOf(rest, follow));
      this.node(item, follow);
      this.emit('jump', { label: end });
      this.place(other);
    });
    this.place(end);
  }

  /** The bytes that a node and what follows it can begin with; undefined when all can. */
  private firstOf(node: RegexNode, follow: Follow): Argument {
    const facts = this.facts.of(node);
    if (facts.minLength > 0) return { table: classTable(facts.first, false) };
    return follow.nullable
      ? undefined
      : { table: classTable(unionSets(facts.first, follow.first), false) };
  }

  private followTable(follow: Follow): Argument {
    return follow.nullable ? undefined : { table: classTable(follow.first, false) };
  }

  /** Before a costly alternative: a test for a character that it cannot do without. */
  private guard(node: RegexNode, other: Label): void {
    const needed = neededPrefix(node);
    if (needed === undefined || needed.nodes < guardedNodesMin) return;
    const table = { table: classTable(needed.members, false) };
    this.emit('contains', table, needed.byte, { label: other });
  }

  /** True when no match of the node begins with a character of the set. */
  private excludes(node: RegexNode, set: CharSet): boolean {
    return !this.facts.nullable(node) && !setsOverlap(this.facts.of(node).first, set);
  }

  private repeat(node: RepeatNode, follow: Follow): void {
    if (node.max === 0) return;
    if (node.body.kind === 'set') {
      this.run(node, node.body.set, follow);
      return;
    }
    if (this.facts.nullable(node.body)) {
      if (node.min === 0 && node.max === 1) this.optional(node.body, node.lazy, follow);
      else throw new NotLowered('it repeats what may be empty');
      return;
    }
    const unbounded = node.max === Number.POSITIVE_INFINITY;
    if ((unbounded ? node.min : node.max) > copiesMax) {
      throw new NotLowered('it repeats a group too often');
    }
    // In the loop the body may follow itself.
    const first = this.facts.of(node.body).first;
    const again: Follow = {
      accepts: false,
      first: unionSets(first, follow.first),
      nullable: follow.nullable,
    };
    for (let i = 0; i < node.min; i++) {
      const last = i === node.min - 1;
      const required: Follow = { accepts: false, first, nullable: false };
      if (last && node.max === node.min) this.node(node.body, follow);
      else this.node(node.body, last ? again : required);
    }
    if (unbounded) this.loop(node, follow, again);
    else this.optionalCopies(node, node.max - node.min, follow, again);
  }

  private loop(node: RepeatNode, follow: Follow, again: Follow): void {
    const begin: Label = { position: 0 };
    this.place(begin);
    const end: Label = { position: 0 };
    const body: Label = { position: 0 };
    if (node.lazy) {
      this.emit('try', { label: body }, this.followTable(follow), this.firstOf(node.body, follow));
      this.emit('jump', { label: end });
      this.place(body);
    } else {
      this.emit('try', { label: end }, this.firstOf(node.body, follow), this.followTable(follow));
    }
    this.node(node.body, again);
    this.emit('jump', { label: begin });
    this.place(end);
  }

  private optionalCopies(node: RepeatNode, copies: number, follow: Follow, again: Follow): void {
    if (copies === 0) return;
    const end: Label = { position: 0 };
    for (let i = 0; i < copies; i++) {
      const inner = i === copies - 1 ? follow : again;
      if (node.lazy) {
        const body: Label = { position: 0 };
        this.emit(
          'try',
          { label: body },
          this.followTable(follow),
          this.firstOf(node.body, follow),
        );
        this.emit('jump', { label: end });
        this.place(body);
      } else {
        this.emit('try', { label: end }, this.firstOf(node.body, follow), this.followTable(follow));
      }
      this.node(node.body, inner);
    }
    this.place(end);
  }

  private optional(body: RegexNode, lazy: boolean, follow: Follow): void {
    // Engines differ in whether an empty body counts as taken; its captures would show it.
    if (this.hasCapture(body)) throw new NotLowered('it repeats what may be empty');
    this.optionalCopies({ kind: 'repeat', body, min: 0, max: 1, lazy }, 1, follow, follow);
  }

  private run(node: RepeatNode, set: CharSet, follow: Follow): void {
    const bounded = node.max !== Number.POSITIVE_INFINITY;
    // Counts are of characters, the kernel's of bytes.
    const table: Argument = { table: classTable(set, true, bounded || node.min > 1) };
    const most = bounded ? node.max : 0x7fffffff;
    const before = node.min > 0 ? set : this.previous && unionSets(this.previous, set);
    if (node.min > 0x7fffffff || most > 0x7fffffff) throw new NotLowered('it counts too far');
    if (node.lazy && node.min !== node.max) {
      this.emit('lazy', table, node.min, most, this.followTable(follow));
    } else if (
      node.min === node.max ||
      follow.accepts ||
      (!follow.nullable && !setsOverlap(set, follow.first))
    ) {
      this.emit('run', table, node.min, most);
    } else this.emit('greedy', table, node.min, most, this.followTable(follow));
    this.previous = before;
  }

  private capture(group: number, body: RegexNode, follow: Follow): void {
    const slot = this.slots.get(group);
    if (slot === undefined) {
      this.node(body, follow);
      return;
    }
    const begin = this.ops.length;
    this.emit('save', slot * 2);
    this.node(body, follow);
    const only = this.ops[begin + 1];
    if (this.ops.length === begin + 2 && only?.name === 'run') {
      this.ops.length = begin;
      this.emit('field', ...only.arguments, slot * 2);
    } else this.emit('save', slot * 2 + 1);
  }

  private reference(node: ReferenceNode, follow: Follow): void {
    const capture = node.body.kind === 'capture' ? node.body : undefined;
    const definition = capture?.body ?? node.body;
    const shortcut = this.insideNegation ? undefined : shortcutOf(node.name, definition);
    if (shortcut === undefined || this.hasCapture(definition)) {
      this.node(node.body, follow);
      return;
    }
    const slot = capture === undefined ? undefined : this.slots.get(capture.index);
    const behind: Label = { position: 0 };
    this.emit(
      'shortcut',
      shortcut,
      { label: behind },
      slot === undefined ? unwantedSlot : slot * 2,
    );
    if (slot !== undefined) this.emit('save', slot * 2);
    this.node(definition, follow);
    if (slot !== undefined) this.emit('save', slot * 2 + 1);
    this.place(behind);
  }

  private hasCapture(node: RegexNode): boolean {
    return someNode(node, (inner) => inner.kind === 'capture' && this.slots.has(inner.index));
  }

  private takeMark(): number {
    if (this.marks === nestingMax) throw new NotLowered('it nests too many groups');
    return this.marks++;
  }

  private atomic(body: RegexNode): void {
    const mark = this.takeMark();
    this.emit('mark', mark);
    this.node(body, acceptance);
    this.emit('commit', mark, this.hasCapture(body) ? 1 : 0);
  }

  private look(node: LookNode, follow: Follow): void {
    if (node.body.kind === 'set') {
      if (node.negative && this.isNeverThere(node, node.body.set, follow)) return;
      const table = { table: classTable(node.body.set, true) };
      this.emit(node.behind ? 'behind' : 'ahead', table, node.negative ? 0 : 1);
      return;
    }
    if (node.behind) throw new NotLowered('it looks behind by more than a character');
    if (this.hasCapture(node.body)) throw new NotLowered('it captures while looking ahead');
    const mark = this.takeMark();
    const outer = this.insideNegation;
    const before = this.previous;
    if (node.negative) {
      const behind: Label = { position: 0 };
      this.insideNegation = true;
      this.emit('not_look', mark, { label: behind });
      this.node(node.body, acceptance);
      this.emit('not_looked', mark);
      this.place(behind);
    } else {
      this.emit('look', mark);
      this.node(node.body, acceptance);
      this.emit('looked', mark);
    }
    this.insideNegation = outer;
    this.previous = before;
  }

  /** True when the neighbour cannot be of the set in any text for which the rest matches. */
  private isNeverThere(node: LookNode, set: CharSet, follow: Follow): boolean {
    if (node.behind) return this.previous !== undefined && !setsOverlap(this.previous, set);
    return !follow.nullable && !setsOverlap(follow.first, set);
  }
}

function isAscii(set: CharSet): boolean {
  return set.length === 0 || set[set.length - 1]! < 128;
}

/** The characters from item `i` on that are one fixed ASCII text. */
function literalAt(items: readonly RegexNode[], i: number): { count: number; bytes: Buffer } {
  const codes: number[] = [];
  for (let at = i; at < items.length; at++) {
    const byte = singleByte(items[at]!);
    if (byte === undefined) break;
    codes.push(byte);
  }
  return { count: codes.length, bytes: Buffer.from(codes) };
}
