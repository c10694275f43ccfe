import { arrayElements } from '../../shared/values/array_elements.ts';
import type { ConvertType } from './config.ts';

/** Converts a value given as JSON (`token`) or, with `isString`, as the text of a string. Returns the new
 *  value as JSON, or undefined when it stays as it is: null, objects, texts that are no boolean, and
 *  numbers that JSON cannot say. Arrays are converted element by element.
 *
 *  As Ruby reads them, numbers are taken from the front of a text (`12 ms` is 12, `ms` is 0) and
 *  grouping commas are skipped; digits are kept beyond 2^53. */
export function convertValue(
  token: string,
  isString: boolean,
  type: ConvertType,
): string | undefined {
  if (isString) return convertText(token, type);
  const elements = arrayElements(token);
  if (elements !== undefined) {
    return `[${elements.map((element) => convertElement(element, type) ?? element).join(',')}]`;
  }
  if (token === 'null' || token.startsWith('{')) return undefined;
  return convertLiteral(token, type);
}

function convertElement(element: string, type: ConvertType): string | undefined {
  if (!element.startsWith('"')) return convertValue(element, false, type);
  // A JSON string.
  return convertText(JSON.parse(element) as string, type);
}

function convertText(text: string, type: ConvertType): string | undefined {
  switch (type) {
    case 'string':
      return undefined;
    case 'boolean':
      return booleanOf(text);
    case 'integer':
      return integerOfText(text.replaceAll(',', ''));
    case 'integer_eu':
      return integerOfText(fromEuropean(text).replaceAll(',', ''));
    case 'float':
      return floatOfText(text.replaceAll(',', ''));
    case 'float_eu':
      return floatOfText(fromEuropean(text).replaceAll(',', ''));
  }
}

/** Converts a number, `true` or `false`. */
function convertLiteral(token: string, type: ConvertType): string | undefined {
  if (type === 'string') return JSON.stringify(token);
  if (type === 'boolean') return token === 'true' || token === 'false' ? token : booleanOf(token);
  const isInteger = type === 'integer' || type === 'integer_eu';
  if (token === 'true') return isInteger ? '1' : '1.0';
  if (token === 'false') return isInteger ? '0' : '0.0';
  if (isInteger) return integerOfNumber(token);
  return /[.eE]/.test(token) ? token : `${token}.0`;
}

function booleanOf(text: string): string | undefined {
  if (/^(?:true|t|yes|y|1|1\.0)$/i.test(text)) return 'true';
  return /^(?:false|f|no|n|0|0\.0|)$/i.test(text) ? 'false' : undefined;
}

function integerOfText(text: string): string {
  const match = /^\s*([+-]?)(\d+(?:_\d+)*)/.exec(text);
  if (match === null) return '0';
  return plainInteger(match[1]!, match[2]!.replaceAll('_', ''));
}

/** Drops the fraction of a JSON number. */
function integerOfNumber(token: string): string | undefined {
  const match = /^(-?)(\d+)(?:\.\d+)?$/.exec(token);
  if (match !== null) return plainInteger(match[1]!, match[2]!);
  const number = Number(token);
  return Number.isFinite(number) ? String(BigInt(Math.trunc(number))) : undefined;
}

function plainInteger(sign: string, digits: string): string {
  const plain = digits.replace(/^0+(?=\d)/, '');
  return sign === '-' && plain !== '0' ? `-${plain}` : plain;
}

function floatOfText(text: string): string | undefined {
  const match = /^\s*([+-]?(?:\d+(?:_\d+)*)?(?:\.\d+(?:_\d+)*)?)((?:e[+-]?\d+)?)/i.exec(text)!;
  const mantissa = match[1]!.replaceAll('_', '');
  if (!/\d/.test(mantissa)) return '0.0';
  const number = Number(mantissa + match[2]!);
  if (!Number.isFinite(number)) return undefined;
  return Number.isInteger(number) && Math.abs(number) < 1e16 ? number.toFixed(1) : String(number);
}

/** `1.234,5` as `1,234.5`. */
function fromEuropean(text: string): string {
  return text.replace(/[.,]/g, (mark) => (mark === '.' ? ',' : '.'));
}
