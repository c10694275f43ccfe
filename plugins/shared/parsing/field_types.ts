import { refuseOption } from './refuse_option.ts';
import { JsonText, jsonOf } from './json_text.ts';

export type FieldType = 'string' | 'integer' | 'bool' | 'float' | 'hex';

const typeNames: ReadonlyMap<string, FieldType> = new Map([
  ['string', 'string'],
  ['str', 'string'],
  ['integer', 'integer'],
  ['int', 'integer'],
  ['bool', 'bool'],
  ['boolean', 'bool'],
  ['float', 'float'],
  ['double', 'float'],
  ['hex', 'hex'],
]);

/** Reads `key:type` entries. What is wrong goes to `report`, as one sentence each.
 *  Errors: SLUICE_OPTION_INVALID, without a `report`. */
export function readFieldTypes(
  entries: readonly string[],
  report: (message: string) => void = refuseOption,
): ReadonlyMap<string, FieldType> {
  const types = new Map<string, FieldType>();
  for (const entry of entries) {
    const colon = entry.lastIndexOf(':');
    const type = typeNames.get(entry.slice(colon + 1).toLowerCase());
    if (colon < 1 || type === undefined) {
      report(
        `"${entry}" is no type of a field: write key:type, the type string, integer, bool, float or hex.`,
      );
    } else types.set(entry.slice(0, colon), type);
  }
  return types;
}

/** Gives a value its type. Undefined: there is no such value, as of an empty number.
 *
 *  Numbers are read as C does (and Fluent Bit with it): the digits at the start count, `-` alone is 0.
 *  Whole numbers of any size stay exact; a word that is no boolean stays a text. */
export function convertValue(value: unknown, type: FieldType): unknown {
  if (value === null || (typeof value === 'object' && !(value instanceof JsonText))) return value;
  const text = typeof value === 'string' ? value : (jsonOf(value) ?? '');
  if (type === 'string') return text;
  // A truth value is no number: of logfmt it is a key without a value.
  if (typeof value === 'boolean') return value;
  if (text === '') return undefined;
  if (type === 'bool') return readBoolean(text) ?? value;
  if (type === 'integer') return readInteger(text);
  if (type === 'hex') return readHex(text);
  const number = Number.parseFloat(text);
  if (Number.isNaN(number)) return 0;
  return Number.isFinite(number) ? number : value;
}

function readBoolean(text: string): boolean | undefined {
  if (text.length >= 4 && text.slice(0, 4).toLowerCase() === 'true') return true;
  return text.length >= 5 && text.slice(0, 5).toLowerCase() === 'false' ? false : undefined;
}

function readInteger(text: string): unknown {
  const digits = /^\s*[+-]?\d+/.exec(text)?.[0];
  if (digits === undefined) return 0;
  const number = Number(digits);
  // The sign of -0 is no part of a whole number.
  return Number.isSafeInteger(number) ? number + 0 : exactInteger(digits.trim());
}

function readHex(text: string): unknown {
  const digits = /^\s*(?:0x)?([\da-f]+)/i.exec(text)?.[1];
  if (digits === undefined) return 0;
  const number = Number.parseInt(digits, 16);
  return Number.isSafeInteger(number) ? number : exactInteger(`0x${digits}`);
}

/** Longer numbers are no counts; BigInt would take quadratic time over them. */
const digitsMax = 400;

function exactInteger(digits: string): unknown {
  if (digits.length > digitsMax) return digits;
  if (digits.startsWith('-')) return new JsonText((-BigInt(digits.slice(1))).toString());
  return new JsonText(BigInt(digits.startsWith('+') ? digits.slice(1) : digits).toString());
}
