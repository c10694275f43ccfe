import { isJsonObject, MemberCursor, type ParsedFields, textOf } from '../../../core/sdk/index.ts';
import { unescapeText, unescapeUnicode, unquoteMysql } from './escapes.ts';
import { JsonText, valueOfToken } from './json_text.ts';
import { refuseOption } from './refuse_option.ts';

type Decoder = 'json' | 'escaped' | 'escaped_utf8' | 'mysql_quoted';
type Action = 'none' | 'try_next' | 'do_next';

interface DecoderRule {
  readonly decoder: Decoder;
  readonly field: string;
  readonly action: Action;
}

const decoders: readonly string[] = ['json', 'escaped', 'escaped_utf8', 'mysql_quoted'];
const actions: readonly string[] = ['try_next', 'do_next'];

/** Reads `decoder field [action]` entries. What is wrong goes to `report`, as one sentence each.
 *  Errors: SLUICE_OPTION_INVALID, without a `report`. */
export function readDecoderRules(
  entries: readonly string[],
  report: (message: string) => void = refuseOption,
): DecoderRule[] {
  const rules: DecoderRule[] = [];
  for (const entry of entries) {
    const [decoder = '', field, action, ...rest] = entry.trim().split(/\s+/);
    const known = decoders.includes(decoder.toLowerCase());
    const knownAction = action === undefined || actions.includes(action.toLowerCase());
    if (!known || field === undefined || !knownAction || rest.length > 0) {
      report(
        `"${entry}" is no decoder: write "json FIELD", the decoder json, escaped, escaped_utf8 or mysql_quoted, then try_next or do_next where wanted.`,
      );
      continue;
    }
    // Both words were found in their lists.
    rules.push({
      decoder: decoder.toLowerCase() as Decoder,
      field,
      action: (action?.toLowerCase() ?? 'none') as Action,
    });
  }
  return rules;
}

/** Decodes fields that hold encoded text. `decode_field_as` puts what it finds in the field's
 *  place; `decode_field` keeps the field and adds the members of the object that it finds. */
export class FieldDecoders {
  private readonly replacing: readonly DecoderRule[][];
  private readonly adding: readonly DecoderRule[][];
  private readonly cursor = new MemberCursor();

  constructor(decodeField: readonly string[], decodeFieldAs: readonly string[]) {
    this.replacing = byField(readDecoderRules(decodeFieldAs));
    this.adding = byField(readDecoderRules(decodeField));
  }

  apply(fields: ParsedFields): void {
    for (const rules of this.replacing) this.decode(fields, rules, true);
    for (const rules of this.adding) this.decode(fields, rules, false);
  }

  private decode(fields: ParsedFields, rules: readonly DecoderRule[], replaces: boolean): void {
    const position = lastPositionOf(fields, rules[0]!.field);
    if (position < 0) return;
    let text = fields.values[position];
    for (const rule of rules) {
      if (typeof text !== 'string') return;
      const decoded = decodeText(rule.decoder, text);
      if (decoded !== undefined) {
        text = decoded;
        if (replaces) fields.values[position] = decoded;
        else if (decoded instanceof JsonText) this.addMembers(fields, decoded.json);
      }
      const goesOn =
        rule.action === 'do_next' || (rule.action === 'try_next' && decoded === undefined);
      if (!goesOn) return;
    }
  }

  private addMembers(fields: ParsedFields, json: string): void {
    if (json.trimStart().charCodeAt(0) !== 0x7b) return;
    readMembers(Buffer.from(json), this.cursor, fields);
  }
}

/** Adds the members of a valid JSON object to `fields`. */
export function readMembers(json: Buffer, cursor: MemberCursor, fields: ParsedFields): void {
  cursor.start(json, 0);
  while (cursor.next()) {
    fields.set(cursor.keyText(), valueOfToken(textOf(json, cursor.valueStart, cursor.valueEnd)));
  }
}

function byField(rules: readonly DecoderRule[]): DecoderRule[][] {
  const groups = new Map<string, DecoderRule[]>();
  for (const rule of rules) {
    const group = groups.get(rule.field) ?? [];
    group.push(rule);
    groups.set(rule.field, group);
  }
  return [...groups.values()];
}

function lastPositionOf(fields: ParsedFields, key: string): number {
  let position = fields.count - 1;
  while (position >= 0 && fields.keys[position] !== key) position--;
  return position;
}

function decodeText(decoder: Decoder, text: string): string | JsonText | undefined {
  switch (decoder) {
    case 'json':
      return decodeJson(text);
    case 'escaped':
      return unescapeText(text);
    case 'escaped_utf8':
      return unescapeUnicode(text);
    case 'mysql_quoted':
      return unquoteMysql(text);
  }
}

function decodeJson(text: string): JsonText | undefined {
  const first = text.trimStart().charCodeAt(0);
  if (first !== 0x7b && first !== 0x5b) return undefined;
  // An array is valid when an object around it is; parsed alone, it cannot end that object early.
  const object = Buffer.from(first === 0x7b ? text : `{"":${text}}`);
  if (!isJsonObject(object, 0, object.length)) return undefined;
  if (first === 0x5b && !isJson(text)) return undefined;
  return new JsonText(text.trim());
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
