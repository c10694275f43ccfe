import {
  type Batch,
  type BatchFilter,
  type Counter,
  type Field,
  type PluginContext,
  valueKind,
} from '../../../core/sdk/index.ts';
import { FieldFinder } from '../../shared/values/field_finder.ts';
import { TextTemplate } from '../../shared/values/text_template.ts';
import { ValueTemplate } from '../../shared/values/value_template.ts';
import { type HostFact, listOf, type Options } from './config.ts';
import { EncodedValue, EncodedValues } from './encoded_value.ts';
import { hostFacts } from './host_facts.ts';
import { KeyedEnrichment, type ValueSource } from './keyed_enrichment.ts';
import { ReverseDns, type ReverseLookup } from './reverse_dns.ts';
import { TargetWriter } from './target_writer.ts';
import { GeoipSource, TableSource, UserAgentSource } from './value_sources.ts';

/** A field that gets the same value in every record. */
interface FixedField {
  readonly writer: TargetWriter;
  readonly value: EncodedValue;
}

interface RenderedField {
  readonly field: Field;
  readonly template: TextTemplate | ValueTemplate;
}

interface Keyed {
  readonly kind: 'lookup' | 'geoip' | 'user_agent';
  readonly key: string;
  readonly target: string;
  readonly source: ValueSource;
  readonly fallback?: EncodedValue;
  readonly marks?: readonly string[];
}

const defaultFacts: readonly HostFact[] = ['name', 'architecture', 'os'];

/** Adds fields to records: environment and host, then look-ups, then `set`, then names by DNS. */
export class EnrichFilter implements BatchFilter {
  readonly mixesSources = true;
  private readonly options: Options;
  private readonly context: PluginContext;
  private readonly finder: FieldFinder;
  /** Writers of what is known only on opening, by field reference. */
  private readonly startWriters = new Map<string, TargetWriter>();
  private readonly start: FixedField[] = [];
  private readonly keyed: readonly KeyedEnrichment[];
  private readonly fixed: FixedField[] = [];
  private readonly rendered: RenderedField[] = [];
  private readonly dns: ReverseDns | undefined;
  private batchNumber = 0;

  /** `lookup` stands in for the system's name servers. */
  constructor(options: Options, context: PluginContext, lookup?: ReverseLookup) {
    this.options = options;
    this.context = context;
    this.finder = new FieldFinder(context.kernel);
    const { environment = {}, host, set = {}, dns } = options;
    for (const reference of [...Object.keys(environment), ...(host === undefined ? [] : [host])]) {
      this.startWriters.set(reference, this.writerOf(reference));
    }
    const values = new EncodedValues();
    this.keyed = this.keyedOf().map((one) => this.keyedEnrichment(one, values));
    for (const [reference, value] of Object.entries(set)) this.addFixed(reference, value);
    if (dns?.enabled === true) {
      this.dns = new ReverseDns(dns, context, {
        finder: this.finder,
        cacheSize: options.cache_size ?? 10_000,
        misses: this.missCounter('dns'),
        lookup,
      });
    }
  }

  async open(): Promise<void> {
    const { environment = {}, host, host_facts: facts = defaultFacts } = this.options;
    for (const [reference, variable] of Object.entries(environment)) {
      const value = this.context.environment(variable);
      if (value !== undefined) this.addStart(reference, value);
      else {
        const message = 'An environment variable is not set: records go without its field.';
        this.context.log.warn({ variable, field: reference }, message);
      }
    }
    if (host !== undefined) this.addStart(host, hostFacts(facts, this.context.service.hostName));
    for (const { source } of this.keyed) await source.open?.();
  }

  process(batch: Batch): void | Promise<void> {
    this.finder.begin(batch);
    this.batchNumber++;
    for (const fixed of this.start) this.writeFixed(batch, fixed);
    for (const keyed of this.keyed) keyed.run(batch, this.batchNumber);
    for (const fixed of this.fixed) this.writeFixed(batch, fixed);
    for (const rendered of this.rendered) render(batch, rendered);
    return this.dns?.run(batch);
  }

  async close(): Promise<void> {
    for (const { source } of this.keyed) await source.close?.();
    this.finder.close();
  }

  private keyedOf(): readonly Keyed[] {
    const { context, options } = this;
    const pollMs = options.reload_interval ?? 10_000;
    return [
      ...listOf(options.lookup).map((one): Keyed => {
        const { key, target, default: fallback, on_missing: marks } = one;
        return {
          kind: 'lookup',
          key,
          target,
          source: new TableSource(one, context, pollMs),
          fallback: fallback === undefined ? undefined : encoded(fallback),
          marks,
        };
      }),
      ...listOf(options.geoip).map((one): Keyed => {
        const { key, target = 'geo', tag_on_failure: marks } = one;
        return { kind: 'geoip', key, target, source: new GeoipSource(one, context, pollMs), marks };
      }),
      ...listOf(options.user_agent).map(({ key, target = 'user_agent' }): Keyed => {
        return { kind: 'user_agent', key, target, source: new UserAgentSource() };
      }),
    ];
  }

  private keyedEnrichment(one: Keyed, values: EncodedValues): KeyedEnrichment {
    return new KeyedEnrichment({
      source: one.source,
      finder: this.finder,
      which: this.finder.add(this.context.field(one.key)),
      writer: this.writerOf(one.target),
      values,
      cacheSize: this.options.cache_size ?? 10_000,
      fallback: one.fallback,
      marks: one.marks ?? [],
      misses: this.missCounter(one.kind),
    });
  }

  private writerOf(reference: string): TargetWriter {
    return new TargetWriter(this.context.field(reference), this.finder);
  }

  private missCounter(kind: string): Counter {
    return this.context.metrics.counter('sluice_enrich_misses_total', { kind });
  }

  /** A value of `set`, which takes the place of what is there even if both are objects. */
  private addFixed(reference: string, value: unknown): void {
    const template = typeof value === 'string' ? new TextTemplate(value) : undefined;
    if (template !== undefined && template.constant === undefined) {
      this.rendered.push({ field: this.context.field(reference), template });
      return;
    }
    const json = ValueTemplate.of(value);
    if (json !== undefined) {
      this.rendered.push({ field: this.context.field(reference), template: json });
      return;
    }
    const constant = template?.constant ?? value;
    const whole = new EncodedValue(JSON.stringify(constant), constant, true);
    this.fixed.push({ writer: this.writerOf(reference), value: whole });
  }

  private addStart(reference: string, value: unknown): void {
    this.start.push({ writer: this.startWriters.get(reference)!, value: encoded(value) });
  }

  private writeFixed(batch: Batch, { writer, value }: FixedField): void {
    // hot path
    writer.begin(batch, this.batchNumber);
    for (let index = 0; index < batch.count; index++) {
      if (batch.select[index] === 1) writer.write(batch, index, value);
    }
  }
}

function encoded(value: unknown): EncodedValue {
  return new EncodedValue(JSON.stringify(value), value);
}

function render(batch: Batch, { field, template }: RenderedField): void {
  for (let index = 0; index < batch.count; index++) {
    if (batch.select[index] !== 1) continue;
    const text = template.render(batch, index);
    const kind = template instanceof ValueTemplate ? valueKind.json : valueKind.text;
    batch.setField(index, field, Buffer.from(text), kind);
  }
}
