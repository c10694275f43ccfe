import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { md4 } from './md4.ts';
import { Rc4 } from './rc4.ts';

/** The client's side of NTLM version 2 with message integrity, key exchange and sealing.
 *  Source: [MS-NLMP]; sections are named where they are followed. Version 1 is not spoken. */

export interface NtlmAccount {
  readonly username: string;
  readonly password: string;
  readonly domain: string;
}

/** What a test gives in place of chance and the clock. */
export interface NtlmChances {
  readonly clientChallenge: Buffer;
  readonly sessionKey: Buffer;
  /** FILETIME, for a server that names no time. */
  readonly time: bigint;
}

/** An answer that is no NTLM of ours. */
export class NtlmError extends Error {
  override readonly name = 'NtlmError';
}

const signature = Buffer.from('NTLMSSP\0', 'latin1');
/** 2.2.2.5, and those without which this client does not go on. */
const flag = {
  unicode: 0x1,
  requestTarget: 0x4,
  sign: 0x10,
  seal: 0x20,
  ntlm: 0x200,
  alwaysSign: 0x8000,
  extendedSecurity: 0x80000,
  targetInfo: 0x800000,
  version: 0x2000000,
  key128: 0x20000000,
  keyExchange: 0x40000000,
  key56: 0x80000000,
} as const;
const required = flag.unicode | flag.ntlm | flag.extendedSecurity | flag.keyExchange | flag.key128;
const wanted =
  (required |
    flag.requestTarget |
    flag.sign |
    flag.seal |
    flag.alwaysSign |
    flag.version |
    flag.key56) >>>
  0;
/** 2.2.2.10: Windows 10; revision 15. */
const version = Buffer.from('0a0063450000000f', 'hex');
/** 2.2.2.1. */
const pairEnd = 0;
const pairFlags = 6;
const pairTime = 7;
const pairTarget = 9;
const pairBindings = 10;
const hasIntegrityCode = 2;

/** The first message of an exchange (2.2.1.1). */
export function negotiateMessage(): Buffer {
  const message = Buffer.alloc(40);
  signature.copy(message);
  message.writeUInt32LE(1, 8);
  message.writeUInt32LE(wanted, 12);
  version.copy(message, 32);
  return message;
}

export interface NtlmAnswer {
  /** The third message (2.2.1.3). */
  readonly message: Buffer;
  readonly seal: NtlmSeal;
}

/** Who is asked, and over what. */
export interface NtlmTarget {
  /** As `HTTP/host`. */
  readonly service: string;
  /** What names the connection below, such as a `tls-server-end-point`; absent where there is none. */
  readonly channelBinding?: Buffer | undefined;
}

/** Answers a server's challenge (2.2.1.2).
 *  Errors: NtlmError for what is no challenge, or one without version 2 and sealing. */
export function authenticateMessage(
  negotiate: Buffer,
  challenge: Buffer,
  account: NtlmAccount,
  { service, channelBinding }: NtlmTarget,
  chances: NtlmChances = newChances(),
): NtlmAnswer {
  const { flags, serverChallenge, pairs } = readChallenge(challenge);
  const time = pairs.get(pairTime);
  const info = new Map(pairs);
  if (time !== undefined) info.set(pairFlags, withIntegrity(pairs.get(pairFlags)));
  if (service !== '') info.set(pairTarget, Buffer.from(service, 'utf16le'));
  if (channelBinding !== undefined) info.set(pairBindings, bindingHash(channelBinding));
  const timeBytes = Buffer.alloc(8);
  timeBytes.writeBigUInt64LE(time?.readBigUInt64LE() ?? chances.time);
  const { clientChallenge, sessionKey } = chances;
  const response = ntlmV2Response(account, {
    ...{ serverChallenge, clientChallenge, time: timeBytes, targetInfo: writePairs(info) },
  });
  // 3.1.5.1.2: with a time of the server's, no LM response is sent.
  const lm = time === undefined ? response.lm : Buffer.alloc(24);
  const encryptedKey = new Rc4(response.sessionBaseKey).apply(sessionKey);
  const message = writeAuthenticate(
    [
      ...[lm, response.nt, utf16(account.domain), utf16(account.username), Buffer.alloc(0)],
      encryptedKey,
    ],
    flags & wanted,
  );
  if (time !== undefined) {
    hmac(sessionKey, negotiate, challenge, message).copy(message, 72);
  }
  return { message, seal: new NtlmSeal(sessionKey) };
}

export interface NtlmV2Input {
  readonly serverChallenge: Buffer;
  readonly clientChallenge: Buffer;
  readonly time: Buffer;
  readonly targetInfo: Buffer;
}

export interface NtlmV2Response {
  readonly nt: Buffer;
  readonly lm: Buffer;
  readonly sessionBaseKey: Buffer;
}

/** 3.3.2: what proves that the password is known. */
export function ntlmV2Response(account: NtlmAccount, input: NtlmV2Input): NtlmV2Response {
  const { serverChallenge, clientChallenge, time, targetInfo } = input;
  const key = ntlmV2Key(account);
  const head = Buffer.from([1, 1, 0, 0, 0, 0, 0, 0]);
  const zeros = Buffer.alloc(4);
  const blob = Buffer.concat([head, time, clientChallenge, zeros, targetInfo, zeros]);
  const proof = hmac(key, serverChallenge, blob);
  return {
    nt: Buffer.concat([proof, blob]),
    lm: Buffer.concat([hmac(key, serverChallenge, clientChallenge), clientChallenge]),
    sessionBaseKey: hmac(key, proof),
  };
}

/** NTOWFv2 (3.3.2). */
export function ntlmV2Key({ username, password, domain }: NtlmAccount): Buffer {
  return hmac(md4(utf16(password)), utf16(username.toUpperCase() + domain));
}

/** Encrypts and signs what the client sends, and opens what the server sends (3.4). Messages have to
 *  pass in order. */
export class NtlmSeal {
  private readonly mine: Direction;
  private readonly theirs: Direction;

  constructor(sessionKey: Buffer) {
    this.mine = directionOf(sessionKey, 'client-to-server');
    this.theirs = directionOf(sessionKey, 'server-to-client');
  }

  /** Gives the signature and the sealed bytes. */
  wrap(plain: Buffer): { readonly signature: Buffer; readonly sealed: Buffer } {
    const sealed = this.mine.cipher.apply(plain);
    return { sealed, signature: sign(this.mine, plain) };
  }

  /** Errors: NtlmError for bytes that were changed, or that come out of order. */
  unwrap(signatureBytes: Buffer, sealed: Buffer): Buffer {
    const plain = this.theirs.cipher.apply(sealed);
    const expected = sign(this.theirs, plain);
    if (signatureBytes.length !== 16 || !timingSafeEqual(signatureBytes, expected)) {
      throw new NtlmError('the signature of a message is wrong');
    }
    return plain;
  }
}

interface Direction {
  readonly signKey: Buffer;
  readonly cipher: Rc4;
  sequence: number;
}

/** 3.4.5.2 and 3.4.5.3, for keys of 128 bits. */
function directionOf(sessionKey: Buffer, way: string): Direction {
  const key = (kind: string): Buffer =>
    createHash('md5')
      .update(sessionKey)
      .update(`session key to ${way} ${kind} key magic constant\0`, 'latin1')
      .digest();
  return { signKey: key('signing'), cipher: new Rc4(key('sealing')), sequence: 0 };
}

/** 3.4.4.2, with key exchange: the check sum goes through the cipher behind the message. */
function sign(direction: Direction, plain: Buffer): Buffer {
  const sequence = Buffer.alloc(4);
  sequence.writeUInt32LE(direction.sequence++ >>> 0);
  const sum = hmac(direction.signKey, sequence, plain).subarray(0, 8);
  const versionBytes = Buffer.from([1, 0, 0, 0]);
  return Buffer.concat([versionBytes, direction.cipher.apply(sum), sequence]);
}

interface Challenge {
  readonly flags: number;
  readonly serverChallenge: Buffer;
  readonly pairs: ReadonlyMap<number, Buffer>;
}

function readChallenge(message: Buffer): Challenge {
  const isChallenge =
    message.length >= 48 &&
    message.subarray(0, 8).equals(signature) &&
    message.readUInt32LE(8) === 2;
  if (!isChallenge) throw new NtlmError('the server’s answer is no NTLM challenge');
  const flags = message.readUInt32LE(20);
  if ((flags & required) >>> 0 !== required >>> 0) {
    throw new NtlmError('the server refuses NTLM version 2 with keys of 128 bits');
  }
  const length = message.readUInt16LE(40);
  const at = message.readUInt32LE(44);
  if (at + length > message.length) throw new NtlmError('the server’s challenge is cut');
  const pairs = readPairs(message.subarray(at, at + length));
  return { flags, serverChallenge: message.subarray(24, 32), pairs };
}

function readPairs(bytes: Buffer): Map<number, Buffer> {
  const pairs = new Map<number, Buffer>();
  for (let at = 0; at + 4 <= bytes.length; ) {
    const id = bytes.readUInt16LE(at);
    const end = at + 4 + bytes.readUInt16LE(at + 2);
    if (id === pairEnd) break;
    if (end > bytes.length) throw new NtlmError('the server’s challenge is cut');
    pairs.set(id, bytes.subarray(at + 4, end));
    at = end;
  }
  const time = pairs.get(pairTime);
  if (time !== undefined && time.length !== 8) throw new NtlmError('the server’s time is cut');
  return pairs;
}

function writePairs(pairs: ReadonlyMap<number, Buffer>): Buffer {
  const parts: Buffer[] = [];
  for (const [id, value] of [...pairs, [pairEnd, Buffer.alloc(0)] as const]) {
    const head = Buffer.alloc(4);
    head.writeUInt16LE(id);
    head.writeUInt16LE(value.length, 2);
    parts.push(head, value);
  }
  return Buffer.concat(parts);
}

/** 3.1.5.1.2: MD5 of a gss_channel_bindings_struct (RFC 2744 section 3.11) without addresses. */
function bindingHash(applicationData: Buffer): Buffer {
  const head = Buffer.alloc(20);
  head.writeUInt32LE(applicationData.length, 16);
  return createHash('md5').update(head).update(applicationData).digest();
}

function withIntegrity(value: Buffer | undefined): Buffer {
  const flags = Buffer.alloc(4);
  const known = value !== undefined && value.length === 4 ? value.readUInt32LE() : 0;
  flags.writeUInt32LE((known | hasIntegrityCode) >>> 0);
  return flags;
}

/** 2.2.1.3, with room for the integrity code. */
function writeAuthenticate(payloads: readonly Buffer[], flags: number): Buffer {
  const head = Buffer.alloc(88);
  signature.copy(head);
  head.writeUInt32LE(3, 8);
  let at = head.length;
  payloads.forEach((payload, index) => {
    const field = 12 + index * 8;
    head.writeUInt16LE(payload.length, field);
    head.writeUInt16LE(payload.length, field + 2);
    head.writeUInt32LE(at, field + 4);
    at += payload.length;
  });
  head.writeUInt32LE(flags >>> 0, 60);
  version.copy(head, 64);
  return Buffer.concat([head, ...payloads]);
}

function newChances(): NtlmChances {
  // FILETIME counts 100 ns from 1601.
  const time = BigInt(Date.now()) * 10_000n + 116_444_736_000_000_000n;
  return { clientChallenge: randomBytes(8), sessionKey: randomBytes(16), time };
}

function hmac(key: Buffer, ...parts: readonly Buffer[]): Buffer {
  const sum = createHmac('md5', key);
  for (const part of parts) sum.update(part);
  return sum.digest();
}

function utf16(text: string): Buffer {
  return Buffer.from(text, 'utf16le');
}
