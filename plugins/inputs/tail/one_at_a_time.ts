/** Runs asynchronous work one piece after another, in the order of the calls. */
export class OneAtATime {
  private last: Promise<unknown> = Promise.resolve();

  run<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.last.then(work);
    // A piece that fails tells its own caller; the next ones run all the same.
    this.last = result.catch(() => undefined);
    return result;
  }
}
