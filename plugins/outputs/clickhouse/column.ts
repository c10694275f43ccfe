import {
  type Batch,
  type ByteWriter,
  type Field,
  type PluginContext,
  topLevel,
  valueKind,
} from '../../../core/sdk/index.ts';
import { type ColumnCodec, ValueMisfit } from '../../shared/row_binary/column_codec.ts';
import { compileColumnType } from '../../shared/row_binary/compile_type.ts';
import { writeTimeWith, writeToken } from '../../shared/row_binary/containers.ts';
import { type ClickHouseOptions, columnList } from './config.ts';

/** A declared column, ready to take values. */
export interface Column {
  readonly name: string;
  readonly type: string;
  readonly field: Field;
  /** Undefined for types that the server alone knows. */
  readonly codec: ColumnCodec | undefined;
  /** Takes the event's time when the field is missing. */
  readonly takesTime: boolean;
}

/** The declared columns. Errors: SLUICE_OPTION_INVALID. */
export function compileColumns(
  options: ClickHouseOptions,
  context: Pick<PluginContext, 'field'>,
): readonly Column[] {
  return columnList(options).map(({ name, type, field }) => ({
    name,
    type,
    field: field === undefined ? topLevel(name) : context.field(field),
    codec: compileColumnType(type),
    takesTime: name === options.time_key,
  }));
}

/** Writes what `batch.locate` found as the column has it. Throws ValueMisfit. */
export function writeFound(codec: ColumnCodec, batch: Batch, out: ByteWriter): void {
  const text = batch.foundBytes.utf8Slice(batch.foundStart, batch.foundEnd);
  if (batch.foundKind === valueKind.text) codec.write(text, true, out);
  else writeToken(codec, text, out);
}

/** Writes the event's time as the column has it. Throws ValueMisfit. */
export function writeEventTimeInto(
  codec: ColumnCodec,
  batch: Batch,
  index: number,
  out: ByteWriter,
): void {
  writeTimeWith(codec, batch.seconds[index]!, batch.nanos[index]!, out);
}

/** Says which value does not fit, and why. */
export function misfitReason(column: Column, batch: Batch, index: number, why: string): string {
  const text = batch.textAt(index, column.field) ?? 'the time of the event';
  const shown = text.length > 200 ? `${text.slice(0, 200)}…` : text;
  return `Column ${column.name} (${column.type}) does not take ${JSON.stringify(shown)}: ${why}.`;
}

/** The words of a misfit; anything else is thrown on. */
export function misfitOf(error: unknown): string {
  if (error instanceof ValueMisfit) return error.message;
  throw error;
}
