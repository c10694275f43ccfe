import { MemberCursor } from '../../../core/sdk/index.ts';
import { parseRetryAfter } from '../../shared/http_client/retry_after.ts';
import type { Answer } from './server.ts';

/** What an answer to an insert means. An insert is all or nothing: unless it is `inserted`, no row
 *  of it was stored. */
export type Verdict =
  | { readonly kind: 'inserted' }
  /** A row is at fault; `row` counts from 0 and is undefined when the server does not name it. */
  | {
      readonly kind: 'bad_row';
      readonly row: number | undefined;
      readonly text: string;
      /** Uncut, for `rowReason`. */
      readonly fullText: string;
    }
  /** Too much at once. */
  | { readonly kind: 'too_large'; readonly text: string }
  /** No table or no database of that name. */
  | { readonly kind: 'missing'; readonly what: 'table' | 'database'; readonly text: string }
  | { readonly kind: 'later'; readonly text: string; readonly afterMs: number | undefined };

/** Errors that pass, whatever their text says (ClickHouse: src/Common/ErrorCodes.cpp):
 *  timeouts 159 160 209, load 202 252 439, memory 241 173, network 210 279, read-only 242 164,
 *  keeper and replicas 225 285 319 999, no space 243, cancelled 236 394. */
const passing = new Set([
  159, 160, 164, 173, 202, 209, 210, 225, 236, 241, 242, 243, 252, 279, 285, 319, 394, 439, 999,
]);

/** Errors of values: parsing 6 25 26 27 33 38 41 43 53 69 70 72 117 130 131 349 376 407 441 467 469
 *  675 676 691 321 128. */
const ofValues = new Set([
  6, 25, 26, 27, 33, 38, 41, 43, 53, 69, 70, 72, 117, 128, 130, 131, 321, 349, 376, 407, 441, 467,
  469, 675, 676, 691,
]);

export function verdictOf(answer: Answer, nowMs: number): Verdict {
  const { status, code } = answer;
  if (code === 0 && status >= 200 && status < 300) return { kind: 'inserted' };
  const text = shortText(answer);
  if (code === 60) return { kind: 'missing', what: 'table', text };
  if (code === 81) return { kind: 'missing', what: 'database', text };
  if (code === 252 && /partitions for single INSERT block/.test(answer.text)) {
    return { kind: 'too_large', text };
  }
  if (code === 0 && status === 413) return { kind: 'too_large', text };
  const isOfTable = /while reading header/.test(answer.text);
  if (code !== 0 && !passing.has(code) && !isOfTable) {
    const row = namedRow(answer.text);
    if (row !== undefined || ofValues.has(code)) {
      return { kind: 'bad_row', row, text, fullText: answer.text };
    }
  }
  return { kind: 'later', text, afterMs: parseRetryAfter(answer.retryAfter, nowMs) };
}

/** The row that a parse error names, counted from 0. Texts of the data come before it, so that the
 *  last one counts. The row of a violated constraint is one of its block, not of the insert: that
 *  is left to bisection. */
function namedRow(text: string): number | undefined {
  const found = [...text.matchAll(/\(at row (\d{1,9})\)/g)].at(-1);
  return found === undefined ? undefined : Number(found[1]) - 1;
}

function shortText({ text, status, code }: Answer): string {
  const words = text
    .replace(/^[\s\S]{0,100}?DB::Exception: /, '')
    .replace(/: While executing [\s\S]*$/, '')
    .replace(/\s*\(version [^)]*\)\s*$/, '')
    .replace(/\s+/g, ' ')
    .trim();
  const shown = words.length > 400 ? `${words.slice(0, 400)}…` : words;
  const number = code === 0 ? `HTTP ${status}` : `ClickHouse error ${code}`;
  return shown === '' ? number : `${shown} (${number})`;
}

/** Why a row was refused, with the column and its value where they can be told. `record` is the
 *  row's JSON. */
export function rowReason(record: Buffer, text: string, fullText: string): string {
  const found = culpritOf(record, fullText);
  if (found === undefined) return text;
  const shown = found.value.length > 200 ? `${found.value.slice(0, 200)}…` : found.value;
  return `Column ${found.column} does not take ${shown}: ${text}`;
}

function culpritOf(record: Buffer, text: string): { column: string; value: string } | undefined {
  if (record[0] !== 0x7b) return undefined;
  const named =
    /.*\(while reading the value of key (.+?)\): \(at row \d+\)/.exec(text)?.[1] ??
    /field found while parsing JSONEachRow format: (.+?): \(at row \d+\)/.exec(text)?.[1];
  const stopped = named === undefined ? stoppedAt(record, text) : -1;
  if (named === undefined && stopped < 0) return undefined;
  const cursor = new MemberCursor();
  cursor.start(record, 0);
  while (cursor.next()) {
    const column = cursor.keyText();
    const isIt = named === undefined ? stopped <= cursor.valueEnd : column === named;
    if (isIt) return { column, value: record.toString('utf8', cursor.valueStart, cursor.valueEnd) };
  }
  return undefined;
}

/** Where parsing stopped, from the text that the server expected something else before. */
function stoppedAt(record: Buffer, text: string): number {
  const rest = /before: '(.*?)(?:\\n|'(?: \(|:|$))/.exec(text)?.[1];
  if (rest === undefined || rest === '') return -1;
  const unescaped = rest.replace(/\\(.)/g, '$1').slice(0, 100);
  return record.lastIndexOf(unescaped);
}
