import type { Batch } from '../../../core/sdk/index.ts';
import { TextTemplate } from './text_template.ts';

type Piece = (batch: Batch, index: number) => string;

/** A list or an object with `%{field}` in its texts, at any depth; keys stay as they are. */
export class ValueTemplate {
  private readonly piece: Piece;

  private constructor(piece: Piece) {
    this.piece = piece;
  }

  /** Undefined when the value is no list or object, or has no references: then it is a constant.
   *  Errors: as of `TextTemplate`. */
  static of(value: unknown): ValueTemplate | undefined {
    if (typeof value !== 'object' || value === null) return undefined;
    const piece = pieceOf(value);
    return piece === undefined ? undefined : new ValueTemplate(piece);
  }

  /** The value as JSON. */
  render(batch: Batch, index: number): string {
    return this.piece(batch, index);
  }
}

/** Undefined: nothing in the value depends on the event. */
function pieceOf(value: unknown): Piece | undefined {
  if (typeof value === 'string') {
    const template = new TextTemplate(value);
    if (template.constant !== undefined) return undefined;
    return (batch, index) => JSON.stringify(template.render(batch, index));
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const isList = Array.isArray(value);
  const members = Object.entries(value);
  const pieces = members.map(([, member]) => pieceOf(member));
  if (!pieces.some((piece) => piece !== undefined)) return undefined;
  const parts = members.map(([key, member], i) => {
    const before = `${i === 0 ? '' : ','}${isList ? '' : `${JSON.stringify(key)}:`}`;
    return { before, constant: constantJson(member), piece: pieces[i] };
  });
  return (batch, index) => {
    let json = isList ? '[' : '{';
    for (const { before, constant, piece } of parts) {
      json += before + (piece === undefined ? constant : piece(batch, index));
    }
    return json + (isList ? ']' : '}');
  };
}

/** A text without references may still have had an escape. */
function constantJson(value: unknown): string {
  const text = typeof value === 'string' ? new TextTemplate(value).constant : undefined;
  return JSON.stringify(text ?? value) ?? 'null';
}
