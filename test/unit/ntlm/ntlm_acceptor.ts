import { createHash, createHmac } from 'node:crypto';
import { type NtlmAccount, ntlmV2Key } from '../../../plugins/shared/ntlm/ntlm_client.ts';
import { Rc4 } from '../../../plugins/shared/ntlm/rc4.ts';

/** The server's side of NTLM version 2, for tests: it knows one account. Its answers are checked
 *  against the client's by nothing but the specification; test/live has an acceptor of others. */
export class NtlmAcceptor {
  private readonly account: NtlmAccount;
  private readonly serverChallenge = Buffer.from('0123456789abcdef', 'hex');
  private readonly withTime: boolean;
  private negotiate = Buffer.alloc(0);
  private challenge = Buffer.alloc(0);
  private ciphers: { in: Direction; out: Direction } | undefined;

  constructor(account: NtlmAccount, withTime = true) {
    this.account = account;
    this.withTime = withTime;
  }

  challengeFor(negotiate: Buffer): Buffer {
    this.negotiate = Buffer.from(negotiate);
    const time = Buffer.alloc(8);
    time.writeBigUInt64LE(133_000_000_000_000_000n);
    const pairs = [[2, Buffer.from('LAB', 'utf16le')] as const];
    if (this.withTime) pairs.push([7 as never, time]);
    const info = Buffer.concat([
      ...pairs.flatMap(([id, value]) => [shorts(id, value.length), value]),
      shorts(0, 0),
    ]);
    const head = Buffer.alloc(56);
    head.write('NTLMSSP\0', 'latin1');
    head.writeUInt32LE(2, 8);
    head.writeUInt32LE(56, 16);
    head.writeUInt32LE(0xe28a8235, 20);
    this.serverChallenge.copy(head, 24);
    shorts(info.length, info.length).copy(head, 40);
    head.writeUInt32LE(56, 44);
    this.challenge = Buffer.concat([head, info]);
    return this.challenge;
  }

  /** Whether the password is known, over the connection that the server knows; after that messages can
   *  be opened. */
  accepts(message: Buffer, channelBinding?: Buffer): boolean {
    const part = (at: number): Buffer => {
      const from = message.readUInt32LE(at + 4);
      return message.subarray(from, from + message.readUInt16LE(at));
    };
    const nt = part(20);
    const [domain, username] = [part(28).toString('utf16le'), part(36).toString('utf16le')];
    if (domain !== this.account.domain || username !== this.account.username) return false;
    if (channelBinding !== undefined && !bindingOf(nt)?.equals(hashOfBinding(channelBinding))) {
      return false;
    }
    const key = ntlmV2Key(this.account);
    const proof = hmac(key, this.serverChallenge, nt.subarray(16));
    if (!proof.equals(nt.subarray(0, 16))) return false;
    const sessionKey = new Rc4(hmac(key, proof)).apply(part(52));
    if (this.withTime) {
      const bare = Buffer.from(message);
      bare.fill(0, 72, 88);
      const code = hmac(sessionKey, this.negotiate, this.challenge, bare);
      if (!code.equals(message.subarray(72, 88))) return false;
    }
    this.ciphers = {
      in: directionOf(sessionKey, 'client-to-server'),
      out: directionOf(sessionKey, 'server-to-client'),
    };
    return true;
  }

  open(signature: Buffer, sealed: Buffer): Buffer {
    const direction = this.ciphers!.in;
    const plain = direction.cipher.apply(sealed);
    if (!sign(direction, plain).equals(signature)) throw new Error('wrong signature');
    return plain;
  }

  seal(plain: Buffer): { signature: Buffer; sealed: Buffer } {
    const direction = this.ciphers!.out;
    const sealed = direction.cipher.apply(plain);
    return { sealed, signature: sign(direction, plain) };
  }
}

interface Direction {
  readonly signKey: Buffer;
  readonly cipher: Rc4;
  sequence: number;
}

function directionOf(sessionKey: Buffer, way: string): Direction {
  const key = (kind: string): Buffer =>
    createHash('md5')
      .update(sessionKey)
      .update(`session key to ${way} ${kind} key magic constant\0`)
      .digest();
  return { signKey: key('signing'), cipher: new Rc4(key('sealing')), sequence: 0 };
}

function sign(direction: Direction, plain: Buffer): Buffer {
  const sequence = Buffer.alloc(4);
  sequence.writeUInt32LE(direction.sequence++);
  const sum = hmac(direction.signKey, sequence, plain).subarray(0, 8);
  return Buffer.concat([Buffer.from([1, 0, 0, 0]), direction.cipher.apply(sum), sequence]);
}

/** The pair 10 of the response's target information. */
function bindingOf(nt: Buffer): Buffer | undefined {
  for (let at = 16 + 28; at + 4 <= nt.length; at += 4 + nt.readUInt16LE(at + 2)) {
    if (nt.readUInt16LE(at) === 10) return nt.subarray(at + 4, at + 20);
    if (nt.readUInt16LE(at) === 0) return undefined;
  }
  return undefined;
}

function hashOfBinding(data: Buffer): Buffer {
  const head = Buffer.alloc(20);
  head.writeUInt32LE(data.length, 16);
  return createHash('md5')
    .update(Buffer.concat([head, data]))
    .digest();
}

function hmac(key: Buffer, ...parts: readonly Buffer[]): Buffer {
  const sum = createHmac('md5', key);
  for (const part of parts) sum.update(part);
  return sum.digest();
}

function shorts(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 2);
  for (const [at, value] of values.entries()) bytes.writeUInt16LE(value, at * 2);
  return bytes;
}
