import { elementSpans, isJsonObject } from '../../../core/sdk/index.ts';

/** One record of a program's output: a span of its bytes. */
export interface OutputSpan {
  readonly start: number;
  readonly end: number;
  /** A JSON object; otherwise text. */
  readonly isObject: boolean;
}

export interface OutputRecords {
  readonly spans: readonly OutputSpan[];
  /** Pieces that are no JSON objects, where such are expected. They come as text. */
  readonly invalid: number;
}

const newline = 0x0a;

/** Lines without their ends, each at most `lineBytesMax`: longer ones come in pieces. Empty ones are
 *  left out. */
export function lineSpans(output: Buffer, lineBytesMax: number): OutputSpan[] {
  const spans: OutputSpan[] = [];
  for (let at = 0; at < output.length; ) {
    const found = output.indexOf(newline, at);
    const next = found < 0 ? output.length : found + 1;
    let end = found < 0 ? output.length : found;
    if (end > at && output[end - 1] === 0x0d) end--;
    for (let start = at; start < end; start += lineBytesMax) {
      spans.push({ start, end: Math.min(start + lineBytesMax, end), isObject: false });
    }
    at = next;
  }
  return spans;
}

/** The output as one text, without the line end behind it. */
export function wholeSpan(output: Buffer, bytesMax: number): OutputSpan[] {
  let end = output.length;
  if (end > 0 && output[end - 1] === newline) end--;
  if (end > 0 && output[end - 1] === 0x0d) end--;
  const spans: OutputSpan[] = [];
  for (let start = 0; start < end; start += bytesMax) {
    spans.push({ start, end: Math.min(start + bytesMax, end), isObject: false });
  }
  return spans;
}

/** JSON objects: one, an array of them, or one a line. Bytes stay as they are. */
export function jsonSpans(output: Buffer, bytesMax: number): OutputRecords {
  const fits = (start: number, end: number): boolean =>
    end - start <= bytesMax && isJsonObject(output, start, end);
  const end = output.length;
  if (fits(0, end)) return { spans: [{ start: 0, end, isObject: true }], invalid: 0 };
  const start = output.findIndex((byte) => byte > 0x20);
  const elements =
    output[start] === 0x5b && isJsonArray(output, start) ? elementSpans(output, start) : undefined;
  const pieces = elements ?? lineSpans(output, bytesMax);
  let invalid = 0;
  const spans = pieces.flatMap((piece): OutputSpan[] => {
    if (fits(piece.start, piece.end)) return [{ ...piece, isObject: true }];
    invalid++;
    return cut(piece.start, piece.end, bytesMax);
  });
  return { spans, invalid };
}

function cut(from: number, to: number, bytesMax: number): OutputSpan[] {
  const spans: OutputSpan[] = [];
  for (let start = from; start < to; start += bytesMax) {
    spans.push({ start, end: Math.min(start + bytesMax, to), isObject: false });
  }
  return spans;
}

function isJsonArray(output: Buffer, start: number): boolean {
  try {
    return Array.isArray(JSON.parse(output.toString('utf8', start)));
  } catch {
    return false;
  }
}
