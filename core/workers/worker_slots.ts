/** Memory that a batch takes usually, packed: a read and what is noted of its lines. */
const cargoBytes = 1024 * 1024;
/** What a parcel takes beyond it is kept for the next of its kind no longer than for its own. */
const cargoKeptBytes = 4 * 1024 * 1024;
/** Encoded records of one batch; more of them travel apart. Pages that are never touched cost
 *  nothing. */
const resultBytes = 4 * 1024 * 1024;

/** Memory for one batch on its way to a worker and back. */
export class WorkerSlot {
  readonly number: number;
  /** Belongs to one lane, which so always has one. */
  readonly isReserve: boolean;
  cargo = new SharedArrayBuffer(cargoBytes);
  readonly results = new SharedArrayBuffer(resultBytes);
  readonly resultBytes = new Uint8Array(this.results);
  cargoBytes = Buffer.from(this.cargo);

  constructor(number: number, isReserve: boolean) {
    this.number = number;
    this.isReserve = isReserve;
  }

  /** Makes room for a batch, and gives back what only a larger one wanted; true when the workers
   *  must be told of other memory. */
  fit(bytes: number): boolean {
    const has = this.cargo.byteLength;
    const isFine = bytes <= has && (has <= cargoKeptBytes || bytes > cargoKeptBytes);
    if (isFine) return false;
    this.cargo = new SharedArrayBuffer(Math.max(cargoBytes, bytes));
    this.cargoBytes = Buffer.from(this.cargo);
    return true;
  }
}
