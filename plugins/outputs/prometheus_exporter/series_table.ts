import {
  familyName,
  type Labels,
  type Metric,
  type MetricType,
  numberText,
} from '../../shared/metrics/metric.ts';

interface Series {
  /** `name{label="value"}`. */
  readonly text: string;
  value: number;
  /** Of the record, Unix milliseconds. */
  timeMs: number;
  /** When the record came, by the clock's monotonic milliseconds. */
  cameAtMs: number;
}

interface Family {
  readonly type: MetricType;
  readonly series: Map<string, Series>;
}

export interface TableLimits {
  readonly seriesMax: number;
  readonly expireAfterMs: number;
}

/** What became of a metric. `older`: a newer value is there already. `full`: it would be a series too
 *  many. `type_conflict`: its family has another type. */
export type Put = 'taken' | 'older' | 'full' | 'type_conflict';

/** The latest value of each series, by family. */
export class SeriesTable {
  private readonly limits: TableLimits;
  private readonly added: Labels;
  private readonly families = new Map<string, Family>();
  private count = 0;

  constructor(limits: TableLimits, added: Labels) {
    this.limits = limits;
    this.added = added;
  }

  get size(): number {
    return this.count;
  }

  put(metric: Metric, timeMs: number, nowMs: number): Put {
    const name = familyName(metric.name, metric.type);
    let family = this.families.get(name);
    if (family !== undefined && family.type !== metric.type) return 'type_conflict';
    const text = seriesText(metric.name, { ...this.added, ...metric.labels });
    const known = family?.series.get(text);
    if (known !== undefined) {
      known.cameAtMs = nowMs;
      if (timeMs < known.timeMs) return 'older';
      known.value = metric.value;
      known.timeMs = timeMs;
      return 'taken';
    }
    if (this.count >= this.limits.seriesMax) {
      this.expire(nowMs);
      if (this.count >= this.limits.seriesMax) return 'full';
      family = this.families.get(name);
    }
    if (family === undefined) {
      family = { type: metric.type, series: new Map() };
      this.families.set(name, family);
    }
    family.series.set(text, { text, value: metric.value, timeMs, cameAtMs: nowMs });
    this.count++;
    return 'taken';
  }

  /** Forgets series without a recent record. */
  expire(nowMs: number): void {
    const oldestMs = nowMs - this.limits.expireAfterMs;
    for (const [name, family] of this.families) {
      for (const [key, series] of family.series) {
        if (series.cameAtMs > oldestMs) continue;
        family.series.delete(key);
        this.count--;
      }
      if (family.series.size === 0) this.families.delete(name);
    }
  }

  /** The page, in the text format 0.0.4: families and series in the order of their names. */
  page(addTimestamp: boolean): string {
    const lines: string[] = [];
    for (const [name, family] of [...this.families].sort(byKey)) {
      lines.push(`# TYPE ${name} ${family.type}`);
      const all = [...family.series.values()];
      // The buckets of a histogram stay in the order in which they came, which is that of `le`.
      if (family.type !== 'histogram') all.sort((a, b) => (a.text < b.text ? -1 : 1));
      for (const { text, value, timeMs } of all) {
        const time = addTimestamp ? ` ${Math.floor(timeMs)}` : '';
        lines.push(`${text} ${numberText(value)}${time}`);
      }
    }
    return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
  }
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}

/** Labels in the order of their names, so that the same series has the same text. */
function seriesText(name: string, labels: Labels): string {
  const names = Object.keys(labels).sort();
  if (names.length === 0) return name;
  const pairs = names.map((label) => `${label}="${escaped(labels[label]!)}"`);
  return `${name}{${pairs.join(',')}}`;
}

function escaped(text: string): string {
  return text.replace(/[\\"\n]/g, (one) => (one === '\n' ? '\\n' : `\\${one}`));
}
