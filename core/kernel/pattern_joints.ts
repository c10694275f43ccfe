import type { Argument, ClassTable, KernelOp, Label } from './pattern_ops.ts';
import { type StraightStep, straightWay } from './pattern_straight.ts';

const unbounded = 0x7fffffff;

/** Puts operations together that often stand beside each other: the program means the same and
 *  takes fewer steps. */
export function joinOperations(ops: readonly KernelOp[]): JoinedOperations {
  const peeking = withPeeks(ops);
  const straight = straightWay(peeking);
  const joined = peeking.map(shortLiteral).map(spanOfField);
  joinBytes(joined);
  return { ops: joined, straight };
}

export interface JoinedOperations {
  readonly ops: readonly KernelOp[];
  readonly straight: readonly StraightStep[] | undefined;
}

/** A literal of up to four bytes is one comparison of a word. */
function shortLiteral(op: KernelOp): KernelOp {
  if (op.name !== 'literal') return op;
  const { literal } = op.arguments[0] as { literal: Buffer };
  if (literal.length > 4) return op;
  const value = Buffer.alloc(4);
  const mask = Buffer.alloc(4);
  literal.copy(value);
  mask.fill(0xff, 0, literal.length);
  return { name: 'word', arguments: [value.readInt32LE(), mask.readInt32LE(), literal.length] };
}

function spanOfField(op: KernelOp): KernelOp {
  if (op.name !== 'field') return op;
  const [set, least, most, slot] = op.arguments;
  const isPlain = least === 1 && most === unbounded && isAsciiOnly(tableOf(set)!);
  return isPlain ? { name: 'span', arguments: [set, slot] } : op;
}

/** Lets operations take the byte behind them along. */
function joinBytes(ops: KernelOp[]): void {
  ops.forEach((op, i) => {
    const list = [...op.arguments];
    let next = ops[i + 1];
    if (op.name === 'shortcut') {
      const behind = labelOf(list[1])!.position;
      next = ops[behind];
      if (next?.name === 'byte') list[1] = { label: { position: behind + 1 } };
    } else if (op.name !== 'save' && op.name !== 'field' && op.name !== 'span') return;
    list.push(next?.name === 'byte' ? next.arguments[0] : -1);
    ops[i] = { name: op.name, arguments: list };
  });
}

/** `save, contains C b other, …, other: run S, save` takes the run when no `b` is in the longest
 *  run of C. Where S lies in C and has no `b`, that is sure as soon as the run of S ends before
 *  something that is not in C. */
function withPeeks(ops: readonly KernelOp[]): KernelOp[] {
  const peeks = new Map<number, { arguments: Argument[]; behind: number }>();
  ops.forEach((op, i) => {
    const guard = ops[i + 1];
    if (op.name !== 'save' || guard?.name !== 'contains') return;
    const [members, byte, otherLabel] = guard.arguments;
    const other = labelOf(otherLabel)!.position;
    const run = ops[other];
    const end = ops[other + 1];
    if (run?.name !== 'run' || end?.name !== 'save') return;
    const slot = op.arguments[0] as number;
    const [set, least, most] = run.arguments;
    const isUsable =
      end.arguments[0] === slot + 1 &&
      least === 1 &&
      most === unbounded &&
      isWithout(tableOf(set)!, byte as number) &&
      isWithin(tableOf(set)!, tableOf(members)!);
    if (isUsable) peeks.set(i, { arguments: [set, members, slot], behind: other + 2 });
  });
  if (peeks.size === 0) return [...ops];
  const out: KernelOp[] = [];
  const places: number[] = [];
  const behinds: Label[] = [];
  ops.forEach((op, i) => {
    places.push(out.length);
    const peek = peeks.get(i);
    if (peek !== undefined) {
      const label = { position: peek.behind };
      behinds.push(label);
      out.push({ name: 'peek', arguments: [...peek.arguments, { label }] });
    }
    out.push(op);
  });
  places.push(out.length);
  const labels = new Set<Label>(behinds);
  for (const op of ops) {
    for (const argument of op.arguments) {
      const label = labelOf(argument);
      if (label !== undefined) labels.add(label);
    }
  }
  for (const label of labels) label.position = places[label.position]!;
  return out;
}

function labelOf(argument: Argument): Label | undefined {
  return typeof argument === 'object' && 'label' in argument ? argument.label : undefined;
}

function tableOf(argument: Argument): ClassTable | undefined {
  return typeof argument === 'object' && 'table' in argument ? argument.table : undefined;
}

function isAsciiOnly({ bytes }: ClassTable): boolean {
  return bytes[16] === 0;
}

/** True when all of a class is in ASCII and in another. */
function isWithin(inner: ClassTable, outer: ClassTable): boolean {
  if (!isAsciiOnly(inner)) return false;
  for (let code = 0; code < 128; code++) {
    if (inner.bytes[32 + code] === 1 && outer.bytes[32 + code] !== 1) return false;
  }
  return true;
}

function isWithout({ bytes }: ClassTable, byte: number): boolean {
  return bytes[32 + byte] === 0;
}
