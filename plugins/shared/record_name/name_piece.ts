import {
  compileDatePattern,
  compileStrftime,
  type Field,
  fieldOf,
  type Template,
} from '../../../core/sdk/index.ts';

/** A part of a name that is made for each record. */
export type NamePiece =
  | { readonly kind: 'text'; readonly text: string }
  /** From the record's time, or from the clock whatever that is. */
  | {
      readonly kind: 'date';
      readonly format: (seconds: number, nanos: number) => string;
      readonly isOfClock?: boolean;
    }
  | { readonly kind: 'field'; readonly field: Field; readonly adapt?: (value: string) => string }
  | { readonly kind: 'tag' }
  /** The part of the tag with this index, split at dots. */
  | { readonly kind: 'tagPart'; readonly index: number };

/** The pieces of a template. With `strftime`, `%Y` and its like in the plain text are dates too, as
 *  in Fluent Bit's index names. Errors: SLUICE_DATE_FORMAT_INVALID. */
export function namePieces(template: Template, strftime = false): NamePiece[] {
  return template.parts.flatMap((part) => piecesOf(part, strftime));
}

function piecesOf(part: Template['parts'][number], strftime: boolean): NamePiece[] {
  switch (part.kind) {
    case 'literal':
      return strftime ? textPieces(part.text) : [{ kind: 'text', text: part.text }];
    case 'date':
      return [{ kind: 'date', format: compileDatePattern(part.pattern) }];
    case 'field':
      return [{ kind: 'field', field: fieldOf(part.field.keys, part.field.literal) }];
    case 'tag':
      return [{ kind: 'tag' }];
    case 'tagPart':
      return [{ kind: 'tagPart', index: part.index }];
  }
}

function textPieces(text: string): NamePiece[] {
  const at = text.search(/%[A-Za-z]/);
  if (at < 0) return [{ kind: 'text', text }];
  const date: NamePiece = { kind: 'date', format: compileStrftime(text.slice(at)) };
  return at === 0 ? [date] : [{ kind: 'text', text: text.slice(0, at) }, date];
}

/** The text that every name of these pieces begins with. */
export function staticPrefix(pieces: readonly NamePiece[]): string {
  let prefix = '';
  for (const piece of pieces) {
    if (piece.kind !== 'text') break;
    prefix += piece.text;
  }
  return prefix;
}

/** True when the name is the same for every record. */
export function isStaticName(pieces: readonly NamePiece[]): boolean {
  return pieces.every((piece) => piece.kind === 'text');
}

/** True when what a record or its sender says becomes part of the name. */
export function isNamedByRecords(pieces: readonly NamePiece[]): boolean {
  return pieces.some((piece) => piece.kind !== 'text' && piece.kind !== 'date');
}
