import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { messageOf } from '../../core/errors/sluice_error.ts';
import { authenticateMessage, negotiateMessage } from '../../plugins/shared/ntlm/ntlm_client.ts';
import { serverEndPoint } from '../../plugins/shared/tls/channel_binding.ts';
import { installEntry } from '../servers/install_cache.ts';
import { requireProgram } from '../servers/machine_tools.ts';

/** Other people's server side of NTLM, in Python. */
const packages = ['pyspnego==0.12.4'];
const run = promisify(execFile);

/** Says, a line in hex each: the challenge, whether the account is taken, a message opened, and one
 *  sealed. */
const acceptorScript = `
import sys, spnego
from spnego.channel_bindings import GssChannelBindings
from spnego.exceptions import SpnegoError
def heard(): return bytes.fromhex(sys.stdin.readline().strip())
def say(text): print(text, flush=True)
bound = GssChannelBindings(application_data=bytes.fromhex(sys.argv[1])) if len(sys.argv) > 1 else None
server = spnego.server(protocol='ntlm', channel_bindings=bound)
say(server.step(heard()).hex())
try:
    server.step(heard())
except SpnegoError:
    say('refused')
    sys.exit(0)
say('complete' if server.complete else 'incomplete')
for _ in range(2):
    header, sealed = heard(), heard()
    say(server.unwrap_winrm(header, sealed).hex())
    wrapped = server.wrap_winrm('Größe €'.encode())
    say(wrapped.header.hex())
    say(wrapped.data.hex())
`;

const acceptor = await install().then(
  (directory) => ({ directory, skip: false as const }),
  (error) => ({ directory: '', skip: `pyspnego: ${messageOf(error)}` }),
);

async function install(): Promise<string> {
  const python = await requireProgram('python3');
  return installEntry(
    {
      name: 'ntlm-acceptor',
      version: '1',
      recipe: packages,
      build: async (directory) => {
        const pip = ['-m', 'pip', '--quiet', '--disable-pip-version-check'];
        await run(python, [...pip, 'install', '--target', directory, ...packages], {
          timeout: 240_000,
        });
      },
    },
    () => undefined,
  );
}

/** Says certificates of several kinds, each with the hash of its signature as another library reads it:
 *  `name certificate hash`. */
const certificatesScript = `
import datetime
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, 'host')])
now = datetime.datetime.now(datetime.timezone.utc)
rsa_key = rsa.generate_private_key(65537, 2048)
ec_key = ec.generate_private_key(ec.SECP384R1())
pss = padding.PSS(padding.MGF1(hashes.SHA512()), padding.PSS.DIGEST_LENGTH)
for kind, key, hash, pad in [
    ('rsa-224', rsa_key, hashes.SHA224(), None), ('rsa-256', rsa_key, hashes.SHA256(), None),
    ('rsa-384', rsa_key, hashes.SHA384(), None), ('rsa-512', rsa_key, hashes.SHA512(), None),
    ('pss-512', rsa_key, hashes.SHA512(), pss), ('pss-256', rsa_key, hashes.SHA256(), pss),
    ('ec-224', ec_key, hashes.SHA224(), None), ('ec-256', ec_key, hashes.SHA256(), None),
    ('ec-384', ec_key, hashes.SHA384(), None), ('ec-512', ec_key, hashes.SHA512(), None),
    ('ed25519', ed25519.Ed25519PrivateKey.generate(), None, None),
]:
    made = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1)).sign(key, hash, rsa_padding=pad))
    der = made.public_bytes(serialization.Encoding.DER)
    used = made.signature_hash_algorithm
    print(kind, der.hex(), '-' if used is None else made.fingerprint(used).hex())
`;

interface Peer {
  ask(...messages: Buffer[]): void;
  line(): Promise<string>;
}

function peerOf(t: TestContext, channelBinding?: Buffer): Peer {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-ntlm-'));
  const file = join(directory, 'users');
  writeFileSync(file, 'LAB:reader:pass – wörd\n');
  const bound = channelBinding === undefined ? [] : [channelBinding.toString('hex')];
  const child = spawn('python3', ['-c', acceptorScript, ...bound], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: {
      ...process.env,
      ...{ PYTHONPATH: acceptor.directory, NTLM_USER_FILE: file, PYTHONDONTWRITEBYTECODE: '1' },
    },
  });
  t.after(() => {
    child.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    ask: (...messages) => {
      for (const message of messages) child.stdin.write(`${message.toString('hex')}\n`);
    },
    line: async () => String((await lines.next()).value),
  };
}

async function login(peer: Peer, password: string, channelBinding?: Buffer) {
  const negotiate = negotiateMessage();
  peer.ask(negotiate);
  const challenge = Buffer.from(await peer.line(), 'hex');
  const account = { username: 'reader', password, domain: 'LAB' };
  const { message, seal } = authenticateMessage(negotiate, challenge, account, {
    service: 'HTTP/host',
    channelBinding,
  });
  peer.ask(message);
  return { outcome: await peer.line(), seal };
}

test('another server takes our NTLM, and sealed messages pass both ways', {
  skip: acceptor.skip,
}, async (t) => {
  const peer = peerOf(t);
  const { outcome, seal } = await login(peer, 'pass – wörd');
  assert.equal(outcome, 'complete');
  for (const text of ['one', 'two, which is longer – é']) {
    const { signature, sealed } = seal.wrap(Buffer.from(text));
    peer.ask(signature, sealed);
    assert.equal(Buffer.from(await peer.line(), 'hex').toString(), text);
    const header = Buffer.from(await peer.line(), 'hex');
    const data = Buffer.from(await peer.line(), 'hex');
    // Some say the signature's length before it.
    const bare = header.length === 20 ? header.subarray(4) : header;
    assert.equal(seal.unwrap(bare, data).toString(), 'Größe €');
  }
});

test('another server refuses our NTLM with the wrong password', {
  skip: acceptor.skip,
}, async (t) => {
  const { outcome } = await login(peerOf(t), 'wrong');
  assert.equal(outcome, 'refused');
});

test('a login is bound to the server’s certificate: another server takes ours, and no other', {
  skip: acceptor.skip,
}, async (t) => {
  const env = { ...process.env, PYTHONPATH: acceptor.directory, PYTHONDONTWRITEBYTECODE: '1' };
  const { stdout } = await run('python3', ['-c', certificatesScript], { env });
  const lines = stdout.trim().split('\n');
  assert.equal(lines.length, 11);
  const bindings = new Map<string, Buffer | undefined>();
  for (const line of lines) {
    const [kind = '', certificate = '', hash] = line.split(' ');
    const binding = serverEndPoint(Buffer.from(certificate, 'hex'));
    bindings.set(kind, binding);
    const expected = hash === '-' ? undefined : `tls-server-end-point:${hash}`;
    const text = binding && `${binding.subarray(0, 21)}${binding.subarray(21).toString('hex')}`;
    assert.equal(text, expected, kind);
  }
  const bound = bindings.get('ec-384')!;
  const outcome = async (ours: Buffer | undefined): Promise<string> =>
    (await login(peerOf(t, bound), 'pass – wörd', ours)).outcome;
  assert.equal(await outcome(bound), 'complete');
  assert.equal(await outcome(bindings.get('rsa-256')), 'refused', 'of a server in the middle');
  assert.equal(await outcome(undefined), 'refused', 'of no connection');
});
