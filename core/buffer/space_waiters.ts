/** Those who wait for room in a full store. */
export class SpaceWaiters {
  readonly #waiting = new Set<{ resolve: () => void; reject: (error: unknown) => void }>();
  /** Room was made after the last refusal, so that a waiter who comes late does not miss it. */
  #freedSinceFull = false;

  markFull(): void {
    this.#freedSinceFull = false;
  }

  /** Wakes all: room was made. Each tries again, and may be refused again. */
  notify(): void {
    this.#freedSinceFull = true;
    for (const waiter of this.#waiting) waiter.resolve();
    this.#waiting.clear();
  }

  /** Resolves when room was made since the last refusal; rejects with the signal's reason. */
  wait(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(signal.reason);
    if (this.#freedSinceFull) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const waiter = {
        resolve: () => {
          signal.removeEventListener('abort', onAbort);
          resolve();
        },
        reject,
      };
      const onAbort = () => {
        this.#waiting.delete(waiter);
        reject(signal.reason);
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting.add(waiter);
    });
  }

  close(error: Error): void {
    for (const waiter of this.#waiting) waiter.reject(error);
    this.#waiting.clear();
  }
}
