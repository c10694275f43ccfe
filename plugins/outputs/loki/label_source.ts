import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  type Batch,
  compileFieldPath,
  compileTemplate,
  type Field,
  fieldOf,
  messageOf,
  SluiceError,
  valueKind,
} from '../../../core/sdk/index.ts';
import { type NamePiece, namePieces } from '../../shared/record_name/name_piece.ts';
import type { LokiOptions } from './config.ts';

/** A label or a piece of structured metadata: where its value comes from. */
export interface LabelSource {
  readonly name: string;
  /** The value, when it is the same for every record. */
  readonly fixed: string | undefined;
  readonly pieces: readonly NamePiece[];
}

/** Labels that a stream may have (loki: limits_config.max_label_names_per_series). */
export const labelsMax = 15;
const mapBytesMax = 1024 * 1024;

/** The labels that the options ask for. Reads the label map, a piece of configuration like the
 *  pipeline file. Errors: SLUICE_OPTION_INVALID. */
export function labelSources(options: LokiOptions, baseDirectory: string): LabelSource[] {
  const sources = [
    ...parseSources(options.labels, 'labels'),
    ...parseSources(options.label_keys?.map(asReference), 'label_keys'),
    ...readLabelMap(options.label_map_path, baseDirectory),
  ];
  if (sources.length === 0) sources.push({ name: 'job', fixed: 'sluice', pieces: [] });
  const names = new Set<string>();
  for (const { name } of sources) {
    if (names.has(name)) throw invalid(`The label ${name} is there twice: name one of them anew.`);
    names.add(name);
  }
  if (sources.length > labelsMax) {
    throw invalid(
      `There are ${sources.length} labels, and Loki takes ${labelsMax}: make structured_metadata of some.`,
    );
  }
  return sources.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Parses entries like `job=app`, `level=$severity` and `$level`. Errors: SLUICE_OPTION_INVALID. */
export function parseSources(entries: readonly string[] | undefined, key: string): LabelSource[] {
  return (entries ?? []).map((entry) => {
    try {
      return parseSource(entry);
    } catch (error) {
      throw invalid(`${key}: ${JSON.stringify(entry)} cannot be used: ${messageOf(error)}`);
    }
  });
}

function parseSource(entry: string): LabelSource {
  const equals = entry.startsWith('$') ? -1 : entry.indexOf('=');
  if (equals < 0 && !entry.startsWith('$')) {
    throw invalid('Write name=value, name=$field or $field.');
  }
  if (equals < 0) return fieldSource(fieldNamed(entry));
  const name = labelName(entry.slice(0, equals).trim());
  const text = entry.slice(equals + 1).trim();
  if (text === '') throw invalid('The value is empty.');
  const template = compileTemplate(text);
  return {
    name,
    fixed: template.isStatic ? template.staticPrefix : undefined,
    pieces: namePieces(template),
  };
}

function fieldSource(field: Field, name = labelName(field.keys.join('_'))): LabelSource {
  return { name, fixed: undefined, pieces: [{ kind: 'field', field }] };
}

/** `a`, `$a`, `$a['b']`. Errors: SLUICE_OPTION_INVALID. */
export function fieldNamed(text: string): Field {
  const { keys, literal } = compileFieldPath(text);
  return fieldOf(keys, literal);
}

function asReference(text: string): string {
  return text.startsWith('$') ? text : `$${text}`;
}

function readLabelMap(path: string | undefined, baseDirectory: string): LabelSource[] {
  if (path === undefined) return [];
  const file = resolve(baseDirectory, path);
  try {
    const bytes = readFileSync(file);
    if (bytes.length > mapBytesMax) throw invalid(`it has more than ${mapBytesMax} bytes`);
    const map: unknown = JSON.parse(bytes.toString());
    if (!isObject(map)) throw invalid('it is no JSON object');
    return mapSources(map, []);
  } catch (error) {
    throw invalid(`label_map_path ${file} cannot be used: ${messageOf(error)}`);
  }
}

function mapSources(
  map: Readonly<Record<string, unknown>>,
  above: readonly string[],
): LabelSource[] {
  return Object.entries(map).flatMap(([key, value]) => {
    const keys = [...above, key];
    if (typeof value === 'string') return [fieldSource(fieldOf(keys), labelName(value))];
    if (isObject(value) && keys.length < 32) return mapSources(value, keys);
    throw invalid(`${keys.join('.')} is neither a name nor an object`);
  });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Makes a text a name that Loki takes: `[a-zA-Z_][a-zA-Z0-9_]*`. */
export function labelName(text: string): string {
  const clean = text.replace(/[^a-zA-Z0-9_]/g, '_');
  return /^[a-zA-Z_]/.test(clean) ? clean : `_${clean}`;
}

/** The value of a label for one record; undefined when a field is missing or the value empty. */
export function labelValue(source: LabelSource, batch: Batch, index: number): string | undefined {
  // hot path
  if (source.fixed !== undefined) return source.fixed;
  let value = '';
  for (let i = 0; i < source.pieces.length; i++) {
    const piece = pieceValue(source.pieces[i]!, batch, index);
    if (piece === undefined) return undefined;
    value = i === 0 ? piece : value + piece;
  }
  return value === '' ? undefined : value;
}

function pieceValue(piece: NamePiece, batch: Batch, index: number): string | undefined {
  switch (piece.kind) {
    case 'text':
      return piece.text;
    case 'date':
      return piece.format(batch.seconds[index]!, batch.nanos[index]!);
    case 'tag':
      return batch.tagName(index);
    case 'tagPart':
      return batch.tagName(index).split('.')[piece.index];
    case 'field':
      return batch.locate(index, piece.field) ? foundText(batch) : undefined;
  }
}

/** What `locate` found as a text that UTF-8 can hold; null counts as missing. */
function foundText(batch: Batch): string | undefined {
  if (batch.foundKind === valueKind.json && batch.foundBytes[batch.foundStart] === 0x6e) {
    return undefined;
  }
  return wellFormed(batch.foundText());
}

/** JSON escapes can name halves of a character alone; neither UTF-8 nor Loki's labels can. */
export function wellFormed(text: string): string {
  return /[\ud800-\udfff]/.test(text) ? Buffer.from(text).toString() : text;
}

function invalid(message: string): SluiceError {
  return new SluiceError('SLUICE_OPTION_INVALID', message);
}
