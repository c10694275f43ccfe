import type { BatchEmitter, Input, InputContext } from '../../../core/sdk/index.ts';
import {
  type Collector,
  CollectorSchedule,
  type Reading,
} from '../../shared/collect/collector_schedule.ts';
import { lanesOf } from '../../shared/collect/lanes.ts';
import { RecordEmitter } from '../../shared/collect/record_emitter.ts';
import type { WmiOptions } from './config.ts';
import { queriesOf, type WmiQuery } from './queries.ts';
import { type WmiAnswer, WmiError, type WmiSource } from './wmi_source.ts';

interface QueryCollector extends Collector<WmiAnswer> {
  readonly query: WmiQuery;
}

/** How long a fallback is asked before the query proper is tried again. */
const fallbackMs = 10 * 60_000;
/** COM and a provider's work cost more than this often is worth. */
const wiseIntervalMs = 5000;

/** Asks WMI at intervals; each row becomes a record. */
export class WmiInput implements Input {
  private readonly options: WmiOptions;
  private readonly context: InputContext;
  private readonly openSource: () => Promise<WmiSource>;
  private readonly queries: readonly WmiQuery[];
  private readonly fallbackUntilMs = new Map<WmiQuery, number>();
  private readonly failing = new Map<WmiQuery, string>();
  private source: WmiSource | undefined;

  constructor(options: WmiOptions, context: InputContext, openSource: () => Promise<WmiSource>) {
    this.options = options;
    this.context = context;
    this.openSource = openSource;
    this.queries = queriesOf(options);
  }

  async open(): Promise<void> {
    this.source = await this.openSource();
    const fast = this.queries.filter(({ intervalMs }) => intervalMs < wiseIntervalMs);
    if (fast.length > 0) {
      this.context.log.warn(
        { queries: fast.map(({ name }) => name) },
        'WMI is slow to ask: an interval of at least 5 s suits it; perfcounter can read each second.',
      );
    }
  }

  async run(emitter: BatchEmitter, signal: AbortSignal): Promise<void> {
    const { options, context } = this;
    const out = new RecordEmitter(emitter, await context.sources.open({ name: context.id }));
    const lanes = lanesOf(options);
    const schedule = new CollectorSchedule<WmiAnswer>({
      collectors: this.queries.map((query): QueryCollector => {
        const timeoutMs = query.timeoutMs ?? lanes[query.lane].timeoutMs;
        return {
          name: query.name,
          lane: query.lane,
          intervalMs: query.intervalMs,
          timeoutMs,
          query,
          collect: (stop) => this.ask(query, timeoutMs, stop),
        };
      }),
      lanes,
      context,
      // Made above: each is of a query.
      deliver: (collector, reading) =>
        this.deliver((collector as QueryCollector).query, reading, out),
    });
    await schedule.run(signal);
  }

  async close(): Promise<void> {
    await this.source?.close();
    this.source = undefined;
  }

  private async ask(query: WmiQuery, timeoutMs: number, signal: AbortSignal): Promise<WmiAnswer> {
    const { namespace, wql, properties, fallback } = query;
    const rowsMax = this.options.rows_max;
    const request = { namespace, wql, properties, rowsMax, timeoutMs };
    const { clock, log, metrics } = this.context;
    if (fallback === undefined) return this.source!.query(request, signal);
    if (clock.monotonicMs() >= (this.fallbackUntilMs.get(query) ?? 0)) {
      try {
        const answer = await this.source!.query(request, signal);
        if (this.fallbackUntilMs.delete(query)) {
          log.info({ query: query.name }, 'Access is granted again: the fallback is not needed.');
        }
        return answer;
      } catch (error) {
        if (!(error instanceof WmiError && error.isAccessDenied)) throw error;
        if (!this.fallbackUntilMs.has(query)) {
          const { message: reason } = error;
          log.warn({ query: query.name, reason }, 'A query is degraded to its fallback.');
        }
        this.fallbackUntilMs.set(query, clock.monotonicMs() + fallbackMs);
      }
    }
    metrics.counter('sluice_wmi_fallback_readings_total', { query: query.name }).value++;
    return this.source!.query({ ...request, wql: fallback }, signal);
  }

  private async deliver(
    query: WmiQuery,
    reading: Reading<WmiAnswer>,
    out: RecordEmitter,
  ): Promise<void> {
    this.note(query, reading.kind === 'done' ? undefined : reading.reason);
    if (reading.kind !== 'done') return;
    const { rows, isCut } = reading.value;
    const { context, options } = this;
    const refuse = (reason: string): void => {
      context.metrics.counter('sluice_wmi_rows_refused_total', { query: query.name, reason })
        .value++;
    };
    if (isCut) refuse('rows_max');
    const head = (className: string): string => {
      const host = options.host ?? context.service.hostName;
      const own = { query: query.name, class: className, namespace: query.namespace, host };
      return JSON.stringify(own).slice(0, -1);
    };
    const records: Buffer[] = [];
    for (const row of rows) {
      const record = Buffer.from(`${head(row.class)},"properties":${row.properties}}`);
      if (record.length > context.service.eventBytesMax) refuse('event_max_bytes');
      else records.push(record);
    }
    const tag = context.tag.replace('*', query.name);
    await out.emit(records, tag, () => reading.startedAtMs);
  }

  /** One query that fails is the counters' and the log's; all of them make the input unready. */
  private note(query: WmiQuery, reason: string | undefined): void {
    if (reason === undefined) this.failing.delete(query);
    else this.failing.set(query, reason);
    const isAll = this.failing.size === this.queries.length;
    this.context.setHealth(isAll ? `no query gives rows: ${reason}` : undefined);
  }
}
