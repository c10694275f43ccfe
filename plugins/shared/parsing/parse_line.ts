import { ByteWriter, isJsonObject, ParsedFields, type Parser } from '../../../core/sdk/index.ts';
import { writeObject } from './event_rewriter.ts';

/** What a parser makes of a line. */
export interface ParsedLine {
  /** The fields as one JSON object, without the time unless the parser keeps it. */
  readonly json: string;
  /** The event's time, where the parser found one. */
  readonly time: { readonly seconds: number; readonly nanos: number } | undefined;
}

/** Parses one line for `sluice parse`; null when it does not fit, or is a header. */
export function parseLine(parser: Parser, line: string): ParsedLine | null {
  const fields = new ParsedFields();
  if (!parser.parse(line, fields)) return null;
  if ('consumed' in parser && parser.consumed === true) return null;
  let skip = -1;
  let time: ParsedLine['time'];
  const key = parser.time?.field.literal ?? parser.time?.field.keys[0];
  for (let i = 0; i < fields.count; i++) {
    if (fields.keys[i] !== key || !parser.time!.reader.parse(String(fields.values[i]))) continue;
    time = { seconds: parser.time!.reader.seconds, nanos: parser.time!.reader.nanos };
    if (!parser.time!.keep) skip = i;
  }
  if (parser.wholeObject === true && skip < 0 && isObjectText(line)) {
    return { json: line.trim(), time };
  }
  const out = new ByteWriter(1024);
  writeObject(fields, skip, out);
  return { json: out.view().toString(), time };
}

function isObjectText(line: string): boolean {
  const bytes = Buffer.from(line);
  return isJsonObject(bytes, 0, bytes.length);
}
