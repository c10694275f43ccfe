/** The cipher stream that NTLM seals messages with, which OpenSSL has put away. Each call goes on
 *  where the last one ended. */
export class Rc4 {
  private readonly state = Uint8Array.from({ length: 256 }, (_, at) => at);
  private i = 0;
  private j = 0;

  constructor(key: Buffer) {
    const { state } = this;
    for (let at = 0, other = 0; at < 256; at++) {
      other = (other + state[at]! + key[at % key.length]!) & 0xff;
      this.swap(at, other);
    }
  }

  /** Encrypts, or decrypts. */
  apply(bytes: Buffer): Buffer {
    const { state } = this;
    const out = Buffer.alloc(bytes.length);
    for (let at = 0; at < bytes.length; at++) {
      this.i = (this.i + 1) & 0xff;
      this.j = (this.j + state[this.i]!) & 0xff;
      this.swap(this.i, this.j);
      out[at] = bytes[at]! ^ state[(state[this.i]! + state[this.j]!) & 0xff]!;
    }
    return out;
  }

  private swap(a: number, b: number): void {
    const { state } = this;
    const kept = state[a]!;
    state[a] = state[b]!;
    state[b] = kept;
  }
}
