import { isAbsolute, join, normalize, sep } from 'node:path';
import {
  type Batch,
  compileDatePattern,
  compileTemplate,
  type Field,
  fieldOf,
  renderTemplate,
  type Template,
  type TemplateSource,
} from '../../../core/sdk/index.ts';
import { cutToBytes } from '../../shared/record_name/record_name.ts';

/** Stands in a name for what a record does not have. */
export const missingPiece = 'unnamed';

/** Bytes of what one value brings into a name. */
const pieceBytesMax = 200;
/** Bytes of a name within its directory: file systems take 255, and a renamed file gets a number. */
const nameBytesMax = 240;

/** Works out which file a record goes to. Whatever the record holds or lacks, the name begins with
 *  what the template begins with and stays below the directory: separators and leading dots in
 *  values are replaced, long values cut, missing and empty ones are `unnamed`. */
export class FileName implements TemplateSource {
  private readonly template: Template;
  private readonly fields = new Map<unknown, Field>();
  private readonly dates = new Map<string, (seconds: number, nanos: number) => string>();
  private batch!: Batch;
  private index = 0;

  constructor(text: string) {
    this.template = compileTemplate(text);
    for (const path of this.template.fields) {
      this.fields.set(path, fieldOf(path.keys, path.literal));
    }
    for (const part of this.template.parts) {
      if (part.kind === 'date') this.dates.set(part.pattern, compileDatePattern(part.pattern));
    }
  }

  /** True when what a record or its sender says becomes part of the name. */
  get isOfRecords(): boolean {
    return this.template.parts.some((part) => part.kind !== 'literal' && part.kind !== 'date');
  }

  of(batch: Batch, index: number): string {
    this.batch = batch;
    this.index = index;
    return confinedPath(renderTemplate(this.template, this) ?? missingPiece);
  }

  get tag(): string {
    return safePiece(this.batch.tagName(this.index));
  }

  get(path: unknown): unknown {
    const value = this.batch.valueAt(this.index, this.fields.get(path)!);
    const isScalar = value !== undefined && value !== null && typeof value !== 'object';
    return isScalar ? safePiece(String(value)) : missingPiece;
  }

  formatTime(pattern: string): string {
    const seconds = this.batch.seconds[this.index]!;
    return safePiece(this.dates.get(pattern)!(seconds, this.batch.nanos[this.index]!));
  }
}

/** A value as one piece of a file name. */
function safePiece(value: string): string {
  // A half of a character would be replaced on the way to the disk: two names might become one.
  const piece = value.replace(/[/\\\p{Cc}\p{Cs}:*?"<>|]/gu, '_').replace(/^\.+/, '_');
  return piece === '' ? missingPiece : cutToBytes(piece, pieceBytesMax);
}

/** The configured part of a name may have directories; none of it leads upwards. */
function confinedPath(name: string): string {
  const normal = normalize(name);
  const leaves = normal === '..' || normal.startsWith(`..${sep}`) || isAbsolute(normal);
  if (leaves || normal === '.') return missingPiece;
  const parts = normal
    .split(sep)
    .map((part) => cutToBytes(deviceName.test(part) ? `_${part}` : part, nameBytesMax));
  // An empty value left a directory without a file.
  return parts.at(-1) === '' ? join(...parts, missingPiece) : parts.join(sep);
}

/** Windows opens a device for these, whatever stands behind a dot. */
const deviceName = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;
