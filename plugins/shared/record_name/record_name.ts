import { type Batch, type Clock, type Counter, valueKind } from '../../../core/sdk/index.ts';
import { isStaticName, type NamePiece, staticPrefix } from './name_piece.ts';

/** A destination's name and what is made from it once, such as an encoded header. */
export interface NameEntry<Made> {
  readonly name: string;
  readonly made: Made;
}

export interface RecordNameOptions<Made> {
  readonly pieces: readonly NamePiece[];
  /** Turns a piece that comes from a record into one that is allowed inside a name. */
  clean(piece: string): string;
  /** Of the whole name, in UTF-8. */
  readonly bytesMax: number;
  /** Names in use at a time; one that was not used for `idleMs` makes room. */
  readonly namesMax: number;
  readonly idleMs: number;
  readonly clock: Clock;
  make(name: string): Made;
  /** Records whose field was missing or unfit. */
  readonly missing: Counter;
  /** Records beyond `namesMax`. */
  readonly beyondMax: Counter;
}

/** Stands in a name for what a record does not have. */
export const otherName = 'other';

/** Bytes of one piece in a name, and of a value that is looked at for one. */
const pieceBytesMax = 100;
const valueBytesMax = 1024;

/** Looking for idle names costs a walk over all of them: not for every record. */
const sweepMs = 1000;

interface UsedName<Made> extends NameEntry<Made> {
  usedAtMs: number;
}

/** Makes the name that each record goes to: an index, a table, a file.
 *
 *  Every name begins with the static prefix. A field that is missing, no scalar, empty or longer than
 *  1,024 bytes gives `other` in its place; beyond `namesMax` names the record goes to the prefix and
 *  `other`. Nothing is lost, and both are counted. */
export class RecordName<Made> {
  private readonly options: RecordNameOptions<Made>;
  private readonly names = new Map<string, UsedName<Made>>();
  private readonly fallback: NameEntry<Made>;
  private readonly fixed: NameEntry<Made> | undefined;
  /** Values of the pieces of the record before. */
  private readonly lastValues: (string | undefined)[];
  private lastEntry: NameEntry<Made> | undefined;
  private nextSweepAtMs = 0;
  /** The name is the same throughout a second. */
  private readonly isBySecond: boolean;
  private lastSeconds = Number.NaN;

  constructor(options: RecordNameOptions<Made>) {
    this.options = options;
    const prefix = staticPrefix(options.pieces);
    const entryOf = (name: string) => ({ name, made: options.make(name) });
    this.fallback = entryOf(prefix + otherName);
    this.fixed = isStaticName(options.pieces) ? entryOf(prefix) : undefined;
    this.lastValues = options.pieces.map(() => undefined);
    this.isBySecond = options.pieces.every(isSameAllSecond);
  }

  /** Names in use. */
  get count(): number {
    return this.names.size;
  }

  entryAt(batch: Batch, index: number): NameEntry<Made> {
    // hot path
    if (this.fixed !== undefined) return this.fixed;
    const seconds = batch.seconds[index]!;
    if (this.isBySecond && seconds === this.lastSeconds) return this.lastEntry!;
    const entry = this.entryOf(batch, index);
    // A record without room for its name looks for it again.
    this.lastSeconds = entry === this.fallback ? Number.NaN : seconds;
    return entry;
  }

  private entryOf(batch: Batch, index: number): NameEntry<Made> {
    const pieces = this.options.pieces;
    const last = this.lastValues;
    let isSame = this.lastEntry !== undefined;
    let isMissing = false;
    for (let i = 0; i < pieces.length; i++) {
      const piece = pieces[i]!;
      if (piece.kind === 'text') continue;
      const value = rawValue(piece, batch, index);
      if (value === undefined) isMissing = true;
      if (value !== last[i]) {
        last[i] = value;
        isSame = false;
      }
    }
    if (isMissing) this.options.missing.value++;
    // There may be room by now for a name that had none.
    if (isSame && this.lastEntry !== this.fallback) return this.lastEntry!;
    this.lastEntry = this.find(this.compose());
    return this.lastEntry;
  }

  private compose(): string {
    let name = '';
    for (let i = 0; i < this.options.pieces.length; i++) {
      const piece = this.options.pieces[i]!;
      if (piece.kind === 'text') name += piece.text;
      else name += this.render(piece, this.lastValues[i]);
    }
    return cutToBytes(name, this.options.bytesMax);
  }

  private render(piece: NamePiece, value: string | undefined): string {
    if (piece.kind === 'field' && piece.adapt !== undefined) {
      const clean = value === undefined ? '' : this.cleaned(value);
      return clean === '' ? '' : piece.adapt(clean);
    }
    const clean = value === undefined ? '' : this.cleaned(value);
    return clean === '' ? otherName : clean;
  }

  private cleaned(value: string): string {
    return cutToBytes(this.options.clean(value), pieceBytesMax);
  }

  private find(name: string): NameEntry<Made> {
    const nowMs = this.options.clock.monotonicMs();
    const found = this.names.get(name);
    if (found !== undefined) {
      found.usedAtMs = nowMs;
      return found;
    }
    if (this.names.size >= this.options.namesMax && nowMs >= this.nextSweepAtMs) {
      this.nextSweepAtMs = nowMs + sweepMs;
      this.forgetIdle(nowMs);
    }
    if (this.names.size >= this.options.namesMax) {
      this.options.beyondMax.value++;
      return this.fallback;
    }
    const entry = { name, made: this.options.make(name), usedAtMs: nowMs };
    this.names.set(name, entry);
    return entry;
  }

  private forgetIdle(nowMs: number): void {
    for (const [name, entry] of this.names) {
      if (nowMs - entry.usedAtMs > this.options.idleMs) this.names.delete(name);
    }
  }
}

function rawValue(piece: NamePiece, batch: Batch, index: number): string | undefined {
  switch (piece.kind) {
    case 'date':
      return piece.format(batch.seconds[index]!, batch.nanos[index]!);
    case 'field':
      return batch.locate(index, piece.field) ? scalarText(batch) : undefined;
    case 'tag':
      return batch.tagName(index);
    case 'tagPart':
      return batch.tagName(index).split('.')[piece.index];
    default:
      return undefined;
  }
}

function isSameAllSecond(piece: NamePiece): boolean {
  if (piece.kind === 'text') return true;
  if (piece.kind !== 'date' || piece.isOfClock === true) return false;
  return piece.format(0, 0) === piece.format(0, 999_999_999);
}

/** What `locate` found, unless it is an object, an array, null or too long. */
function scalarText(batch: Batch): string | undefined {
  if (batch.foundEnd - batch.foundStart > valueBytesMax) return undefined;
  if (batch.foundKind === valueKind.json) {
    const first = batch.foundBytes[batch.foundStart]!;
    if (first === 0x7b || first === 0x5b || first === 0x6e) return undefined;
  }
  return batch.foundText();
}

/** Cuts a text to at most so many bytes of UTF-8, between characters. */
export function cutToBytes(text: string, bytesMax: number): string {
  if (text.length * 3 <= bytesMax) return text;
  const bytes = Buffer.from(text);
  if (bytes.length <= bytesMax) return text;
  let end = bytesMax;
  while (end > 0 && (bytes[end]! & 0xc0) === 0x80) end--;
  return bytes.toString('utf8', 0, end);
}
