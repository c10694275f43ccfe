/** What a metric's numbers mean. Every record has one number, also of a histogram or a summary:
 *  those come as the samples of the exposition format, `x_bucket` with the label `le`, `x_sum`,
 *  `x_count`, or with the label `quantile`. */
export type MetricType = 'counter' | 'gauge' | 'histogram' | 'summary' | 'untyped';

export const metricTypes: readonly MetricType[] = [
  'counter',
  'gauge',
  'histogram',
  'summary',
  'untyped',
];

export type Labels = Readonly<Record<string, string>>;

/** One number at one time: what inputs make and what the outputs for metrics take.
 *
 *  As a record it is the JSON object `{"name", "type", "labels", "value", "unit"?}`; its time, to
 *  the nanosecond, is the event's own. Numbers that JSON has no form for are the texts `NaN`,
 *  `+Inf` and `-Inf`. */
export interface Metric {
  /** `[a-zA-Z_:][a-zA-Z0-9_:]*`. */
  readonly name: string;
  readonly type: MetricType;
  /** Names `[a-zA-Z_][a-zA-Z0-9_]*`; order does not matter. */
  readonly labels: Labels;
  readonly value: number;
  /** Base unit, such as `seconds` or `bytes`. */
  readonly unit?: string | undefined;
  /** Unix milliseconds, where it is not the time of the whole reading. */
  readonly timeMs?: number | undefined;
}

export const noLabels: Labels = Object.freeze({});

/** Metrics that a name may have at most; what is longer is no name that anybody gave. */
export const nameCharactersMax = 1024;
export const labelsMax = 128;

export function isMetricName(text: string): boolean {
  return text.length <= nameCharactersMax && /^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(text);
}

export function isLabelName(text: string): boolean {
  return text.length <= nameCharactersMax && /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(text);
}

const units = ['seconds', 'bytes', 'celsius', 'meters', 'volts', 'amperes', 'joules', 'grams'];
const unitPattern = new RegExp(`_(${units.join('|')}|ratio|hertz|packets|percent)(?:_total)?$`);

/** The unit that a name ends with, as Prometheus' naming rules have it. */
export function unitOfName(name: string): string | undefined {
  return unitPattern.exec(name)?.[1];
}

/** The name that the samples of one histogram or summary share: `x` of `x_bucket`. */
export function familyName(name: string, type: MetricType): string {
  if (type !== 'histogram' && type !== 'summary') return name;
  return name.replace(/_(?:bucket|sum|count)$/, '');
}

/** A number as the exposition format and our records write it. */
export function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  if (Number.isNaN(value)) return 'NaN';
  return value > 0 ? '+Inf' : '-Inf';
}

/** Reads a number of the exposition format; undefined for what is none. */
export function parseNumber(text: string): number | undefined {
  if (/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text)) return Number(text);
  const word = text.toLowerCase();
  if (word === 'nan') return Number.NaN;
  if (/^\+?inf(?:inity)?$/.test(word)) return Number.POSITIVE_INFINITY;
  if (/^-inf(?:inity)?$/.test(word)) return Number.NEGATIVE_INFINITY;
  return undefined;
}
