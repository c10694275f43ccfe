const listedMax = 20;

/** The records of a request that were not taken, the first of them with a reason. */
export class Rejections {
  count = 0;
  readonly listed: { readonly index: number; readonly reason: string }[] = [];

  add(index: number, reason: string): void {
    this.count++;
    if (this.listed.length < listedMax) this.listed.push({ index, reason });
  }
}
