/** Tells when everything below a position of one source is settled. */
export class Settlement {
  private reached = 0;
  private wanted = Number.POSITIVE_INFINITY;
  private resolve = (): void => undefined;

  /** For the source to call. */
  update(position: number): void {
    this.reached = Math.max(this.reached, position);
    if (this.reached >= this.wanted) this.resolve();
  }

  /** Resolves when `position` is reached. */
  until(position: number): Promise<void> {
    if (this.reached >= position) return Promise.resolve();
    this.wanted = position;
    return new Promise((resolve) => {
      this.resolve = resolve;
    });
  }
}
