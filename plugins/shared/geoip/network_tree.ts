/** What the metadata of a MaxMind DB says of its search tree. */
export interface TreeShape {
  readonly nodeCount: number;
  /** Bits of a record: 24, 28 or 32. */
  readonly recordSize: number;
  readonly ipVersion: number;
}

/** The search tree of a MaxMind DB (MaxMind DB File Format Specification 2.0, "Binary Search Tree
 *  Section"): it stands at the beginning of the file. */
export class NetworkTree {
  private readonly bytes: Buffer;
  private readonly shape: TreeShape;
  /** Where IPv4 addresses start. */
  private readonly start4: number;

  constructor(bytes: Buffer, shape: TreeShape) {
    this.bytes = bytes;
    this.shape = shape;
    let node = 0;
    if (shape.ipVersion === 6) {
      for (let depth = 0; depth < 96 && node < shape.nodeCount; depth++)
        node = this.record(node, 0);
    }
    this.start4 = node;
  }

  /** The number of the record of the network that the address is in: the same for all that have
   *  the same data. -1 for none. `address` has 4 or 16 bytes, by `version`. */
  find(address: Uint8Array, version: 4 | 6): number {
    // hot path
    const { nodeCount, ipVersion } = this.shape;
    if (version === 6 && ipVersion === 4) return -1;
    let node = version === 4 ? this.start4 : 0;
    const bits = version === 4 ? 32 : 128;
    for (let depth = 0; depth < bits && node < nodeCount; depth++) {
      node = this.record(node, (address[depth >> 3]! >> (7 - (depth & 7))) & 1);
    }
    return node > nodeCount ? node : -1;
  }

  /** Tells the answers for all IPv4 addresses that begin with these 16 bits, in order: the last 16
   *  bits of the first address of each, and the answer. */
  walk4(high: number, tell: (first: number, answer: number) => void): void {
    const { nodeCount } = this.shape;
    let node = this.start4;
    for (let bit = 15; bit >= 0 && node < nodeCount; bit--) {
      node = this.record(node, (high >> bit) & 1);
    }
    const walk = (at: number, first: number, size: number): void => {
      if (at >= nodeCount || size === 1) {
        tell(first, at > nodeCount ? at : -1);
        return;
      }
      walk(this.record(at, 0), first, size >> 1);
      walk(this.record(at, 1), first + (size >> 1), size >> 1);
    };
    walk(node, 0, 65536);
  }

  private record(node: number, side: number): number {
    const { bytes } = this;
    switch (this.shape.recordSize) {
      case 24: {
        const at = node * 6 + side * 3;
        return (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!;
      }
      case 28: {
        const at = node * 7;
        const shared = bytes[at + 3]!;
        const high = side === 0 ? shared >> 4 : shared & 15;
        const from = at + side * 4;
        return (high << 24) | (bytes[from]! << 16) | (bytes[from + 1]! << 8) | bytes[from + 2]!;
      }
      default:
        return bytes.readUInt32BE(node * 8 + side * 4);
    }
  }
}
