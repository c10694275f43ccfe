import { type Batch, valueKind } from '../../../core/sdk/index.ts';

/** JSON of the value that `batch.locate` found, joined with another to a list. Works on the text,
 *  so that numbers stay as they are written. `joins` says which values become a list: texts and
 *  lists (Logstash's rule for captures), or any. Undefined: the value stays as it is. */
export function joinValue(batch: Batch, json: string, joins: 'texts' | 'any'): string | undefined {
  if (batch.foundKind === valueKind.text) return `[${JSON.stringify(batch.foundText())},${json}]`;
  const found = batch.foundBytes.utf8Slice(batch.foundStart, batch.foundEnd).trim();
  if (found === 'null') return json;
  if (found.startsWith('[')) {
    const inner = found.slice(1, -1).trim();
    return inner === '' ? `[${json}]` : `[${inner},${json}]`;
  }
  return joins === 'any' || found.startsWith('"') ? `[${found},${json}]` : undefined;
}
