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
import { installEntry } from '../servers/install_cache.ts';
import { requireProgram } from '../servers/machine_tools.ts';

/** Other people's server side of NTLM, in Python. */
const packages = ['pyspnego==0.12.4'];
const run = promisify(execFile);

/** Says, a line in hex each: the challenge, whether the account is taken, a message opened, and one
 *  sealed. */
const acceptorScript = `
import sys, spnego
from spnego.exceptions import SpnegoError
def heard(): return bytes.fromhex(sys.stdin.readline().strip())
def say(text): print(text, flush=True)
server = spnego.server(protocol='ntlm')
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

interface Peer {
  ask(...messages: Buffer[]): void;
  line(): Promise<string>;
}

function peerOf(t: TestContext): Peer {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-ntlm-'));
  const file = join(directory, 'users');
  writeFileSync(file, 'LAB:reader:pass – wörd\n');
  const child = spawn('python3', ['-c', acceptorScript], {
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

async function login(peer: Peer, password: string) {
  const negotiate = negotiateMessage();
  peer.ask(negotiate);
  const challenge = Buffer.from(await peer.line(), 'hex');
  const account = { username: 'reader', password, domain: 'LAB' };
  const { message, seal } = authenticateMessage(negotiate, challenge, account, 'HTTP/host');
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
