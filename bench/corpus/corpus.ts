import { accessLines } from './access_lines.ts';
import { applicationLines, isDebugLine } from './application_lines.ts';
import { beginsJavaRecord, criLines, endsCriRecord, javaLines } from './java_lines.ts';
import { type LineTemplate, lineTemplate, lineText, type StampForm } from './line_template.ts';
import { type Random, seededRandom } from './random.ts';

export const corpusKinds = ['access', 'application', 'java', 'cri'] as const;
export type CorpusKind = (typeof corpusKinds)[number];

/** Changes when generated lines do: part of cached files' names. */
export const corpusVersion = 1;

/** Lines after which contents repeat, but for number and time. More than the caches of a processor
 *  hold, so that no branch of an agent is learnt by heart. */
const templateLines = 65_536;
const seed = 12_345;

interface Kind {
  readonly lines: (count: number, random: Random) => string[];
  readonly form: StampForm;
  readonly stepMs: number;
}

const kinds: Readonly<Record<CorpusKind, Kind>> = {
  access: { lines: accessLines, form: 'apache', stepMs: 7 },
  application: { lines: applicationLines, form: 'iso_millis', stepMs: 3 },
  java: { lines: javaLines, form: 'iso_millis', stepMs: 2 },
  cri: { lines: criLines, form: 'iso_nanos', stepMs: 2 },
};

/** Generated lines of one kind: any number of them, each a function of its number alone. */
export class Corpus {
  readonly kind: CorpusKind;
  readonly template: LineTemplate;

  constructor(kind: CorpusKind, options: { lines?: number; seed?: number } = {}) {
    const { lines, form, stepMs } = kinds[kind];
    const texts = lines(options.lines ?? templateLines, seededRandom(options.seed ?? seed));
    this.kind = kind;
    this.template = lineTemplate(texts, form, stepMs);
  }

  /** The line of a number, without its line feed. */
  line(number: number): string {
    return lineText(this.template, number);
  }

  /** Bytes of the first `lines` lines. */
  bytesOf(lines: number): number {
    const { bytes, count, ends } = this.template;
    const rest = lines % count;
    return Math.floor(lines / count) * bytes.length + (rest === 0 ? 0 : ends[rest - 1]!);
  }

  /** The fewest lines that take at least this many bytes. */
  linesOf(bytes: number): number {
    const { template } = this;
    const whole = Math.floor(bytes / template.bytes.length);
    const rest = bytes - whole * template.bytes.length;
    if (rest === 0) return whole * template.count;
    return whole * template.count + template.ends.findIndex((end) => end >= rest) + 1;
  }

  /** For each line of the template, whether a test holds: the same for every repetition. */
  select(test: (line: string) => boolean): Uint8Array {
    const { bytes, count, ends } = this.template;
    const selected = new Uint8Array(count);
    for (let i = 0; i < count; i++) {
      const line = bytes.toString('utf8', i === 0 ? 0 : ends[i - 1]!, ends[i]! - 1);
      if (test(line)) selected[i] = 1;
    }
    return selected;
  }
}

/** Lines that S2 is to drop. */
export function droppedLines(corpus: Corpus): Uint8Array {
  return corpus.select(isDebugLine);
}

/** Lines that are a record's first (`java`) or last (`cri`): one a record. */
export function recordLines(corpus: Corpus): Uint8Array {
  return corpus.select(corpus.kind === 'java' ? beginsJavaRecord : endsCriRecord);
}

/** How many of the first `lines` lines are selected by a repeating pattern. */
export function countSelected(selected: Uint8Array, lines: number): number {
  let inTemplate = 0;
  let inRest = 0;
  const rest = lines % selected.length;
  for (let i = 0; i < selected.length; i++) {
    inTemplate += selected[i]!;
    if (i < rest) inRest += selected[i]!;
  }
  return Math.floor(lines / selected.length) * inTemplate + inRest;
}
