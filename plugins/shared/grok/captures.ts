import type { CompiledRegex } from '../../../core/sdk/index.ts';

/** `null` stands for a group that took no part, kept by `keepEmptyCaptures`. */
export type GrokValue = string | number | bigint | boolean | null;

/** A captured field: where it goes and its value. */
export interface GrokField {
  readonly path: readonly string[];
  readonly value: GrokValue;
}

export type GrokType = 'string' | 'int' | 'long' | 'float' | 'double' | 'boolean';

/** A group of a pattern and the field it fills. */
export interface CaptureSpec {
  /** The field as written: `name` or `[a][b]`. */
  readonly field: string;
  readonly path: readonly string[];
  readonly type: GrokType;
  /** Number of the capturing group. */
  readonly group: number;
  /** Where a raw match of the pattern has the value. */
  readonly slot: number;
}

/** Lists the groups in the order in which Logstash hands them on: by name in order of first appearance,
 *  then by number. A name is `NAME:field:type` for a use, or the name of an inline group.
 *
 *  Logstash converts only the first group of such a name: where the same use stands in several
 *  alternatives, the later ones stay strings. Kept, so that events come out the same. */
export function captureSpecs(regex: CompiledRegex): readonly CaptureSpec[] {
  return regex.groupNames.flatMap((name, index) => {
    const [pattern, semantic, conversion] = name.split(':') as [string, string?, string?];
    const field = semantic ?? pattern;
    const type = typeOf(conversion);
    return regex.groupsByName[index]!.map((group, use): CaptureSpec => {
      const first = use === 0 || (type !== 'int' && type !== 'float');
      return {
        field,
        path: fieldPath(field),
        type: first ? type : 'string',
        group,
        slot: regex.captureSlots[group - 1]!,
      };
    });
  });
}

/** `int` and `float` are Logstash's; `long`, `double` and `boolean` the Elasticsearch processor's.
 *  Anything else leaves a string, as in Logstash. */
function typeOf(name: string | undefined): GrokType {
  switch (name) {
    case 'int':
    case 'long':
    case 'float':
    case 'double':
    case 'boolean':
      return name;
    default:
      return 'string';
  }
}

/** `[a][b]` is a path; any other text is one name. */
export function fieldPath(field: string): readonly string[] {
  if (!/^(?:\[[^[\]]+\])+$/.test(field)) return [field];
  return field.slice(1, -1).split('][');
}

export function convertCapture(text: string, type: GrokType): GrokValue {
  switch (type) {
    case 'string':
      return text;
    case 'int':
    case 'long':
      return toInteger(text);
    case 'float':
    case 'double':
      return toFloat(text);
    case 'boolean':
      return text.toLowerCase() === 'true';
  }
}

/** Ruby's `to_i`: the leading digits, 0 when there are none; a bigint beyond 2^53. */
function toInteger(text: string): number | bigint {
  const match = /^\s*([+-]?)(\d+(?:_\d+)*)/.exec(text);
  if (match === null) return 0;
  const digits = match[2]!.replaceAll('_', '');
  const value = Number(digits);
  if (!Number.isSafeInteger(value)) return BigInt(digits) * (match[1] === '-' ? -1n : 1n);
  return match[1] === '-' && value !== 0 ? -value : value;
}

/** Ruby's `to_f`: the leading number, 0 when there is none. */
function toFloat(text: string): number {
  const match = /^\s*([+-]?(?:\d+(?:_\d+)*)?(?:\.\d+(?:_\d+)*)?(?:[eE][+-]?\d+)?)/.exec(text);
  const value = Number.parseFloat((match?.[1] ?? '').replaceAll('_', ''));
  return Number.isFinite(value) ? value : 0;
}

/** The value of a field after a capture, as Logstash combines them: a first value stands alone, a
 *  second makes a list, and a value that is neither text nor list is left as it is. */
export function combineCapture(existing: unknown, value: GrokValue, overwrite: boolean): unknown {
  if (overwrite || existing === undefined || existing === null) return value;
  if (Array.isArray(existing)) return [...existing, value];
  return typeof existing === 'string' ? [existing, value] : existing;
}
