import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

/** A certificate with its key, PEM, and what issuing others with it takes. */
export interface Certificate {
  readonly certificate: string;
  readonly key: string;
  readonly name: string;
  readonly privateKey: KeyObject;
}

/** What a certificate of a test may have other than the rest. */
export interface CertificateFlaws {
  /** Its hour ended an hour ago. */
  readonly isExpired?: boolean;
  /** It is for another machine. */
  readonly isElsewhere?: boolean;
}

/** Makes a certificate for tests (RFC 5280, ECDSA with P-256 and SHA-256), valid for an hour around
 *  now, for `localhost` and 127.0.0.1. Without an issuer it signs itself and may sign others. */
export function makeCertificate(
  name: string,
  issuer?: Certificate,
  { isExpired = false, isElsewhere = false }: CertificateFlaws = {},
): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const hour = 3_600_000;
  const now = Date.now() - (isExpired ? 2 * hour : 0);
  const serial = randomBytes(8);
  serial[0]! &= 0x7f;
  serial[0]! |= 0x40;
  const body = sequence(
    tagged(0xa0, integer(Buffer.of(2))),
    integer(serial),
    ecdsaWithSha256,
    nameOf(issuer?.name ?? name),
    sequence(time(now - hour), time(now + hour)),
    nameOf(name),
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(
      0xa3,
      sequence(basicConstraints(issuer === undefined), isElsewhere ? otherNames : alternativeNames),
    ),
  );
  const signature = sign('sha256', body, issuer?.privateKey ?? privateKey);
  const der = sequence(body, ecdsaWithSha256, tagged(0x03, Buffer.of(0), signature));
  const lines = der.toString('base64').replace(/(.{64})(?=.)/g, '$1\n');
  return {
    certificate: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    name,
    privateKey,
  };
}

/** One DER element (X.690 section 8.1). */
function tagged(tag: number, ...contents: readonly Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  const { length } = content;
  const head =
    length < 128
      ? [tag, length]
      : length < 256
        ? [tag, 0x81, length]
        : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), content]);
}

function sequence(...contents: readonly Buffer[]): Buffer {
  return tagged(0x30, ...contents);
}

function integer(bytes: Buffer): Buffer {
  return tagged(0x02, bytes);
}

function identifier(hex: string): Buffer {
  return tagged(0x06, Buffer.from(hex, 'hex'));
}

function nameOf(commonName: string): Buffer {
  const value = tagged(0x0c, Buffer.from(commonName));
  return sequence(tagged(0x31, sequence(identifier('550403'), value)));
}

/** GeneralizedTime, which verifiers take before 2050 too. */
function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/[-:T]|\..*/g, '');
  return tagged(0x18, Buffer.from(`${digits}Z`));
}

function basicConstraints(isAuthority: boolean): Buffer {
  const flag = isAuthority ? tagged(0x01, Buffer.of(0xff)) : Buffer.alloc(0);
  const critical = tagged(0x01, Buffer.of(0xff));
  return sequence(identifier('551d13'), critical, tagged(0x04, sequence(flag)));
}

const ecdsaWithSha256 = sequence(identifier('2a8648ce3d040302'));
const alternativeNames = namesOf(
  tagged(0x82, Buffer.from('localhost')),
  tagged(0x87, Buffer.of(127, 0, 0, 1)),
);
const otherNames = namesOf(tagged(0x82, Buffer.from('elsewhere.example')));

function namesOf(...names: readonly Buffer[]): Buffer {
  return sequence(identifier('551d11'), tagged(0x04, sequence(...names)));
}
