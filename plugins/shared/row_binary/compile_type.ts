import { findTimeZone } from '../../../core/sdk/index.ts';
import type { ColumnCodec } from './column_codec.ts';
import { ArrayCodec, EnumCodec, MapCodec, NullableCodec } from './containers.ts';
import { BoolCodec, DecimalCodec, FloatCodec, integerCodec } from './numbers.ts';
import { FixedStringCodec, Ipv4Codec, Ipv6Codec, StringCodec, UuidCodec } from './texts.ts';
import { DateCodec, DateTime64Codec, DateTimeCodec } from './times.ts';
import {
  type EnumEntry,
  enumEntries,
  parseTypeText,
  type TypeNode,
  type TypeParameter,
  typeError,
} from './type_text.ts';

const fixedStringBytesMax = 1024 * 1024;

/** Compiles a ClickHouse type into what writes and reads its values. Undefined for a well-formed
 *  type that RowBinary is not written in here (JSON, Tuple, Variant, aggregate states, ...).
 *  Errors: SLUICE_OPTION_INVALID for what is no type, or has parameters that it cannot have. */
export function compileColumnType(text: string): ColumnCodec | undefined {
  return compile(parseTypeText(text), text);
}

function compile(node: TypeNode, text: string): ColumnCodec | undefined {
  const integer = /^(U?)Int(8|16|32|64|128|256)$/.exec(node.name);
  if (integer !== null)
    return plain(node, text, integerCodec(Number(integer[2]), integer[1] === ''));
  switch (node.name) {
    case 'Float32':
      return plain(node, text, new FloatCodec(32));
    case 'Float64':
      return plain(node, text, new FloatCodec(64));
    case 'Bool':
      return plain(node, text, new BoolCodec());
    case 'String':
      return plain(node, text, new StringCodec());
    case 'UUID':
      return plain(node, text, new UuidCodec());
    case 'IPv4':
      return plain(node, text, new Ipv4Codec());
    case 'IPv6':
      return plain(node, text, new Ipv6Codec());
    case 'Date':
      return plain(node, text, new DateCodec(false));
    case 'Date32':
      return plain(node, text, new DateCodec(true));
    default:
      return compileWithParameters(node, text);
  }
}

function compileWithParameters(node: TypeNode, text: string): ColumnCodec | undefined {
  const { parameters } = node;
  switch (node.name) {
    case 'FixedString':
      return new FixedStringCodec(numberIn(parameters[0], 1, fixedStringBytesMax, text));
    case 'DateTime':
      return new DateTimeCodec(zoneIn(parameters[0], text));
    case 'DateTime64':
      return new DateTime64Codec(
        parameters.length === 0 ? 3 : numberIn(parameters[0], 0, 9, text),
        zoneIn(parameters[1], text),
      );
    case 'Decimal': {
      const precision = parameters.length === 0 ? 10 : numberIn(parameters[0], 1, 76, text);
      const scale = parameters.length < 2 ? 0 : numberIn(parameters[1], 0, precision, text);
      return new DecimalCodec(precision, scale);
    }
    case 'Decimal32':
      return new DecimalCodec(9, numberIn(parameters[0], 0, 9, text));
    case 'Decimal64':
      return new DecimalCodec(18, numberIn(parameters[0], 0, 18, text));
    case 'Decimal128':
      return new DecimalCodec(38, numberIn(parameters[0], 0, 38, text));
    case 'Decimal256':
      return new DecimalCodec(76, numberIn(parameters[0], 0, 76, text));
    case 'Enum8':
      return new EnumCodec(1, entriesIn(parameters, 127, text));
    case 'Enum16':
      return new EnumCodec(2, entriesIn(parameters, 32_767, text));
    default:
      return compileContainer(node, text);
  }
}

function compileContainer(node: TypeNode, text: string): ColumnCodec | undefined {
  switch (node.name) {
    case 'LowCardinality':
      return innerOf(node, 0, 1, text);
    case 'Nullable': {
      const inner = innerOf(node, 0, 1, text);
      if (inner !== undefined && !inner.nestable)
        throw typeError(text, 'Nullable cannot hold that');
      return inner && new NullableCodec(inner);
    }
    case 'Array': {
      const inner = innerOf(node, 0, 1, text);
      return inner && new ArrayCodec(inner);
    }
    case 'Map': {
      const key = innerOf(node, 0, 2, text);
      const value = innerOf(node, 1, 2, text);
      return key && value && new MapCodec(key, value);
    }
    default:
      return undefined;
  }
}

function plain(node: TypeNode, text: string, codec: ColumnCodec): ColumnCodec {
  if (node.parameters.length > 0) throw typeError(text, `${node.name} takes no parameters`);
  return codec;
}

function innerOf(
  node: TypeNode,
  index: number,
  count: number,
  text: string,
): ColumnCodec | undefined {
  const inner = node.parameters[index];
  if (node.parameters.length !== count || typeof inner !== 'object' || !('name' in inner)) {
    throw typeError(text, `${node.name} takes ${count === 1 ? 'a type' : `${count} types`}`);
  }
  return compile(inner, text);
}

function numberIn(
  parameter: TypeParameter | undefined,
  least: number,
  most: number,
  text: string,
): number {
  if (typeof parameter !== 'number' || parameter < least || parameter > most) {
    throw typeError(text, `it wants a number from ${least} to ${most}`);
  }
  return parameter;
}

function zoneIn(parameter: TypeParameter | undefined, text: string): string {
  if (parameter === undefined) return 'UTC';
  if (typeof parameter !== 'string' || findTimeZone(parameter) === undefined) {
    throw typeError(text, 'it names no time zone that is known here');
  }
  return parameter;
}

function entriesIn(parameters: readonly TypeParameter[], most: number, text: string): EnumEntry[] {
  const entries = enumEntries(parameters);
  if (entries.length === 0 || entries.length < parameters.length) {
    throw typeError(text, "its entries are written 'name' = number");
  }
  const isOut = entries.some(({ value }) => value < -most - 1 || value > most);
  if (isOut) throw typeError(text, 'its numbers do not fit');
  return entries;
}
