/** Why something in a file cannot be read. Thrown where a chunk's bytes are interpreted, caught
 *  where records and chunks are told apart. */
export class Damage extends Error {
  override readonly name = 'Damage';
  /** Position in the chunk. */
  readonly at: number;

  constructor(reason: string, at: number) {
    super(reason);
    this.at = at;
  }
}

/** A record whose text would be larger than the greatest event. */
export class TooLarge extends Error {
  override readonly name = 'TooLarge';
}
