import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { serverEndPoint } from '../../../plugins/shared/tls/channel_binding.ts';
import { makeCertificate } from '../../engine/certificates.ts';

// Certificates of other kinds are compared with another library in test/live/ntlm_acceptor.test.ts.

test('the end point of a certificate is its hash, by the hash of its signature', () => {
  const { raw } = new X509Certificate(makeCertificate('localhost').certificate);
  const hash = createHash('sha256').update(raw).digest();
  assert.deepEqual(
    serverEndPoint(raw),
    Buffer.concat([Buffer.from('tls-server-end-point:'), hash]),
  );
});

test('bytes that are no certificate, or cut, have none', () => {
  const { raw } = new X509Certificate(makeCertificate('localhost').certificate);
  for (let length = 0; length < raw.length; length += 7) {
    assert.equal(serverEndPoint(raw.subarray(0, length)), undefined);
  }
  for (const hex of ['', '30', '3080', '30ff', '308400000005', '3003020101', '3005300230003000']) {
    assert.equal(serverEndPoint(Buffer.from(hex, 'hex')), undefined, hex);
  }
});
