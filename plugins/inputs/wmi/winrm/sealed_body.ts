import { NtlmError, type NtlmSeal } from '../../../shared/ntlm/ntlm_client.ts';

/** Messages that WinRM encrypts itself where there is no TLS. Source: [MS-WSMV] 2.2.9.1.1. */

const boundary = '--Encrypted Boundary';
const protocol = 'application/HTTP-SPNEGO-session-encrypted';
export const sealedContentType = `multipart/encrypted;protocol="${protocol}";boundary="Encrypted Boundary"`;

export function sealBody(seal: NtlmSeal, plain: Buffer): Buffer {
  const { signature, sealed } = seal.wrap(plain);
  const head =
    `${boundary}\r\n\tContent-Type: ${protocol}\r\n` +
    `\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length=${plain.length}\r\n` +
    `${boundary}\r\n\tContent-Type: application/octet-stream\r\n`;
  const length = Buffer.alloc(4);
  length.writeUInt32LE(signature.length);
  return Buffer.concat([
    ...[Buffer.from(head), length, signature, sealed],
    Buffer.from(`${boundary}--\r\n`),
  ]);
}

const octets = /Content-Type: application\/octet-stream\r\n/i;

/** Errors: NtlmError for what is not sealed as it should be. */
export function openBody(seal: NtlmSeal, body: Buffer): Buffer {
  const text = body.toString('latin1');
  const head = octets.exec(text);
  const end = text.lastIndexOf(boundary);
  const at = (head?.index ?? 0) + (head?.[0].length ?? 0);
  if (head === null || end < at + 4) throw new NtlmError('WinRM’s answer is not encrypted');
  const signatureEnd = at + 4 + body.readUInt32LE(at);
  if (signatureEnd > end) throw new NtlmError('WinRM’s answer is cut');
  return seal.unwrap(body.subarray(at + 4, signatureEnd), body.subarray(signatureEnd, end));
}
