import {
  isLabelName,
  isMetricName,
  type Labels,
  labelsMax,
  type Metric,
  type MetricType,
  metricTypes,
  noLabels,
  numberText,
  parseNumber,
} from './metric.ts';

/** A metric's record as JSON. */
export function metricJson(metric: Metric): string {
  const { name, type, labels, value, unit } = metric;
  const number = Number.isFinite(value) ? String(value) : `"${numberText(value)}"`;
  const end = unit === undefined ? '' : `,"unit":${JSON.stringify(unit)}`;
  return `{"name":${JSON.stringify(name)},"type":"${type}","labels":${JSON.stringify(labels)},"value":${number}${end}}`;
}

/** A record that is no metric. Its message ends the sentence "The record is no metric: ...". */
export class NoMetric extends Error {}

/** Reads a metric from a record's JSON. Missing labels are none, a missing type is `untyped`;
 *  members that a metric has not are left alone. Errors: NoMetric. */
export function readMetric(json: string): Metric {
  // An object, as all records are.
  const record = JSON.parse(json) as Record<string, unknown>;
  const name = record['name'];
  if (typeof name !== 'string') throw new NoMetric('it has no text "name"');
  if (!isMetricName(name)) throw new NoMetric(`${short(name)} is no name of a metric`);
  const { unit } = record;
  return {
    name,
    type: readType(record['type']),
    labels: readLabels(record['labels']),
    value: readValue(record['value']),
    ...(typeof unit === 'string' ? { unit } : {}),
  };
}

function readType(value: unknown): MetricType {
  if (value === undefined || value === null) return 'untyped';
  const found = metricTypes.find((type) => type === value);
  if (found !== undefined) return found;
  throw new NoMetric(`its type is ${short(value)}, not one of ${metricTypes.join(', ')}`);
}

function readValue(value: unknown): number {
  if (typeof value === 'number') return value;
  const number = typeof value === 'string' ? parseNumber(value) : undefined;
  if (number === undefined) throw new NoMetric(`its value is ${short(value)}, not a number`);
  return number;
}

function readLabels(value: unknown): Labels {
  if (value === undefined || value === null) return noLabels;
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw new NoMetric('its labels are no object');
  }
  const labels: [string, string][] = [];
  for (const [name, text] of Object.entries(value)) {
    if (!isLabelName(name)) throw new NoMetric(`${short(name)} is no name of a label`);
    if (typeof text === 'object' && text !== null) {
      throw new NoMetric(`the label ${name} is no text`);
    }
    // An empty label is the same as none (Prometheus data model).
    if (text !== null && text !== '') labels.push([name, wellFormed(String(text))]);
  }
  if (labels.length > labelsMax) throw new NoMetric(`it has more than ${labelsMax} labels`);
  return Object.fromEntries(labels);
}

/** JSON escapes can name halves of a character alone; UTF-8 cannot. */
function wellFormed(text: string): string {
  return /[\ud800-\udfff]/.test(text) ? Buffer.from(text).toString() : text;
}

function short(value: unknown): string {
  return (JSON.stringify(value) ?? 'missing').slice(0, 80);
}
