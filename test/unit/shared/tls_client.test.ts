import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Secret } from '../../../core/config/secret.ts';
import { loadTlsClient } from '../../../plugins/shared/tls/tls_client.ts';
import { plainTls } from './output_harness.ts';
import { makeCertificate } from '../../engine/certificates.ts';

test('the server is verified, with TLS 1.2 or newer, when nothing is said', async () => {
  assert.deepEqual(await loadTlsClient(plainTls, '/'), {
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
  });
});

test('files are read below the base directory, a directory of authorities in order', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-tls-'));
  t.after(() => rm(directory, { recursive: true }));
  const authority = makeCertificate('authority');
  const client = makeCertificate('client', authority);
  const files: Record<string, string> = {
    'ca.pem': authority.certificate,
    'b.crt': client.certificate,
    'a.cer': makeCertificate('other').certificate,
    key: client.key,
    'notes.txt': 'no certificate',
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
  const options = {
    ...plainTls,
    caFile: 'ca.pem',
    caPath: '.',
    crtFile: 'b.crt',
    keyFile: 'key',
    keyPasswd: new Secret('pw'),
    vhost: 'es.example',
    verifyHostname: false,
    minVersion: 'TLSv1.3' as const,
  };
  const { checkServerIdentity, ...settings } = await loadTlsClient(options, directory);
  assert.equal(typeof checkServerIdentity, 'function');
  assert.deepEqual(settings, {
    rejectUnauthorized: true,
    ca: ['ca.pem', 'a.cer', 'b.crt', 'ca.pem'].map((name) => Buffer.from(files[name]!)),
    cert: Buffer.from(client.certificate),
    key: Buffer.from(client.key),
    passphrase: 'pw',
    servername: 'es.example',
    minVersion: 'TLSv1.3',
  });
});

/** Any file that is there and has no certificate. */
const testFile = fileURLToPath(import.meta.url);

const wrong: [string, Partial<typeof plainTls>, RegExp][] = [
  ['a file that is not there', { caFile: 'nothing.pem' }, /tls\.ca_file .*nothing\.pem/],
  ['a directory that is not there', { caPath: 'nothing' }, /tls\.ca_path .*nothing/],
  ['a certificate without its key', { crtFile: 'a.pem' }, /tls\.key_file/],
  [
    'versions that leave none',
    { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.2' },
    /no version is left/,
  ],
  ['authorities that are none', { caFile: testFile }, /has no certificate/],
  ['a certificate and key that are none', { crtFile: testFile, keyFile: testFile }, /as PEM/],
];

for (const [what, change, message] of wrong) {
  test(`${what} is an error that names the option`, async () => {
    const work = loadTlsClient({ ...plainTls, ...change }, '/no-such-directory');
    await assert.rejects(work, { code: 'SLUICE_OPTION_INVALID', message });
  });
}
