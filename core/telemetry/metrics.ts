import type { ComponentMetrics, Counter } from '../sdk/contracts.ts';
import { type MetricEntry, metricTable } from './registry.ts';

/** Most series that one agent exports; what would exceed it goes to a counter nobody sees but
 *  `sluice_series_refused_total` counts. */
export const seriesMax = 4000;

interface Series {
  readonly labels: string;
  readonly counter?: Counter;
  readonly read?: () => number;
}

/** Holds the numbers and writes them in Prometheus' text format (version 0.0.4). */
export class Metrics {
  private readonly series = new Map<string, Map<string, Series>>();
  private readonly refused: Counter = { value: 0 };
  private size = 0;

  constructor() {
    this.add('sluice_series_refused_total', { labels: '', counter: this.refused });
  }

  counter(name: string, labels: Readonly<Record<string, string>>): Counter {
    const key = labelText(labels);
    const known = this.series.get(name)?.get(key)?.counter;
    if (known !== undefined) return known;
    const counter: Counter = { value: 0 };
    if (this.size >= seriesMax) this.refused.value++;
    else this.add(name, { labels: key, counter });
    return counter;
  }

  /** A counter by its labels as `counters` gave them. */
  counterAt(name: string, labels: string): Counter {
    const known = this.series.get(name)?.get(labels)?.counter;
    if (known !== undefined) return known;
    const counter: Counter = { value: 0 };
    if (this.size >= seriesMax) this.refused.value++;
    else this.add(name, { labels, counter });
    return counter;
  }

  /** All counters, with their labels as text. */
  *counters(): Generator<{ name: string; labels: string; counter: Counter }> {
    for (const [name, series] of this.series) {
      for (const { labels, counter } of series.values()) {
        if (counter !== undefined) yield { name, labels, counter };
      }
    }
  }

  gauge(name: string, labels: Readonly<Record<string, string>>, read: () => number): void {
    if (this.size >= seriesMax) this.refused.value++;
    else this.add(name, { labels: labelText(labels), read });
  }

  /** The view of one component: its kind and name are labels of all it counts. */
  forComponent(kind: string, component: string): ComponentMetrics {
    return {
      counter: (name, labels = {}) => this.counter(name, { component, kind, ...labels }),
      gauge: (name, read, labels = {}) => this.gauge(name, { component, kind, ...labels }, read),
      total: (name) => this.total(name, labelText({ component, kind })),
    };
  }

  /** Forgets a component's series, when a reload removed it. */
  removeComponent(kind: string, component: string): void {
    const mark = labelText({ component, kind });
    const edge = kind === 'output' ? `,${labelText({ to: component })}` : undefined;
    for (const series of this.series.values()) {
      for (const key of [...series.keys()]) {
        const isEdge = edge !== undefined && key.startsWith('from=') && key.endsWith(edge);
        if (isEdge || key === mark || key.startsWith(`${mark},`)) {
          series.delete(key);
          this.size--;
        }
      }
    }
  }

  /** All series with their values now: for tests and the JSON interface. */
  *all(): Generator<{ name: string; labels: string; value: number }> {
    for (const [name, series] of this.series) {
      for (const entry of series.values()) {
        yield { name, labels: entry.labels, value: currentValue(entry) };
      }
    }
  }

  /** The value of one series, 0 when there is none. */
  value(name: string, labels: Readonly<Record<string, string>>): number {
    const entry = this.series.get(name)?.get(labelText(labels));
    return entry === undefined ? 0 : currentValue(entry);
  }

  private total(name: string, mark: string): number {
    let sum = 0;
    for (const [key, entry] of this.series.get(name) ?? []) {
      if (key === mark || key.startsWith(`${mark},`)) sum += currentValue(entry);
    }
    return sum;
  }

  exposition(): string {
    const lines: string[] = [];
    for (const [name, series] of [...this.series].sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (series.size === 0) continue;
      // Names outside the table come from third-party plugins: counters all.
      const entry: MetricEntry = metricTable[name as keyof typeof metricTable] ?? {
        type: 'counter',
        help: 'Counted by a plugin.',
      };
      lines.push(`# HELP ${name} ${entry.help}`, `# TYPE ${name} ${entry.type}`);
      for (const one of series.values()) {
        const labels = one.labels === '' ? '' : `{${one.labels}}`;
        lines.push(`${name}${labels} ${currentValue(one)}`);
      }
    }
    return `${lines.join('\n')}\n`;
  }

  private add(name: string, entry: Series): void {
    let series = this.series.get(name);
    if (series === undefined) {
      series = new Map();
      this.series.set(name, series);
    }
    if (!series.has(entry.labels)) this.size++;
    series.set(entry.labels, entry);
  }
}

function currentValue(entry: Series): number {
  return entry.counter !== undefined ? entry.counter.value : entry.read!();
}

function labelText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}="${escapeLabel(value)}"`)
    .join(',');
}

function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
