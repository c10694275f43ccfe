import type { Chunk, RejectedRecord } from '../../../core/sdk/index.ts';
import type { StreamEntries } from './push_format.ts';
import { nanosText } from './push_format.ts';
import { splitKey } from './streams.ts';

/** Refused pushes of a chunk after which what is left goes in halves. */
const wholeTriesMax = 4;

/** Records of one tenant that are pushed together, by their indices in the chunk, ascending. */
export interface Piece {
  readonly tenant: string;
  readonly indices: readonly number[];
}

/** What of a chunk is still to push, and what was refused.
 *
 *  Loki stores what it can of a push and describes the rest in words, and not all of it. So a
 *  refused push is sent again in parts, until what is refused stands alone: entries that the answer
 *  names by their time go alone at once. An entry that was stored already is dropped by Loki when
 *  it comes again. */
export class PushPlan {
  readonly rejected: RejectedRecord[] = [];
  readonly retry: number[] = [];
  private readonly chunk: Chunk;
  private readonly pieces: Piece[];
  private failures = 0;

  constructor(chunk: Chunk) {
    this.chunk = chunk;
    const byTenant = new Map<string, number[]>();
    let at = 0;
    for (const section of chunk.sections) {
      const { tenant } = splitKey(section.key);
      const indices = byTenant.get(tenant) ?? [];
      byTenant.set(tenant, indices);
      for (let i = 0; i < section.count; i++) indices.push(at++);
    }
    this.pieces = [...byTenant].map(([tenant, indices]) => ({ tenant, indices }));
  }

  /** The piece to push next; undefined when all is settled. */
  get next(): Piece | undefined {
    return this.pieces[0];
  }

  taken(): void {
    this.pieces.shift();
  }

  /** The next piece has to be pushed again later. */
  later(): void {
    this.retry.push(...this.pieces.shift()!.indices);
  }

  allLater(): void {
    while (this.pieces.length > 0) this.later();
  }

  /** Some records of the next piece are refused; `times` are those that the answer names. */
  someRefused(times: ReadonlySet<string>, reason: string, status: number): void {
    const { tenant, indices } = this.pieces.shift()!;
    if (indices.length === 1) {
      this.rejected.push({ index: indices[0]!, reason, status });
      return;
    }
    this.failures++;
    const suspects: number[] = [];
    const rest: number[] = [];
    for (const index of indices) (this.isNamed(index, times) ? suspects : rest).push(index);
    const parts: (readonly number[])[] = suspects.map((index) => [index]);
    const isWhole = suspects.length > 0 && this.failures <= wholeTriesMax;
    parts.push(...(isWhole ? [rest] : halves(rest)));
    this.put(tenant, parts);
  }

  /** The next piece is too much at once. */
  tooLarge(reason: string, status: number): void {
    const { tenant, indices } = this.pieces.shift()!;
    if (indices.length > 1) this.put(tenant, halves(indices));
    else {
      const code = 'SLUICE_RECORD_TOO_LARGE';
      this.rejected.push({ index: indices[0]!, reason, status, code });
    }
  }

  private put(tenant: string, parts: readonly (readonly number[])[]): void {
    const pieces = parts.filter((part) => part.length > 0).map((indices) => ({ tenant, indices }));
    this.pieces.unshift(...pieces);
  }

  private isNamed(index: number, times: ReadonlySet<string>): boolean {
    if (times.size === 0) return false;
    const { seconds, nanos } = this.chunk.originAt(index);
    return times.has(nanosText(seconds, nanos));
  }
}

/** The streams of a piece: neighbours in a section stay one slice of its bytes. */
export function streamsOf(chunk: Chunk, piece: Piece): StreamEntries[] {
  const streams: StreamEntries[] = [];
  let first = 0;
  let at = 0;
  for (const { key, count, ends, writer } of chunk.sections) {
    const entries: Buffer[] = [];
    while (at < piece.indices.length && piece.indices[at]! < first + count) {
      const from = piece.indices[at]! - first;
      let to = from + 1;
      at++;
      while (at < piece.indices.length && piece.indices[at] === first + to && to < count) {
        to++;
        at++;
      }
      entries.push(writer.buffer.subarray(from === 0 ? 0 : ends[from - 1]!, ends[to - 1]!));
    }
    if (entries.length > 0) streams.push({ labels: splitKey(key).labels, entries });
    first += count;
  }
  return streams;
}

function halves(indices: readonly number[]): (readonly number[])[] {
  const middle = indices.length >> 1;
  return [indices.slice(0, middle), indices.slice(middle)];
}
