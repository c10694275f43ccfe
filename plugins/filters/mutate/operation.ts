import { type Batch, type Field, valueKind } from '../../../core/sdk/index.ts';
import type { FieldFinder } from '../../shared/values/field_finder.ts';
import { plainColumn } from '../../shared/values/constant.ts';

/** One change to all selected events of a batch. Operations run one after another, each over the
 *  whole batch: events do not see each other, so the outcome is that of event after event. */
export interface Operation {
  run(batch: Batch): void;
}

/** What operations share. */
export interface OperationContext {
  readonly finder: FieldFinder;
  field(reference: string): Field;
  /** Marks an event on which an operation failed. */
  fail(batch: Batch, index: number): void;
}

/** Sets a field of one event to a text. */
export function putText(batch: Batch, index: number, field: Field, text: string): void {
  const column = plainColumn(batch, field);
  if (column !== undefined) batch.setText(column, index, text);
  else batch.setField(index, field, Buffer.from(text), valueKind.text);
}

/** Sets a field of one event to a JSON value. */
export function putJson(batch: Batch, index: number, field: Field, json: string): void {
  batch.setField(index, field, Buffer.from(json), valueKind.json);
}
