import { Random } from '../model/random.ts';
import type { FuzzTarget } from './targets.ts';

/** Pieces that parsers stumble over. */
const nasty = [
  '',
  '"',
  "'",
  '\\',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '%{',
  '}',
  '(?',
  '(',
  ')',
  '*',
  '+',
  '|',
  '\n',
  '\r\n',
  '\t',
  '\u0000',
  '\ud800',
  '\ufeff',
  '\u2028',
  '-',
  '- ',
  '&a ',
  '*a',
  '!!js ',
  '<<: ',
  '${',
  '${X:-',
  '1e400',
  '-0',
  '9007199254740993',
  '0x7f',
  'null',
  'true',
  '__proto__',
  'constructor',
  '😀',
  'é',
  '\\u0000',
  '\\ud800',
  '[[[[[[[[[[[[[[[[[[[[',
  '{"a":{"a":{"a":{"a":',
  '<34>',
  '<999>1 ',
  '-- ',
  '=~ ',
];

/** Makes texts out of a corpus that are nearly right: pieces go, come twice, move, come from another
 *  text or from a list of nasty ones; cuts fall on the borders of tokens as often as anywhere. */
export class Mutator {
  readonly #random: Random;
  readonly #corpus: readonly string[];
  readonly #nasty: readonly string[];
  readonly #edge: string | undefined;

  /** `pieces` come beside the nasty ones; `edge` begins what a format is made of. */
  constructor(
    seed: number,
    { corpus, pieces = [], edge }: Pick<FuzzTarget, 'corpus' | 'pieces' | 'edge'>,
  ) {
    this.#random = new Random(seed);
    this.#corpus = corpus;
    this.#nasty = [...nasty, ...pieces];
    this.#edge = edge;
  }

  next(): string {
    let text = this.#random.pick(this.#corpus);
    const times = 1 + this.#random.below(4);
    for (let k = 0; k < times; k++) text = this.#change(text);
    return text.slice(0, 20_000);
  }

  #change(text: string): string {
    const random = this.#random;
    const from = this.#border(text);
    const to = Math.max(
      from,
      random.chance(0.7) ? this.#border(text, from) : from + random.below(4),
    );
    const piece = text.slice(from, to);
    switch (random.below(7)) {
      case 0:
        return text.slice(0, from) + text.slice(to);
      case 1:
        return text.slice(0, to) + piece.repeat(1 + random.below(4)) + text.slice(to);
      case 2:
        return (
          text.slice(0, from) +
          random.pick(this.#nasty) +
          text.slice(random.chance(0.5) ? from : to)
        );
      case 3: {
        const other = random.pick(this.#corpus);
        const start = this.#border(other);
        return (
          text.slice(0, from) + other.slice(start, this.#border(other, start)) + text.slice(to)
        );
      }
      case 4:
        return (
          text.slice(0, from) +
          String.fromCharCode(random.below(random.pick([128, 65_536]))) +
          text.slice(to)
        );
      case 5:
        return text.slice(0, from);
      default:
        return text.slice(to) + text.slice(0, from) + piece;
    }
  }

  /** A place in the text, at the edge of a word or a sign more often than not. */
  #border(text: string, from = 0): number {
    let at = from + this.#random.below(Math.max(1, Math.min(text.length - from, 400) + 1));
    if (from === 0) at = this.#random.below(text.length + 1);
    if (this.#edge !== undefined && this.#random.chance(0.5)) {
      const next = text.indexOf(this.#edge, at);
      return next < 0 ? text.length : next;
    }
    if (this.#random.chance(0.3)) return at;
    while (at < text.length && /\w/.test(text[at]!)) at++;
    return at;
  }
}
