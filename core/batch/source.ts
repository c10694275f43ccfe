/** Where events come from: a file from its first byte until it is truncated or replaced, a
 *  channel, a connection. Positions of one generation only grow. */
export interface Source {
  /** What a person calls it: a path, an address. */
  readonly name: string;
  /** Id of the input that reads it. */
  readonly inputId: string;
  /** 128 random bits in hex (32 characters), durable before the first record leaves. */
  readonly generation: string;
  /** Who waits for the source's records; see `core/checkpoint/ledger.ts`. */
  readonly ledger: SourceLedger;
  /** False when nobody can give a record again that was read once. */
  readonly comesAgain?: boolean;
}

/** What the engine asks of a source's ledger. */
export interface SourceLedger {
  /** Position below which an output has everything already (from before a restart). */
  startMark(outputId: string): number;
  /** A chunk of `output` holds records from `offset` on. */
  pend(outputId: string, holder: object, offset: number): void;
  /** All records of that holder are settled. */
  settle(outputId: string, holder: object): void;
  /** Everything up to `position` went through the filters. */
  advance(position: number): void;
  readonly processedPosition: number;
  /** A filter keeps records from `offset` on; nothing passes that until `release`. */
  hold(holder: object, offset: number): void;
  release(holder: object): void;
}
