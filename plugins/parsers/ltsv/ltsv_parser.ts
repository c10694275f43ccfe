import type { ParsedFields } from '../../../core/sdk/index.ts';
import { FieldParser, parsedFieldsMax } from '../../shared/parsing/field_parser.ts';

/** Reads Labeled Tab-separated Values: `label:value` between tabs. Source: http://ltsv.org */
export class LtsvParser extends FieldParser {
  readonly fixedKeys = false;

  protected override read(text: string, into: ParsedFields): boolean {
    const end = endWithoutLineBreak(text);
    let at = 0;
    while (at < end) {
      let tab = text.indexOf('\t', at);
      if (tab < 0 || tab > end) tab = end;
      if (tab > at) {
        const colon = text.indexOf(':', at);
        // A part without a label would be lost: the text is no LTSV.
        if (colon <= at || colon >= tab || into.count === parsedFieldsMax) return false;
        into.set(text.slice(at, colon), text.slice(colon + 1, tab));
      }
      at = tab + 1;
    }
    return into.count > 0;
  }
}

function endWithoutLineBreak(text: string): number {
  let end = text.length;
  if (text.charCodeAt(end - 1) === 0x0a) end--;
  if (text.charCodeAt(end - 1) === 0x0d) end--;
  return end;
}
