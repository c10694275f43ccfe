import type { ParsedFields } from '../../../core/sdk/index.ts';
import { unescapeUnicode } from '../../shared/parsing/escapes.ts';
import { FieldParser, parsedFieldsMax } from '../../shared/parsing/field_parser.ts';
import type { ParserContext } from '../../shared/parsing/parser_options.ts';
import type { Options } from './config.ts';

/** Reads logfmt: `key=value key="value with \"quotes\"" key`. Source: https://brandur.org/logfmt;
 *  a bare key is `true`, as in Fluent Bit, and `key=` an empty text. Neither is ever skipped. */
export class LogfmtParser extends FieldParser {
  readonly fixedKeys = false;
  private readonly takesBareKeys: boolean;
  private at = 0;

  constructor(options: Options, context: ParserContext) {
    super({ ...options, skip_empty_values: false }, context);
    this.takesBareKeys = options.logfmt_no_bare_keys !== true;
  }

  protected override read(text: string, into: ParsedFields): boolean {
    this.at = 0;
    for (;;) {
      while (text.charCodeAt(this.at) <= 0x20) this.at++;
      if (this.at >= text.length) return into.count > 0;
      if (into.count === parsedFieldsMax) return false;
      const keyStart = this.at;
      while (isKeyCharacter(text.charCodeAt(this.at))) this.at++;
      if (this.at === keyStart) return false;
      const key = text.slice(keyStart, this.at);
      const behind = text.charCodeAt(this.at);
      if (behind === 0x22) return false;
      if (behind !== 0x3d) {
        if (!this.takesBareKeys) return false;
        into.set(key, true);
        continue;
      }
      this.at++;
      const value = this.readValue(text);
      if (value === undefined) return false;
      into.set(key, value);
    }
  }

  private readValue(text: string): string | undefined {
    const start = this.at;
    if (text.charCodeAt(start) !== 0x22) {
      while (text.charCodeAt(this.at) > 0x20) this.at++;
      return text.slice(start, this.at);
    }
    let at = start + 1;
    let escaped = false;
    for (;;) {
      const code = text.charCodeAt(at);
      // NaN: the end of the text came before the closing quote.
      if (Number.isNaN(code)) return undefined;
      if (code === 0x22) break;
      if (code === 0x5c) {
        escaped = true;
        at++;
      }
      at++;
    }
    this.at = at + 1;
    const inside = text.slice(start + 1, at);
    return escaped ? unescapeUnicode(inside) : inside;
  }
}

/** Everything but blanks, control characters, `=` and `"`; false for NaN, the text's end. */
function isKeyCharacter(code: number): boolean {
  return code > 0x20 && code !== 0x3d && code !== 0x22;
}
