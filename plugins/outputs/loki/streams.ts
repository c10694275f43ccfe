import type { Batch, Clock, Counter, Field, Log } from '../../../core/sdk/index.ts';
import { type LabelSource, labelValue } from './label_source.ts';

const windowMs = 3_600_000;
/** Loki's limit for a label's value (loki: limits_config.max_label_value_length). */
const valueBytesMax = 2048;
/** Characters and length of a tenant (dskit: tenant.ValidTenantID). */
const tenantPattern = /^[A-Za-z0-9!\-_.*'()]{1,150}$/;

export interface StreamsOptions {
  readonly labels: readonly LabelSource[];
  readonly labelSetsMax: number;
  readonly tenant: string | undefined;
  readonly tenantField: Field | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly limited: Counter;
  readonly tenantsInvalid: Counter;
  /** Writes names and values as the format has them, in the section's key. */
  labelsText(names: readonly string[], values: readonly string[]): string;
}

/** Finds the stream of each record: its tenant and labels, as the key of a section. */
export class Streams {
  /** Labels that the record asked for and did not get; their values are in `demotedValues`. */
  readonly demotedNames: string[] = [];
  readonly demotedValues: string[] = [];
  /** True when every record has the same tenant and labels. */
  readonly isOne: boolean;
  private readonly options: StreamsOptions;
  private readonly keys = new Map<string, string>();
  private readonly values: (string | undefined)[] = [];
  private windowStartMs = Number.NEGATIVE_INFINITY;
  private hasWarned = false;

  constructor(options: StreamsOptions) {
    this.options = options;
    const { labels, tenantField } = options;
    this.isOne = tenantField === undefined && labels.every(({ fixed }) => fixed !== undefined);
  }

  /** The key of the record's section, or undefined with `reason` set. */
  keyOf(batch: Batch, index: number): string | undefined {
    // hot path
    this.demotedNames.length = 0;
    this.demotedValues.length = 0;
    const tenant = this.tenantOf(batch, index);
    if (tenant === undefined) return undefined;
    const { labels } = this.options;
    let identity = tenant;
    let isTooLong = false;
    for (let i = 0; i < labels.length; i++) {
      const value = labelValue(labels[i]!, batch, index);
      this.values[i] = value;
      if (labels[i]!.fixed !== undefined) continue;
      // With its length, so that no value can pass for two.
      identity += value === undefined ? '\u0001' : `\u0000${value.length}:${value}`;
      if (value !== undefined && value.length * 3 > valueBytesMax) {
        isTooLong ||= Buffer.byteLength(value) > valueBytesMax;
      }
    }
    if (!isTooLong) {
      const known = this.keys.get(identity);
      if (known !== undefined && !this.isWindowOver()) return known;
      if (this.takeSet(identity)) {
        const key = this.compose(tenant, false);
        this.keys.set(identity, key);
        return key;
      }
    }
    return this.demote(tenant);
  }

  /** Why `keyOf` gave no key. */
  reason = '';

  private tenantOf(batch: Batch, index: number): string | undefined {
    const { tenant, tenantField, tenantsInvalid } = this.options;
    if (tenantField === undefined) return tenant ?? '';
    const value = batch.textAt(index, tenantField);
    if (value === undefined || value === '') return tenant ?? '';
    if (isTenant(value)) return value;
    tenantsInvalid.value++;
    this.reason = `Loki takes no tenant ${JSON.stringify(value.slice(0, 200))}, from ${tenantField.name}: it has other characters than letters, digits and !-_.*'(), or more than 150.`;
    return undefined;
  }

  private isWindowOver(): boolean {
    return this.options.clock.monotonicMs() - this.windowStartMs >= windowMs;
  }

  /** Counts a new set of values, unless there are too many in this hour. */
  private takeSet(identity: string): boolean {
    if (this.isWindowOver()) {
      this.windowStartMs = this.options.clock.monotonicMs();
      this.keys.clear();
      this.hasWarned = false;
    }
    return this.keys.size < this.options.labelSetsMax || this.keys.has(identity);
  }

  private demote(tenant: string): string {
    const { labels, limited, log, labelSetsMax } = this.options;
    limited.value++;
    if (!this.hasWarned) {
      this.hasWarned = true;
      log.warn(
        { labelSetsMax },
        'Labels have too many different values, or values that are too long: records go with the fixed labels alone, the values as structured metadata.',
      );
    }
    for (let i = 0; i < labels.length; i++) {
      const value = this.values[i];
      if (labels[i]!.fixed !== undefined || value === undefined) continue;
      this.demotedNames.push(labels[i]!.name);
      this.demotedValues.push(value);
    }
    return this.compose(tenant, true);
  }

  /** Loki refuses the sign that stands for bytes that were no UTF-8 (3.7: `invalid UTF-8 rune`). */
  private compose(tenant: string, fixedOnly: boolean): string {
    const names: string[] = [];
    const values: string[] = [];
    for (const [i, { name, fixed }] of this.options.labels.entries()) {
      const value = this.values[i];
      if (value === undefined || (fixedOnly && fixed === undefined)) continue;
      names.push(name);
      values.push(value.replaceAll('\ufffd', '?'));
    }
    // Loki wants a label.
    if (names.length === 0) {
      names.push('job');
      values.push('sluice');
    }
    return `${tenant}\n${this.options.labelsText(names, values)}`;
  }
}

/** True for a tenant that Loki takes. */
export function isTenant(text: string): boolean {
  return tenantPattern.test(text) && text !== '.' && text !== '..';
}

/** Cuts a section's key into the tenant ('' for none) and the labels. */
export function splitKey(key: string): { tenant: string; labels: string } {
  const at = key.indexOf('\n');
  return { tenant: key.slice(0, at), labels: key.slice(at + 1) };
}
