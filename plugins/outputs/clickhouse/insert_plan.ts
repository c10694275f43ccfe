import type { Chunk, ChunkSection, RejectedRecord } from '../../../core/sdk/index.ts';

/** Failed inserts of a chunk after which the rest is no longer sent as a whole. */
const wholeTriesMax = 8;

/** Records of one section that are inserted together. */
export interface Piece {
  readonly table: string;
  /** Names these very records, on every try: the server's token for deduplication. */
  readonly token: string;
  readonly count: number;
  body(): Buffer;
  recordAt(at: number): Buffer;
  /** Index in the chunk of the piece's record `at`. */
  indexAt(at: number): number;
}

/** What of a chunk is still to insert, and what was refused.
 *
 *  First every section goes as a whole. When a row is refused, it is taken out and the rest goes
 *  again; after a few of those, or when the row is not known, in halves. Which pieces come to be
 *  depends on the server's answers about rows alone, so that a chunk that is sent again goes in the
 *  same pieces with the same tokens. */
export class InsertPlan {
  readonly rejected: RejectedRecord[] = [];
  private readonly chunk: Chunk;
  private readonly pieces: Piece[];
  private failures = 0;

  constructor(chunk: Chunk) {
    this.chunk = chunk;
    let first = 0;
    this.pieces = chunk.sections.map((section) => {
      const piece = wholePiece(chunk, section, first);
      first += section.count;
      return piece;
    });
  }

  /** The piece to insert next; undefined when all is settled. */
  get next(): Piece | undefined {
    return this.pieces[0];
  }

  /** The next piece was inserted. */
  inserted(): void {
    this.pieces.shift();
  }

  /** Record `at` of the next piece is refused; undefined: some record is. */
  refuse(at: number | undefined, reason: string, status: number): void {
    const piece = this.pieces.shift()!;
    this.failures++;
    const isKnown = at !== undefined && at >= 0 && at < piece.count;
    const culprit = isKnown ? at : piece.count === 1 ? 0 : undefined;
    if (culprit !== undefined) {
      this.rejected.push({ index: piece.indexAt(culprit), reason, status });
    }
    const rest: number[] = [];
    for (let i = 0; i < piece.count; i++) if (i !== culprit) rest.push(piece.indexAt(i));
    if (culprit !== undefined && this.failures <= wholeTriesMax) this.put(piece.table, [rest]);
    else this.put(piece.table, halves(rest));
  }

  /** The next piece is too much at once. */
  tooLarge(reason: string, status: number): void {
    const piece = this.next!;
    if (piece.count === 1) this.refuse(0, reason, status);
    else {
      this.pieces.shift();
      this.put(
        piece.table,
        halves(Array.from({ length: piece.count }, (_, i) => piece.indexAt(i))),
      );
    }
  }

  private put(table: string, parts: readonly (readonly number[])[]): void {
    const pieces = parts.filter((part) => part.length > 0);
    this.pieces.unshift(...pieces.map((part) => partPiece(this.chunk, table, part)));
  }
}

function wholePiece(chunk: Chunk, section: ChunkSection, first: number): Piece {
  const last = first + section.count - 1;
  return {
    table: section.key,
    token: chunk.sections.length === 1 ? chunk.id : `${chunk.id}.${first}-${last}`,
    count: section.count,
    body: () => section.writer.view(),
    recordAt: (at) => chunk.recordAt(first + at),
    indexAt: (at) => first + at,
  };
}

function partPiece(chunk: Chunk, table: string, indices: readonly number[]): Piece {
  let part: Chunk | undefined;
  const subset = (): Chunk => {
    part ??= chunk.subset(indices);
    return part;
  };
  return {
    table,
    get token() {
      return subset().id;
    },
    count: indices.length,
    body: () => subset().body(),
    recordAt: (at) => chunk.recordAt(indices[at]!),
    indexAt: (at) => indices[at]!,
  };
}

function halves(indices: readonly number[]): number[][] {
  const middle = indices.length >> 1;
  return [indices.slice(0, middle), indices.slice(middle)];
}
