import {
  type CompiledRegex,
  compileTemplate,
  fieldOf,
  type Field,
  SluiceError,
} from '../../../core/sdk/index.ts';
import { compileRuleRegex, takeWord, unquoted } from '../../shared/values/rule_text.ts';

/** A piece of a new tag. */
export type TagPiece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'group'; readonly group: number }
  | { readonly kind: 'field'; readonly field: Field }
  | { readonly kind: 'tag' }
  | { readonly kind: 'tagPart'; readonly index: number };

export interface RewriteRule {
  readonly key: string;
  readonly regex: CompiledRegex;
  readonly tag: readonly TagPiece[];
  readonly keep: boolean;
}

const shape = 'KEY REGEX NEW_TAG KEEP, such as "$level ^error$ errors.$TAG false"';

/** Parses a rule. The expression may have spaces: the key is the first word, the new tag and KEEP
 *  are the last two. Errors: SLUICE_OPTION_INVALID, SLUICE_REGEX_INVALID. */
export function parseRule(text: string): RewriteRule {
  const { head: key, rest } = takeWord(text);
  const match = /^([\s\S]*\S)\s+(\S+)\s+(true|false|on|off|yes|no)$/i.exec(rest);
  if (key === '' || match === null) {
    throw new SluiceError(
      'SLUICE_OPTION_INVALID',
      `"${text.slice(0, 80)}" is no rule: write it as ${shape}.`,
    );
  }
  const [, expression, tag, keep] = match as unknown as [string, string, string, string];
  return {
    key,
    regex: compileRuleRegex(unquoted(expression)),
    tag: tagPieces(unquoted(tag)),
    keep: /^(?:true|on|yes)$/i.test(keep),
  };
}

/** Cuts a new tag at `$0` to `$9`; the pieces between are templates. */
function tagPieces(text: string): TagPiece[] {
  return text.split(/(\$\d)/).flatMap((part): TagPiece[] => {
    if (part === '') return [];
    if (/^\$\d$/.test(part)) return [{ kind: 'group', group: Number(part[1]) }];
    return compileTemplate(part).parts.map((piece): TagPiece => {
      if (piece.kind === 'literal') return { kind: 'text', text: piece.text };
      if (piece.kind === 'tag') return piece;
      if (piece.kind === 'tagPart') return piece;
      if (piece.kind === 'field') {
        return { kind: 'field', field: fieldOf(piece.field.keys, piece.field.literal) };
      }
      throw new SluiceError('SLUICE_OPTION_INVALID', 'A new tag cannot have a date in it.');
    });
  });
}
