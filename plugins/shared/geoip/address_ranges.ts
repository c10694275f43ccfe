import type { NetworkTree } from './network_tree.ts';

const networks = 65536;
/** Ranges that are kept; addresses of further networks are looked up in the tree. */
const rangesMax = 2_000_000;
const rangesAtFirst = 4096;

/** The answers of a search tree for IPv4 addresses, as sorted ranges: two or three steps in memory
 *  that lies together take the place of some twenty that lie far apart. Each network of 2^16
 *  addresses is read when one of its addresses first comes. */
export class AddressRanges {
  private readonly tree: NetworkTree;
  /** Per network: its first range, and how many it has; 0 is one that was not read. */
  private readonly starts = new Int32Array(networks);
  private readonly counts = new Int32Array(networks);
  /** Last 16 bits of each range's first address, and what holds up to the next. */
  private firsts = new Uint16Array(rangesAtFirst);
  private answers = new Int32Array(rangesAtFirst);
  private used = 0;

  constructor(tree: NetworkTree) {
    this.tree = tree;
  }

  /** As `NetworkTree.find`, for the first four bytes. */
  find(address: Uint8Array): number {
    // hot path
    const network = (address[0]! << 8) | address[1]!;
    if (this.counts[network] === 0 && !this.read(network)) return this.tree.find(address, 4);
    const { firsts } = this;
    const wanted = (address[2]! << 8) | address[3]!;
    let low = this.starts[network]!;
    let high = low + this.counts[network]!;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (firsts[middle]! <= wanted) low = middle;
      else high = middle;
    }
    return this.answers[low]!;
  }

  private read(network: number): boolean {
    if (this.used >= rangesMax) return false;
    const start = this.used;
    this.tree.walk4(network, (first, answer) => {
      if (this.used > start && this.answers[this.used - 1] === answer) return;
      if (this.used === this.firsts.length) this.grow();
      this.firsts[this.used] = first;
      this.answers[this.used] = answer;
      this.used++;
    });
    this.starts[network] = start;
    this.counts[network] = this.used - start;
    return true;
  }

  private grow(): void {
    const { firsts, answers } = this;
    this.firsts = new Uint16Array(firsts.length * 2);
    this.firsts.set(firsts);
    this.answers = new Int32Array(answers.length * 2);
    this.answers.set(answers);
  }
}
