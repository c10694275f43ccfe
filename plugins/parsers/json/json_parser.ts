import { isJsonObject, MemberCursor, type ParsedFields } from '../../../core/sdk/index.ts';
import { readMembers } from '../../shared/parsing/field_decoders.ts';
import { FieldParser, parsedFieldsMax } from '../../shared/parsing/field_parser.ts';
import type { ParserContext } from '../../shared/parsing/parser_options.ts';
import type { Options } from './config.ts';

/** Takes JSON objects (RFC 8259). Where nothing has to be changed inside, the text itself becomes
 *  the event: its bytes, numbers and order stay as they are. */
export class JsonParser extends FieldParser {
  readonly fixedKeys = false;
  /** False where types or decoders look into the fields. */
  readonly wholeObject: boolean;
  private readonly cursor = new MemberCursor();

  constructor(options: Options, context: ParserContext) {
    super({ ...options, skip_empty_values: false }, context);
    const changes = [options.types, options.decode_field, options.decode_field_as];
    this.wholeObject = changes.every((entries) => (entries?.length ?? 0) === 0);
  }

  protected override read(text: string, into: ParsedFields): boolean {
    const json = Buffer.from(text);
    if (!isJsonObject(json, 0, json.length)) return false;
    readMembers(json, this.cursor, into);
    return into.count <= parsedFieldsMax;
  }
}
