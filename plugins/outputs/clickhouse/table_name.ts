import {
  type Batch,
  type Clock,
  type ComponentMetrics,
  compileTemplate,
} from '../../../core/sdk/index.ts';
import { isStaticName, namePieces } from '../../shared/record_name/name_piece.ts';
import { RecordName } from '../../shared/record_name/record_name.ts';
import type { ClickHouseOptions } from './config.ts';

const nameBytesMax = 200;
const idleMs = 3_600_000;

/** The table that each record goes to. */
export class TableName {
  /** Undefined when the name differs from record to record. */
  readonly fixed: string | undefined;
  private readonly names: RecordName<string>;

  constructor(options: ClickHouseOptions, clock: Clock, metrics: ComponentMetrics) {
    const pieces = namePieces(compileTemplate(options.table));
    this.names = new RecordName<string>({
      pieces,
      clean: (piece) => piece.replace(/[^A-Za-z0-9_]/g, '_'),
      bytesMax: nameBytesMax,
      namesMax: options.table_names_max,
      idleMs,
      clock,
      make: (name) => name,
      missing: metrics.counter('sluice_clickhouse_table_field_missing_total'),
      beyondMax: metrics.counter('sluice_clickhouse_tables_limited_total'),
    });
    this.fixed = isStaticName(pieces) ? options.table : undefined;
  }

  of(batch: Batch, index: number): string {
    return this.names.entryAt(batch, index).name;
  }
}

/** A name as it stands in SQL. */
export function quoteName(name: string): string {
  return `\`${name.replace(/[\\`]/g, '\\$&')}\``;
}

/** A text as it stands in SQL. */
export function quoteText(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}
