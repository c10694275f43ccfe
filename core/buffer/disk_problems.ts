import type { SluiceError } from '../errors/sluice_error.ts';
import { storageFailed } from './storage_error.ts';

/** A piece of a store's work that the disk, or its own limit, can refuse. */
export type DiskWork = 'room' | 'append' | 'sync' | 'acknowledge' | 'delete' | 'read';

/**
 * What a disk refuses a store at the moment, told to whoever answers for the store's health when it
 * changes: the text of the refusal that came first, or undefined when there is none.
 */
export class DiskProblems {
  readonly #problems = new Map<DiskWork, string>();
  readonly #tell: (problem: string | undefined) => void;

  constructor(tell: (problem: string | undefined) => void = () => undefined) {
    this.#tell = tell;
  }

  /** Tells a refusal, and makes it an error. `action` reads after "Cannot". */
  refused(work: DiskWork, action: string, cause: unknown): SluiceError {
    const failure = storageFailed(action, cause);
    this.#note(work, failure.message);
    return failure;
  }

  /** Tells that the store's own limit leaves no room. */
  full(problem: string): void {
    this.#note('room', problem);
  }

  succeeded(work: DiskWork): void {
    if (this.#problems.delete(work)) this.#tell(this.#problems.values().next().value);
  }

  #note(work: DiskWork, problem: string): void {
    this.#problems.set(work, problem);
    this.#tell(this.#problems.values().next().value);
  }
}
