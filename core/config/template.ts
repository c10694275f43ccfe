import { type FieldPath, scanFieldPath } from './field_path.ts';
import { SourceError } from './source_error.ts';

export type TemplatePart =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'field'; readonly field: FieldPath }
  /** A Joda date pattern, such as `YYYY.MM.dd`, over the time of the record. */
  | { readonly kind: 'date'; readonly pattern: string }
  | { readonly kind: 'tag' }
  /** The part of the tag with this index, counted from 0, split at dots. */
  | { readonly kind: 'tagPart'; readonly index: number };

/** A text with references, such as `logs-%{[service][name]}-%{+YYYY.MM.dd}`. */
export interface Template {
  readonly source: string;
  readonly parts: readonly TemplatePart[];
  /** The text before the first reference: what a rendered value always begins with. */
  readonly staticPrefix: string;
  /** True when there is no reference at all. */
  readonly isStatic: boolean;
  /** The fields read, each once: the same objects that stand in `parts`. */
  readonly fields: readonly FieldPath[];
}

/** What a template reads while it is rendered for one record. */
export interface TemplateSource {
  readonly tag: string;
  get(field: FieldPath): unknown;
  formatTime(pattern: string): string;
}

const textLengthMax = 4096;
const partsMax = 64;

/** Parses a template: `%{field}`, `%{[a][b]}`, `%{+YYYY.MM.dd}`, `$key`, `$key['a']`, `$TAG`, `$TAG[1]`.
 *  `$$` writes a dollar, `%%{` writes `%{`; a dollar before anything but a name stands for itself.
 *  Errors: SLUICE_OPTION_INVALID, as a SourceError with the column. Limits: 4,096 characters, 64 parts. */
export function compileTemplate(text: string): Template {
  if (text.length > textLengthMax) {
    throw templateError(`The template is longer than ${textLengthMax} characters.`, textLengthMax);
  }
  const parts: TemplatePart[] = [];
  const fields = new Map<string, FieldPath>();
  let literal = '';
  let at = 0;
  while (at < text.length) {
    const scan = scanPart(text, at);
    at = scan.end;
    if (scan.part.kind === 'literal') {
      literal += scan.part.text;
      continue;
    }
    if (literal !== '') parts.push({ kind: 'literal', text: literal });
    literal = '';
    parts.push(scan.part.kind === 'field' ? onceNamed(scan.part.field, fields) : scan.part);
  }
  if (literal !== '' || parts.length === 0) parts.push({ kind: 'literal', text: literal });
  if (parts.length > partsMax) {
    throw templateError(`The template has more than ${partsMax} parts.`, 0);
  }
  const first = parts[0]!;
  return {
    source: text,
    parts,
    staticPrefix: first.kind === 'literal' ? first.text : '',
    isStatic: parts.length === 1 && first.kind === 'literal',
    fields: [...fields.values()],
  };
}

/** Renders a template for one record; undefined when a field is missing or is no scalar. */
export function renderTemplate(template: Template, source: TemplateSource): string | undefined {
  let text = '';
  for (const part of template.parts) {
    const piece = renderPart(part, source);
    if (piece === undefined) return undefined;
    text += piece;
  }
  return text;
}

function renderPart(part: TemplatePart, source: TemplateSource): string | undefined {
  switch (part.kind) {
    case 'literal':
      return part.text;
    case 'date':
      return source.formatTime(part.pattern);
    case 'tag':
      return source.tag;
    case 'tagPart':
      return source.tag.split('.')[part.index];
    case 'field': {
      const value = source.get(part.field);
      if (value === undefined || value === null || typeof value === 'object') return undefined;
      return String(value);
    }
  }
}

interface PartScan {
  readonly part: TemplatePart;
  readonly end: number;
}

function scanPart(text: string, at: number): PartScan {
  if (text.startsWith('%%{', at)) return { part: { kind: 'literal', text: '%{' }, end: at + 3 };
  if (text.startsWith('$$', at)) return { part: { kind: 'literal', text: '$' }, end: at + 2 };
  if (text.startsWith('%{', at)) return scanPercent(text, at);
  if (text[at] === '$' && /^(?:[\p{L}_@]|\[['"])/u.test(text.slice(at + 1, at + 3))) {
    return scanDollar(text, at);
  }
  return { part: { kind: 'literal', text: text[at]! }, end: at + 1 };
}

function scanPercent(text: string, at: number): PartScan {
  const close = text.indexOf('}', at);
  if (close < 0) throw templateError('The template has a %{ without its }.', at, '}');
  const inner = text.slice(at + 2, close);
  const end = close + 1;
  if (inner.startsWith('+')) {
    if (inner.length === 1) {
      throw templateError('The template has an empty date pattern.', at + 3, 'such as YYYY.MM.dd');
    }
    return { part: { kind: 'date', pattern: inner.slice(1) }, end };
  }
  try {
    const scan = scanFieldPath(inner, 0, 'whole');
    if (scan.end === inner.length) return { part: { kind: 'field', field: scan.path }, end };
    throw templateError(
      `The template has ${JSON.stringify(inner.slice(scan.end))} after a field.`,
      at + 2 + scan.end,
      '}',
    );
  } catch (error) {
    throw shiftError(error, inner, at + 2);
  }
}

function scanDollar(text: string, at: number): PartScan {
  const tag = /\$TAG(?:\[(\d{1,4})\])?(?![\p{L}\p{N}_@])/uy;
  tag.lastIndex = at;
  const match = tag.exec(text);
  if (match !== null) {
    const [whole, index] = match;
    const end = at + whole.length;
    if (index === undefined) return { part: { kind: 'tag' }, end };
    return { part: { kind: 'tagPart', index: Number(index) }, end };
  }
  const scan = scanFieldPath(text, at, 'segment');
  return { part: { kind: 'field', field: scan.path }, end: scan.end };
}

/** Moves an error inside `%{…}` to its column in the template; other errors stay as they are. */
function shiftError(error: unknown, inner: string, offset: number): unknown {
  if (!(error instanceof SourceError) || error.column > inner.length + 1) return error;
  if (error.message.startsWith('The template')) return error;
  return templateError(error.message, offset + error.column - 1, error.expected);
}

/** A field that is named twice is one object in every place: sources know fields by identity. */
function onceNamed(field: FieldPath, fields: Map<string, FieldPath>): TemplatePart {
  const text = JSON.stringify(field);
  const known = fields.get(text);
  if (known === undefined) fields.set(text, field);
  return { kind: 'field', field: known ?? field };
}

function templateError(message: string, offset: number, expected?: string): SourceError {
  return new SourceError('SLUICE_OPTION_INVALID', message, { column: offset + 1, expected });
}
