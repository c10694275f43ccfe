import {
  type Batch,
  compileDatePattern,
  compileTemplate,
  type Field,
  fieldOf,
} from '../../../core/sdk/index.ts';

type Piece = (batch: Batch, index: number) => string;

/** A text with Logstash's references: `%{field}`, `%{[a][b]}`, `%{+YYYY.MM.dd}`. A dollar is only a
 *  dollar here. What an event does not have stays as it is written, `%{field}`.
 *  Errors: SLUICE_OPTION_INVALID, SLUICE_DATE_FORMAT_INVALID. */
export class TextTemplate {
  /** The text itself when it has no references. */
  readonly constant: string | undefined;
  private readonly pieces: readonly Piece[];

  constructor(text: string) {
    if (!text.includes('%{')) {
      this.constant = text;
      this.pieces = [];
      return;
    }
    const escaped = text.replace(/%\{[^}]*\}|\$/g, (found) => (found === '$' ? '$$' : found));
    const template = compileTemplate(escaped);
    this.constant = template.isStatic ? template.staticPrefix : undefined;
    this.pieces = template.isStatic
      ? []
      : template.parts.map((part): Piece => {
          if (part.kind === 'literal') return () => part.text;
          if (part.kind === 'date') {
            const format = compileDatePattern(part.pattern);
            return (batch, index) => format(batch.seconds[index]!, batch.nanos[index]!);
          }
          if (part.kind === 'field')
            return fieldPiece(fieldOf(part.field.keys, part.field.literal));
          // Dollars are escaped above, so the tag is never asked for.
          return () => '';
        });
  }

  render(batch: Batch, index: number): string {
    let text = this.constant ?? '';
    for (const piece of this.pieces) text += piece(batch, index);
    return text;
  }
}

function fieldPiece(field: Field): Piece {
  const source = `%{${field.literal ?? field.name}}`;
  return (batch, index) => {
    const value = batch.valueAt(index, field);
    if (value === undefined || value === null) return source;
    if (Array.isArray(value)) return value.map(plainText).join(',');
    return typeof value === 'object' ? JSON.stringify(value) : (batch.textAt(index, field) ?? '');
  };
}

function plainText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
