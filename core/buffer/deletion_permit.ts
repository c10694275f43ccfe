import type { Segment } from './segment_writer.ts';
import { DelayedWork, type Schedule } from './timers.ts';

export interface DeletionPermitOptions {
  /** Notes elsewhere what delivered chunks vouch for; without it, nothing needs a permit. */
  readonly note: (() => Promise<void>) | undefined;
  readonly schedule: Schedule;
  /** Called when there is something new to delete, or to ask. */
  readonly wake: () => void;
}

/** How long a refusal holds before it is asked again. */
const retryMs = 1000;

/**
 * Says which delivered segments may be deleted. A stored chunk vouches for the records of its
 * source; until that is noted elsewhere, its bytes should stay: a process that is killed before
 * would read these records again. Asking never blocks.
 */
export class DeletionPermit {
  readonly #options: DeletionPermitOptions;
  readonly #allowed = new WeakSet<Segment>();
  readonly #retry: DelayedWork;
  #asked: Promise<void> | undefined;
  #isRefused = false;

  constructor(options: DeletionPermitOptions) {
    this.#options = options;
    this.#retry = new DelayedWork(options.schedule, () => {
      this.#isRefused = false;
      options.wake();
    });
  }

  isAllowed(segment: Segment): boolean {
    return this.#options.note === undefined || this.#allowed.has(segment);
  }

  allow(segments: readonly Segment[]): void {
    for (const segment of segments) this.#allowed.add(segment);
  }

  /** Asks for those of these that are not allowed yet, unless an answer is under way. */
  ask(segments: readonly Segment[]): void {
    if (this.#asked !== undefined || this.#isRefused) return;
    if (segments.every((segment) => this.isAllowed(segment))) return;
    this.#asked = this.#note(segments).finally(() => {
      this.#asked = undefined;
    });
  }

  /** Asks a last time, for all that is settled now, and allows it whatever the answer. */
  async end(segments: readonly Segment[]): Promise<void> {
    this.#retry.stop();
    await this.#asked;
    if (!segments.every((segment) => this.isAllowed(segment))) {
      await this.#options.note?.().catch(() => undefined);
    }
    this.allow(segments);
  }

  async #note(segments: readonly Segment[]): Promise<void> {
    try {
      await this.#options.note?.();
      this.allow(segments);
      this.#options.wake();
    } catch {
      // Said by who was asked, in the log and in /readyz.
      this.#isRefused = true;
      this.#retry.request(retryMs);
    }
  }
}
