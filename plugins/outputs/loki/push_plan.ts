import type { Chunk, RejectedRecord } from '../../../core/sdk/index.ts';
import { nanosText, type StreamEntries } from './push_format.ts';
import { splitKey } from './streams.ts';

/** Refused pushes after which what is left goes in halves. */
const wholeTriesMax = 4;

/** Records of one tenant and a few streams, by their indices in the chunk, ascending. */
export interface PushGroup {
  readonly tenant: string;
  readonly indices: readonly number[];
}

/** Cuts a chunk into groups of at most `streamsMax` streams of one tenant. */
export function groupsOf(chunk: Chunk, streamsMax: number): PushGroup[] {
  const groups: PushGroup[] = [];
  const open = new Map<string, { streams: number; indices: number[] }>();
  let at = 0;
  for (const { key, count } of chunk.sections) {
    const { tenant } = splitKey(key);
    let group = open.get(tenant);
    if (group === undefined || group.streams === streamsMax) {
      group = { streams: 0, indices: [] };
      open.set(tenant, group);
      groups.push({ tenant, indices: group.indices });
    }
    group.streams++;
    for (let i = 0; i < count; i++) group.indices.push(at++);
  }
  return groups;
}

/** What of a group is still to push, and what was refused.
 *
 *  Loki stores what it can of a push and describes the rest in words, and not all of it. So a
 *  refused push is sent again in parts, until what is refused stands alone: entries that the answer
 *  names by their time go alone at once. An entry that was stored already is dropped by Loki when
 *  it comes again. */
export class PushPlan {
  readonly rejected: RejectedRecord[] = [];
  readonly retry: number[] = [];
  private readonly chunk: Chunk;
  private readonly pieces: (readonly number[])[];
  private failures = 0;

  constructor(chunk: Chunk, group: PushGroup) {
    this.chunk = chunk;
    this.pieces = [group.indices];
  }

  /** The records to push next; undefined when all is settled. */
  get next(): readonly number[] | undefined {
    return this.pieces[0];
  }

  taken(): void {
    this.pieces.shift();
  }

  /** All that is left has to be pushed again later. */
  later(): void {
    for (const piece of this.pieces.splice(0)) this.retry.push(...piece);
  }

  /** Some of the next records are refused; `times` are those that the answer names. */
  someRefused(times: ReadonlySet<string>, reason: string, status: number): void {
    const piece = this.pieces.shift()!;
    if (piece.length === 1) {
      this.rejected.push({ index: piece[0]!, reason, status });
      return;
    }
    this.failures++;
    const suspects: number[] = [];
    const rest: number[] = [];
    for (const index of piece) (this.isNamed(index, times) ? suspects : rest).push(index);
    const parts: (readonly number[])[] = suspects.map((index) => [index]);
    const isWhole = suspects.length > 0 && this.failures <= wholeTriesMax;
    parts.push(...(isWhole ? [rest] : halves(rest)));
    this.put(parts);
  }

  /** The next records are too much at once. */
  tooLarge(reason: string, status: number): void {
    const piece = this.pieces.shift()!;
    if (piece.length > 1) this.put(halves(piece));
    else this.rejected.push({ index: piece[0]!, reason, status, code: 'SLUICE_RECORD_TOO_LARGE' });
  }

  private put(parts: readonly (readonly number[])[]): void {
    this.pieces.unshift(...parts.filter((part) => part.length > 0));
  }

  private isNamed(index: number, times: ReadonlySet<string>): boolean {
    if (times.size === 0) return false;
    const { seconds, nanos } = this.chunk.originAt(index);
    return times.has(nanosText(seconds, nanos));
  }
}

/** The streams of some records: neighbours in a section stay one slice of its bytes. */
export function streamsOf(chunk: Chunk, indices: readonly number[]): StreamEntries[] {
  const streams: StreamEntries[] = [];
  let first = 0;
  let at = 0;
  for (const { key, count, ends, writer } of chunk.sections) {
    const entries: Buffer[] = [];
    while (at < indices.length && indices[at]! < first + count) {
      const from = indices[at]! - first;
      let to = from + 1;
      at++;
      while (at < indices.length && to < count && indices[at] === first + to) {
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
