import { SluiceError } from '../../../core/sdk/index.ts';

/** What a field of a dissect pattern does with the text that it found. */
export type DissectRole = 'set' | 'append' | 'skip' | 'value_of_key';

export interface DissectField {
  readonly role: DissectRole;
  /** The name as written, without its marks; of `%{?a}` the name that `%{&a}` refers to. */
  readonly name: string;
  /** Order of an appended part: that of `%{+a/2}` is 2. */
  readonly order: number;
  /** The delimiter may come several times. */
  readonly padded: boolean;
  /** Text before the field, that joins appended parts. */
  readonly before: string;
  /** Text behind the field; empty for one that takes the rest. */
  readonly delimiter: string;
}

export interface DissectPattern {
  /** Text before the first field. */
  readonly prefix: string;
  readonly fields: readonly DissectField[];
}

/** Reads a pattern in the syntax of Logstash's dissect filter: `%{a}`, `%{+a}`, `%{+a/2}`, `%{?a}`,
 *  `%{&a}`, `%{}`, and `->` behind a name for padding.
 *  Errors: SLUICE_OPTION_INVALID. */
export function readDissectPattern(pattern: string): DissectPattern {
  const marks = [...pattern.matchAll(/%\{([^}]*)\}/g)];
  if (marks.length === 0) throw invalid(pattern, 'it has no field such as %{message}');
  const prefix = pattern.slice(0, marks[0]!.index);
  let before = prefix;
  const fields = marks.map((mark, i): DissectField => {
    const next = marks[i + 1];
    const delimiter = pattern.slice(mark.index + mark[0].length, next?.index);
    if (next !== undefined && delimiter === '') {
      throw invalid(pattern, `nothing stands between ${mark[0]} and ${next[0]}`);
    }
    const field = readField(pattern, mark[1]!, before, delimiter);
    before = delimiter;
    return field;
  });
  for (const { role, name } of fields) {
    const known = (field: DissectField) => field.name === name && field.role !== 'value_of_key';
    if (role === 'value_of_key' && !fields.some(known)) {
      throw invalid(pattern, `%{&${name}} refers to a field that is not there`);
    }
  }
  return { prefix, fields };
}

function readField(
  pattern: string,
  written: string,
  before: string,
  delimiter: string,
): DissectField {
  const parts = /^([+?&]?)(.*?)(?:\/(\d{1,4}))?(->)?$/s.exec(written)!;
  const [, mark, name, order, padding] = parts;
  const role = roleOf(mark!, name!);
  if (name === '' && role !== 'skip') throw invalid(pattern, `%{${written}} has no name`);
  if (order !== undefined && role !== 'append') {
    throw invalid(pattern, `%{${written}} has an order but no + before its name`);
  }
  return {
    role,
    name: name!,
    order: Number(order ?? 0),
    padded: padding === '->',
    before,
    delimiter,
  };
}

function roleOf(mark: string, name: string): DissectRole {
  if (mark === '+') return 'append';
  if (mark === '&') return 'value_of_key';
  return mark === '?' || name === '' ? 'skip' : 'set';
}

function invalid(pattern: string, problem: string): SluiceError {
  const shown = pattern.slice(0, 120);
  return new SluiceError('SLUICE_OPTION_INVALID', `Dissect pattern "${shown}": ${problem}.`);
}
