import type { CharSet } from '../regex/char_set.ts';
import type { StraightStep } from './pattern_straight.ts';

/** Numbers of the matcher's operations; as in assembly/pattern.ts. */
export const opcodes = {
  match: 0,
  literal: 1,
  byte: 2,
  set: 3,
  run: 4,
  greedy: 5,
  lazy: 6,
  try: 7,
  jump: 8,
  save: 9,
  mark: 10,
  commit: 11,
  look: 12,
  looked: 13,
  not_look: 14,
  not_looked: 15,
  assert: 16,
  behind: 17,
  ahead: 18,
  shortcut: 19,
  contains: 20,
  field: 21,
  pass: 22,
  span: 23,
  peek: 24,
  word: 25,
} as const;

export const assertionNumbers = {
  line_start: 0,
  line_end: 1,
  text_start: 2,
  text_end: 3,
  text_end_newline: 4,
  word_boundary: 5,
  not_word_boundary: 6,
} as const;

/** The first of two slots for what is matched and not wanted; as in assembly/pattern_captures.ts.
 *  Captures have those before. */
export const unwantedSlot = 240;

/** A place in a program; `position` is set when the operation that follows it is written. */
export interface Label {
  position: number;
}

/** What an argument stands for before the program has its addresses. */
export type Argument =
  | number
  | { readonly label: Label }
  | { readonly literal: Buffer }
  | { readonly table: ClassTable }
  | undefined;

/** One operation of a program. Sets of `set`, `run`, `greedy`, `lazy` must be exact; those of
 *  `try` and the last of `greedy` and `lazy` may have too much, never too little. `then` is a
 *  byte that must follow and whose own operation is skipped, or -1.
 *
 *      literal bytes · byte b · set S · run S min max: as much as there is, once for all
 *      greedy S min max follow · lazy S min max follow: follow is what may come behind, if known
 *      try other first rest: go on, and if that fails go to `other`; first and rest say with
 *          which bytes each can begin, if known
 *      jump to · pass b to: past b, if it is there, to a place that needs no other way
 *      save slot then · field S min max slot then: save, run, save
 *      mark n … commit n: choices made between are final
 *      look n … looked n · not_look n behind … not_looked n
 *      behind S is · ahead S is: whether the neighbour is in S
 *      shortcut which behind slot then: save, what the shortcut takes, save, go to `behind`
 *      span S slot then: field S 1 unbounded, S within ASCII · word value mask length: a literal
 *      peek S C slot behind: if a run of S ends where nothing of C stands, save, run, save, and go
 *          to `behind`; else go on
 *      contains S b other: go on if the longest run of S from here has a b, else to `other` */
export interface KernelOp {
  readonly name: keyof typeof opcodes;
  readonly arguments: readonly Argument[];
}

/** Words of a step of a straight way; as `Step` of assembly/pattern_straight.ts. */
const stepWords = 12;

/** A character class as the kernel reads it: 288 bytes. */
export interface ClassTable {
  readonly key: string;
  readonly bytes: Buffer;
}

/** What becomes of bytes of 128 and above. */
const outside = 0;
const inside = 1;
const unknown = 2;

/** The table of a set. `exact` false: a superset for looking ahead. `bytewise` true: the use
 *  counts bytes as characters, so that only ASCII is known. */
export function classTable(set: CharSet, exact: boolean, bytewise = false): ClassTable {
  const high = highMode(set, exact, bytewise);
  const bytes = Buffer.alloc(288);
  bytes[16] = high;
  bytes.fill(high, 32 + 128, 32 + 256);
  for (let i = 0; i < set.length; i += 2) {
    for (let code = set[i]!; code <= Math.min(set[i + 1]!, 127); code++) {
      bytes[32 + code] = 1;
      bytes[code & 15] = bytes[code & 15]! | (1 << (code >> 4));
    }
  }
  return { key: bytes.toString('latin1'), bytes };
}

function highMode(set: CharSet, exact: boolean, bytewise: boolean): number {
  const last = set.length - 1;
  if (last < 0 || set[last]! < 128) return outside;
  if (!exact) return inside;
  if (bytewise) return unknown;
  const whole = set[last] === 0x10ffff && set[last - 1]! <= 128;
  return whole ? inside : unknown;
}

/** A lowered pattern: what `GrokProgram` puts into the kernel's memory. */
export interface KernelProgram {
  readonly ops: readonly KernelOp[];
  /** Capture i saves its span in slots 2i and 2i + 1. */
  readonly captures: readonly KernelCapture[];
  /** Names of the fields, each once. */
  readonly targets: readonly string[];
  /** The way that most texts go, if it is simple. */
  readonly straight: readonly StraightStep[] | undefined;
}

/** A program as bytes, with the address of its straight way behind the operations. */
export interface ProgramImage {
  readonly bytes: Buffer;
  readonly straightAt: number;
}

export interface KernelCapture {
  /** Index into `targets`. */
  readonly target: number;
  readonly conversion: 'text' | 'int' | 'float';
}

/** Writes a program as words at `address`, literals and tables behind them. `undefined` when it
 *  needs more than `bytesMax`. */
export function assembleProgram(
  program: KernelProgram,
  address: number,
  bytesMax: number,
): ProgramImage | undefined {
  const starts: number[] = [];
  let wordCount = 0;
  for (const op of program.ops) {
    starts.push(wordCount);
    wordCount += 1 + op.arguments.length;
  }
  // Steps have words of eight bytes.
  const straightWord = (wordCount + 1) & ~1;
  const straight = program.straight ?? [];
  wordCount = straightWord + straight.length * stepWords;
  const data: Buffer[] = [];
  let dataBytes = 0;
  const known = new Map<string, number>();
  const place = (key: string, bytes: Buffer): number => {
    let at = known.get(key);
    if (at === undefined) {
      at = address + ((wordCount * 4 + 15) & ~15) + dataBytes;
      known.set(key, at);
      // 16-byte loads run over a literal's end.
      const padded = Buffer.alloc((bytes.length + 16 + 15) & ~15);
      bytes.copy(padded);
      data.push(padded);
      dataBytes += padded.length;
    }
    return at;
  };
  const words = new Int32Array(((wordCount * 4 + 15) & ~15) / 4);
  let at = 0;
  for (const op of program.ops) {
    words[at++] = opcodes[op.name];
    for (const argument of op.arguments) {
      if (argument === undefined) words[at] = 0;
      else if (typeof argument === 'number') words[at] = argument;
      else if ('label' in argument) words[at] = address + starts[argument.label.position]! * 4;
      else if ('literal' in argument) {
        words[at] = place(`literal ${argument.literal.toString('latin1')}`, argument.literal);
      } else words[at] = place(`class ${argument.table.key}`, argument.table.bytes);
      at++;
    }
  }
  straight.forEach((step, i) => {
    at = straightWord + i * stepWords;
    words[at] = step.kind;
    words[at + 1] = step.set === undefined ? 0 : place(`class ${step.set.key}`, step.set.bytes);
    words[at + 2] = step.least;
    words[at + 3] = step.instead;
    words[at + 4] = step.capture;
    words[at + 5] = step.next.length;
    words[at + 10] = step.apart ? 1 : 0;
    step.next.forEach((byte, place) => {
      const shift = (place & 3) * 8;
      words[at + 6 + (place >> 2)]! |= byte << shift;
      words[at + 8 + (place >> 2)]! |= 0xff << shift;
    });
  });
  const image = Buffer.concat([Buffer.from(words.buffer), ...data]);
  if (image.length > bytesMax) return undefined;
  return { bytes: image, straightAt: address + straightWord * 4 };
}
