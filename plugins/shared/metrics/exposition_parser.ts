import { type Metric, type MetricType, parseNumber } from './metric.ts';

export interface Exposition {
  readonly metrics: readonly Metric[];
  /** Lines that are no sample, no comment and not empty. */
  readonly invalidLines: number;
  /** The first of them, for people: `line 12: ...`. */
  readonly firstProblem: string | undefined;
}

export interface ExpositionOptions {
  /** OpenMetrics gives times in seconds, the text format 0.0.4 in milliseconds. */
  readonly isOpenMetrics: boolean;
  /** Samples beyond are left out, and `metrics` has one more than this. */
  readonly samplesMax: number;
}

const types: Readonly<Record<string, MetricType>> = {
  counter: 'counter',
  gauge: 'gauge',
  histogram: 'histogram',
  gaugehistogram: 'histogram',
  summary: 'summary',
  untyped: 'untyped',
  unknown: 'untyped',
  // OpenMetrics: constants with the value 1, and one series a state.
  info: 'gauge',
  stateset: 'gauge',
};

/** Reads Prometheus' text format 0.0.4, and OpenMetrics 1.0 as far as it says the same: exemplars
 *  and `_created` stay samples of their family or are left out. A line that is wrong costs itself
 *  only; it is counted. Sources: prometheus.io/docs/instrumenting/exposition_formats, OpenMetrics
 *  section 4.1. */
export function parseExposition(text: string, options: ExpositionOptions): Exposition {
  const families = new Map<string, { type: MetricType; unit: string | undefined }>();
  const metrics: Metric[] = [];
  let invalidLines = 0;
  let firstProblem: string | undefined;
  let number = 0;
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf('\n', at);
    const line = text.slice(at, end < 0 ? text.length : end).trim();
    at = end < 0 ? text.length : end + 1;
    number++;
    if (line === '') continue;
    if (line.startsWith('#')) {
      if (line === '# EOF') break;
      readComment(line, families);
      continue;
    }
    const sample = new SampleReader(line).read(options.isOpenMetrics);
    if (typeof sample === 'string') {
      invalidLines++;
      firstProblem ??= `line ${number}: ${sample}: ${JSON.stringify(line.slice(0, 120))}`;
      continue;
    }
    const family = familyOf(sample.name, families);
    const { unit } = family ?? {};
    metrics.push({
      ...sample,
      type: family?.type ?? 'untyped',
      ...(unit === undefined ? {} : { unit }),
    });
    if (metrics.length > options.samplesMax) break;
  }
  return { metrics, invalidLines, firstProblem };
}

type Families = Map<string, { type: MetricType; unit: string | undefined }>;

function readComment(line: string, families: Families): void {
  const found = /^#\s+(TYPE|UNIT)\s+(\S+)\s+(\S+)\s*$/.exec(line);
  if (found === null) return;
  const [, what, name, word] = found;
  const known = families.get(name!) ?? { type: 'untyped' as MetricType, unit: undefined };
  if (what === 'UNIT') known.unit = word!;
  else known.type = types[word!.toLowerCase()] ?? 'untyped';
  families.set(name!, known);
}

const suffixes = /_(?:total|bucket|sum|count|created|info|gcount|gsum)$/;

/** The family that was declared under the sample's name, or under it without its suffix. */
function familyOf(
  name: string,
  families: Families,
): { type: MetricType; unit: string | undefined } | undefined {
  return families.get(name) ?? families.get(name.replace(suffixes, ''));
}

interface Sample {
  readonly name: string;
  readonly labels: Record<string, string>;
  readonly value: number;
  readonly timeMs?: number;
}

/** Reads `name{label="value",...} value [time]`, and an exemplar behind it. */
class SampleReader {
  private readonly line: string;
  private at = 0;

  constructor(line: string) {
    this.line = line;
  }

  /** The sample, or what is wrong with the line. */
  read(isOpenMetrics: boolean): Sample | string {
    const name = this.word(/[a-zA-Z_:][a-zA-Z0-9_:]*/y);
    if (name === undefined) return 'it does not begin with the name of a metric';
    this.skipSpace();
    const labels: Record<string, string> = {};
    const problem = this.line[this.at] === '{' ? this.readLabels(labels) : undefined;
    if (problem !== undefined) return problem;
    // OpenMetrics puts exemplars behind a hash.
    const rest = this.line.slice(this.at).replace(/\s#\s.*$/, '');
    const [value, time, ...more] = rest.trim().split(/\s+/);
    const number = parseNumber(value ?? '');
    if (number === undefined) return 'its value is no number';
    if (more.length > 0) return 'something stands behind the time';
    if (time === undefined) return { name, labels, value: number };
    const stamp = Number(time);
    if (!Number.isFinite(stamp)) return 'its time is no number';
    return { name, labels, value: number, timeMs: isOpenMetrics ? stamp * 1000 : stamp };
  }

  /** Fills `labels`; gives what is wrong. */
  private readLabels(labels: Record<string, string>): string | undefined {
    this.at++;
    for (;;) {
      this.skipSpace();
      if (this.line[this.at] === '}') break;
      const name = this.word(/[a-zA-Z_][a-zA-Z0-9_]*/y);
      if (name === undefined) return 'a label has no name';
      this.skipSpace();
      if (this.line[this.at++] !== '=') return `the label ${name} has no value`;
      this.skipSpace();
      const value = this.quoted();
      if (value === undefined) return `the value of the label ${name} is not closed`;
      if (Object.hasOwn(labels, name)) return `the label ${name} is there twice`;
      if (value !== '') setOwn(labels, name, value);
      this.skipSpace();
      if (this.line[this.at] === ',') this.at++;
      else if (this.line[this.at] !== '}') return 'the labels are not closed';
    }
    this.at++;
    return undefined;
  }

  private quoted(): string | undefined {
    if (this.line[this.at] !== '"') return undefined;
    let text = '';
    for (let at = this.at + 1; at < this.line.length; at++) {
      const character = this.line[at]!;
      if (character === '"') {
        this.at = at + 1;
        return text;
      }
      if (character !== '\\') text += character;
      else {
        const next = this.line[++at];
        if (next === undefined) return undefined;
        text += next === 'n' ? '\n' : next === '"' || next === '\\' ? next : `\\${next}`;
      }
    }
    return undefined;
  }

  private word(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.line)?.[0];
    this.at += found?.length ?? 0;
    return found;
  }

  private skipSpace(): void {
    while (this.line[this.at] === ' ' || this.line[this.at] === '\t') this.at++;
  }
}

/** A label may be called like a member of every object. */
function setOwn(labels: Record<string, string>, name: string, value: string): void {
  Object.defineProperty(labels, name, { value, enumerable: true, configurable: true });
}
