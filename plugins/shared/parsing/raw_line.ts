import { type Batch, type Field, topLevel, valueKind } from '../../../core/sdk/index.ts';

/** Keys that inputs put a raw line under, in the order in which they are looked for. */
export const rawLineKeys = ['log', 'message'] as const;

/** Finds the text that a filter is to read. */
export class TextSource {
  /** Fields to look for, in order; more than one only for the raw line. */
  readonly fields: readonly Field[];
  readonly isRawLine: boolean;

  /** Without a field, the raw line: `log`, else `message`, else the only field there is. */
  constructor(field: Field | undefined) {
    this.isRawLine = field === undefined;
    this.fields = field === undefined ? rawLineKeys.map((key) => topLevel(key)) : [field];
  }

  /** The field of one event that holds the text, located; undefined when there is none. */
  locate(batch: Batch, index: number): Field | undefined {
    for (const field of this.fields) if (batch.locate(index, field)) return field;
    const lone = this.isRawLine ? loneField(batch, index) : undefined;
    return lone !== undefined && batch.locate(index, lone) ? lone : undefined;
  }
}

/** The field of an event that has one field and no root, as a raw line under a key of its own. */
function loneField(batch: Batch, index: number): Field | undefined {
  if (batch.rootKind[index] !== 0) return undefined;
  let lone: Field | undefined;
  for (const column of batch.columns) {
    const kind = column.kind[index];
    if (kind === valueKind.absent || kind === valueKind.removed) continue;
    if (lone !== undefined) return undefined;
    lone = column.field;
  }
  return lone;
}
