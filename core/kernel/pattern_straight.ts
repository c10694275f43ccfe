import {
  type Argument,
  assertionNumbers,
  type ClassTable,
  type KernelOp,
  type Label,
  unwantedSlot,
} from './pattern_ops.ts';

/** Kinds of steps besides the shortcuts, which keep their numbers; as in
 *  assembly/pattern_straight.ts. */
export const straightKinds = { nothing: 16, run: 17, long_run: 18 } as const;

const stepsMax = 64;
/** Bytes behind a step that are compared along with it. */
const thenBytesMax = 8;
/** Texts of a class with more members than this are often longer than 16 bytes. */
const narrowMembersMax = 70;
const beginAssertions: readonly number[] = [
  assertionNumbers.line_start,
  assertionNumbers.text_start,
];
const unbounded = 0x7fffffff;

/** One step of a straight way: what it takes from the text, the capture that gets this, and the
 *  bytes that must stand behind. */
export interface StraightStep {
  readonly kind: number;
  readonly set: ClassTable | undefined;
  readonly least: number;
  /** A byte that may stand in place of what is taken, and is not captured; or -1. */
  instead: number;
  /** Number of the capture, or -1. */
  capture: number;
  readonly next: number[];
  /** No byte beside what is taken could belong to it. */
  apart: boolean;
  /** A class of which nothing may stand behind. */
  readonly notBehind: ClassTable | undefined;
}

/** The way through a program on which nothing fails and of every choice the first arm is taken:
 *  the one that most texts go, and the first that the matcher tries. A text that gets to its end
 *  has the very match that the program finds. Undefined when an operation lies on that way that
 *  is not worth it. */
export function straightWay(ops: readonly KernelOp[]): readonly StraightStep[] | undefined {
  const steps = walk(ops, 0, ops.length - 1);
  if (steps === undefined || steps.length === 0) return undefined;
  // Whether a step may end there must be plain from the byte that has to follow.
  if (!steps.every(({ notBehind, next }) => !notBehind || isWithout(notBehind, next[0]))) return;
  steps.forEach((step, i) => {
    step.apart = isApart(steps, i);
  });
  const captures = steps.map((step) => step.capture).filter((capture) => capture >= 0);
  return new Set(captures).size === captures.length ? steps : undefined;
}

/** True when no byte that can stand before or behind what a step takes could belong to it: they
 *  are in no word, number or address. */
function isApart(steps: readonly StraightStep[], index: number): boolean {
  const before = index === 0 ? undefined : (steps[index - 1]!.next.at(-1) ?? 0x61);
  const behind = steps[index]!.next[0];
  return (before === undefined || !isJoining(before)) && behind !== undefined && !isJoining(behind);
}

function isJoining(byte: number): boolean {
  return byte >= 0x80 || /[\w.:%+-]/.test(String.fromCharCode(byte));
}

function walk(ops: readonly KernelOp[], from: number, end: number): StraightStep[] | undefined {
  const steps: StraightStep[] = [];
  /** A capture that has begun, and how many steps there were. */
  let open: { readonly capture: number; readonly count: number } | undefined;
  let at = from;
  while (at < end) {
    const op = ops[at]!;
    const bytes = bytesOf(op);
    if (bytes !== undefined) {
      // A capture has a step of its own; zeros stand where there is no text.
      if (open !== undefined || bytes.includes(0)) return undefined;
      for (const byte of bytes) putByte(steps, byte);
    } else if (op.name === 'save') {
      const slot = op.arguments[0] as number;
      if (slot % 2 === 0) {
        if (open !== undefined) return undefined;
        open = { capture: slot / 2, count: steps.length };
      } else {
        const taken = steps.at(-1);
        if (open === undefined || taken === undefined || steps.length !== open.count + 1) return;
        if (taken.capture >= 0 || taken.next.length > 0 || taken.instead >= 0) return undefined;
        taken.capture = open.capture;
        open = undefined;
      }
    } else if (op.name === 'try' && stepInstead(ops, at) !== undefined) {
      const { step, behind } = stepInstead(ops, at)!;
      steps.push(step);
      at = behind;
      continue;
    } else if (op.name === 'jump') {
      const to = positionOf(op.arguments[0]);
      if (to <= at) return undefined;
      at = to;
      continue;
    } else if (!isPassed(op) && !isNeedless(ops, at, steps.length === 0)) {
      const taken = stepOf(op);
      if (taken === undefined || steps.push(taken.step) > stepsMax) return undefined;
      at = taken.behind ?? at + 1;
      continue;
    }
    at++;
  }
  return at === end && open === undefined ? steps : undefined;
}

/** `byte b or else one step`, which is how an absent value is written in many logs. */
function stepInstead(
  ops: readonly KernelOp[],
  at: number,
): { step: StraightStep; behind: number } | undefined {
  const other = positionOf(ops[at]!.arguments[0]);
  const byte = ops[at + 1];
  const jump = ops[at + 2];
  if (other !== at + 3 || byte?.name !== 'byte' || jump?.name !== 'jump') return undefined;
  const behind = positionOf(jump.arguments[0]);
  const steps = behind > other ? walk(ops, other, behind) : undefined;
  const step = steps?.[0];
  if (step === undefined || steps!.length > 1 || step.instead >= 0) return undefined;
  if (step.next.length > 0 || step.kind === straightKinds.nothing) return undefined;
  step.instead = byte.arguments[0] as number;
  return { step, behind };
}

/** True for operations that do nothing where nothing fails. */
function isPassed({ name }: KernelOp): boolean {
  return name === 'try' || name === 'mark' || name === 'commit';
}

/** True when an operation takes nothing from a text for which the way goes on: it asks for the
 *  begin there, or for a character that what comes next cannot begin with, as a sign before
 *  digits. A text that has one is the matcher's. */
function isNeedless(ops: readonly KernelOp[], at: number, isBegin: boolean): boolean {
  const { name, arguments: list } = ops[at]!;
  if (name === 'assert') return isBegin && beginAssertions.includes(list[0] as number);
  const next = ops[at + 1];
  if (name !== 'run' || list[1] !== 0 || list[2] !== 1 || next?.name !== 'run') return false;
  return (
    (next.arguments[1] as number) > 0 && isApartFrom(tableOf(list[0]), tableOf(next.arguments[0]))
  );
}

function isApartFrom(one: ClassTable, other: ClassTable): boolean {
  for (let code = 0; code < 256; code++) {
    if (one.bytes[32 + code] !== 0 && other.bytes[32 + code] !== 0) return false;
  }
  return true;
}

/** The fixed bytes that an operation asks for. */
function bytesOf(op: KernelOp): readonly number[] | undefined {
  if (op.name === 'byte') return [op.arguments[0] as number];
  if (op.name === 'literal') return [...(op.arguments[0] as { literal: Buffer }).literal];
  return undefined;
}

function putByte(steps: StraightStep[], byte: number): void {
  let last = steps.at(-1);
  if (last === undefined || last.next.length === thenBytesMax) {
    last = step(straightKinds.nothing);
    steps.push(last);
  }
  last.next.push(byte);
}

function stepOf(op: KernelOp): { step: StraightStep; behind?: number } | undefined {
  const list = op.arguments;
  switch (op.name) {
    case 'shortcut': {
      const taken = step(list[0] as number, undefined, 1, list[2] as number);
      return { step: taken, behind: positionOf(list[1]) };
    }
    case 'peek': {
      const taken = runStep(tableOf(list[0]), 1, list[2] as number, tableOf(list[1]));
      return { step: taken, behind: positionOf(list[3]) };
    }
    case 'field':
    case 'run':
    case 'greedy': {
      const [set, least, most] = list;
      if (most !== unbounded) return undefined;
      const slot = op.name === 'field' ? (list[3] as number) : undefined;
      return { step: runStep(tableOf(set), least as number, slot) };
    }
    case 'lazy': {
      const [set, least, most, follow] = list;
      if (least !== 0 || most !== unbounded || follow === undefined) return undefined;
      return { step: runStep(without(tableOf(set), tableOf(follow)), 0) };
    }
    default:
      return undefined;
  }
}

function step(
  kind: number,
  set?: ClassTable,
  least = 0,
  slot = unwantedSlot,
  notBehind?: ClassTable,
): StraightStep {
  const capture = slot < unwantedSlot ? slot / 2 : -1;
  return { kind, set, least, instead: -1, capture, next: [], apart: false, notBehind };
}

function runStep(
  set: ClassTable,
  least: number,
  slot?: number,
  notBehind?: ClassTable,
): StraightStep {
  let members = 0;
  for (let code = 0; code < 128; code++) members += set.bytes[32 + code] === 0 ? 0 : 1;
  const kind = members > narrowMembersMax ? straightKinds.long_run : straightKinds.run;
  return step(kind, set, least, slot, notBehind);
}

/** The class of what is in one and surely not in another. */
function without(set: ClassTable, other: ClassTable): ClassTable {
  const bytes = Buffer.from(set.bytes);
  for (let code = 0; code < 128; code++) {
    if (other.bytes[32 + code] === 0) continue;
    bytes[32 + code] = 0;
    bytes[code & 15] = bytes[code & 15]! & ~(1 << (code >> 4));
  }
  if (other.bytes[16] !== 0) bytes.fill(0, 32 + 128).fill(0, 16, 17);
  return { key: bytes.toString('latin1'), bytes };
}

function isWithout({ bytes }: ClassTable, byte: number | undefined): boolean {
  return byte !== undefined && bytes[32 + byte] === 0;
}

function positionOf(argument: Argument): number {
  return (argument as { label: Label }).label.position;
}

function tableOf(argument: Argument): ClassTable {
  return (argument as { table: ClassTable }).table;
}
