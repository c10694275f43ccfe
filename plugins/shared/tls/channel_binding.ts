import { createHash } from 'node:crypto';

/** What binds a login to the TLS connection that it goes over: `tls-server-end-point:` and the hash of
 *  the server's certificate (RFC 5929 section 4.1), so that the login is of no use on another one.
 *
 *  The hash is that of the certificate's signature; SHA-256 where that would be MD5 or SHA-1. Undefined
 *  for bytes that are no certificate, and for signatures without a hash of their own, such as Ed25519:
 *  the RFC leaves those open. */
export function serverEndPoint(certificate: Buffer): Buffer | undefined {
  const name = hashOf(certificate);
  if (name === undefined) return undefined;
  const hash = createHash(name).update(certificate).digest();
  return Buffer.concat([Buffer.from('tls-server-end-point:', 'latin1'), hash]);
}

/** DER object identifiers, in hex. */
const rsa = '2a864886f70d0101';
const rsaPss = `${rsa}0a`;
const ecdsa = '2a8648ce3d04';
const sha = '6086480165030402';
const hashes: ReadonlyMap<string, string> = new Map([
  [`${rsa}04`, 'sha256'],
  [`${rsa}05`, 'sha256'],
  [`${rsa}0b`, 'sha256'],
  [`${rsa}0c`, 'sha384'],
  [`${rsa}0d`, 'sha512'],
  [`${rsa}0e`, 'sha224'],
  [`${ecdsa}01`, 'sha256'],
  [`${ecdsa}0301`, 'sha224'],
  [`${ecdsa}0302`, 'sha256'],
  [`${ecdsa}0303`, 'sha384'],
  [`${ecdsa}0304`, 'sha512'],
  [`${sha}01`, 'sha256'],
  [`${sha}02`, 'sha384'],
  [`${sha}03`, 'sha512'],
  [`${sha}04`, 'sha224'],
]);

/** Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signature } (RFC 5280 section 4.1). */
function hashOf(certificate: Buffer): string | undefined {
  const [whole] = elements(certificate);
  const [, algorithm] = elements(whole?.content);
  const [identifier, parameters] = elements(algorithm?.content);
  const name = identifier?.content.toString('hex') ?? '';
  if (name !== rsaPss) return hashes.get(name);
  // RSASSA-PSS names its hash in its parameters, unless it is SHA-1 (RFC 4055 section 3.1).
  const given = elements(parameters?.content).find(({ tag }) => tag === 0xa0);
  const [hash] = elements(elements(given?.content).at(0)?.content);
  return hash === undefined ? 'sha256' : hashes.get(hash.content.toString('hex'));
}

interface Element {
  readonly tag: number;
  readonly content: Buffer;
}

/** Elements of DER in a row (X.690 section 8.1), up to one that is cut. */
function elements(bytes: Buffer | undefined): Element[] {
  const found: Element[] = [];
  if (bytes === undefined) return found;
  for (let at = 0; at + 2 <= bytes.length; ) {
    const short = bytes[at + 1]!;
    // DER has no length of 0x80, which is found out later, in other forms of ASN.1.
    if (short === 0x80) return found;
    const lengthBytes = short < 0x80 ? 0 : short & 0x7f;
    const start = at + 2 + lengthBytes;
    if (lengthBytes > 4 || start > bytes.length) return found;
    const length = lengthBytes === 0 ? short : bytes.readUIntBE(at + 2, lengthBytes);
    if (start + length > bytes.length) return found;
    found.push({ tag: bytes[at]!, content: bytes.subarray(start, start + length) });
    at = start + length;
  }
  return found;
}
