import assert from 'node:assert/strict';
import { rename, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import {
  scriptedInput,
  scriptedOutput,
  startPipeline,
  waitUntil,
} from '../../core/testing/index.ts';
import { type Clock, systemClock } from '../../core/time/clock.ts';
import { plugin as httpInput } from '../../plugins/inputs/http/index.ts';
import { plugin as httpOutput } from '../../plugins/outputs/http/index.ts';
import { workplace } from '../cli/run_cli.ts';
import { type Certificate, makeCertificate } from '../engine/certificates.ts';
import { freePort } from './free_port.ts';

const authority = makeCertificate('authority');
const stranger = makeCertificate('stranger');

/** Certificates are looked at every 5 s: here that is a tenth of a second. */
const hasty: Clock = {
  ...systemClock,
  nowMs: () => systemClock.nowMs(),
  monotonicMs: () => systemClock.monotonicMs() * 50,
  every: (periodMs, work) => systemClock.every(Math.max(periodMs / 50, 1), work),
};

/** Writes as a renewal does: the certificate, then its key, each in one step. */
async function install(directory: string, name: string, { certificate, key }: Certificate) {
  for (const [kind, text] of [
    ['crt', certificate],
    ['key', key],
  ] as const) {
    await writeFile(join(directory, `new.${kind}`), text);
    await rename(join(directory, `new.${kind}`), join(directory, `${name}.${kind}`));
  }
}

async function listening(t: TestContext, verifies: boolean) {
  const directory = workplace(t, { 'ca.crt': authority.certificate });
  await install(directory, 'server', makeCertificate('first', authority));
  const port = await freePort();
  const output = scriptedOutput();
  const client = verifies ? ', tls.verify_client_cert: on, tls.ca_file: ca.crt' : '';
  const pipeline = await startPipeline({
    yaml: `
service: {flush: 20ms}
pipeline:
  inputs: [{name: http, port: ${port}, tls: on, tls.crt_file: server.crt, tls.key_file: server.key${client}}]
  outputs: [{name: scripted, match: '*'}]
`,
    plugins: [httpInput, output.plugin],
    directory,
    clock: hasty,
  });
  t.after(() => pipeline.stop());
  const shake = (options: ConnectionOptions = {}) => handshake(port, options);
  return { directory, shake, output };
}

/** What came of a handshake and a request behind it. */
function handshake(port: number, options: ConnectionOptions) {
  return new Promise<{ name: string | undefined; status: string; protocol: string | null }>(
    (resolve) => {
      const socket: TLSSocket = connect({
        port,
        host: '127.0.0.1',
        ca: authority.certificate,
        ...options,
      });
      let text = '';
      let name: string | undefined;
      let protocol: string | null = null;
      socket.on('secureConnect', () => {
        name = String(socket.getPeerCertificate().subject.CN);
        protocol = socket.getProtocol();
      });
      const end = (error?: Error) => {
        const status = /^HTTP\/1.1 (\d+)/.exec(text)?.[1] ?? error?.message ?? 'closed';
        resolve({ name, status, protocol });
        socket.destroy();
      };
      socket.on('error', end).on('close', () => end());
      socket.on('data', (data) => {
        text += data.toString();
        end();
      });
      socket.write(
        'POST /x HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 7\r\n\r\n{"a":1}',
      );
    },
  );
}

test('the http input takes TLS 1.2 and 1.3 and nothing older', async (t) => {
  const { shake } = await listening(t, false);
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const { status, protocol } = await shake({ minVersion: version, maxVersion: version });
    assert.deepEqual([status, protocol], ['200', version]);
  }
  for (const version of ['TLSv1', 'TLSv1.1'] as const) {
    const old = {
      minVersion: version,
      maxVersion: version,
      ciphers: 'DEFAULT@SECLEVEL=0',
    } as const;
    const { status } = await shake(old);
    assert.match(status, /alert|protocol version|closed|disconnected/i);
  }
});

test('with tls.verify_client_cert only clients of the authority may send', async (t) => {
  const { shake, output } = await listening(t, true);
  const { certificate: cert, key } = makeCertificate('client', authority);
  const other = makeCertificate('client', stranger);
  const expired = makeCertificate('client', authority, { isExpired: true });
  assert.equal((await shake({ cert, key })).status, '200');
  for (const shown of [
    {},
    { cert: other.certificate, key: other.key },
    { cert: expired.certificate, key: expired.key },
  ]) {
    assert.notEqual((await shake(shown)).status, '200');
  }
  assert.equal(output.accepted.length, 1);
});

test('the http input shows a renewed certificate without a restart, and the old one until it is whole', async (t) => {
  const { directory, shake } = await listening(t, false);
  assert.equal((await shake()).name, 'first');
  const { certificate, key } = makeCertificate('second', authority);
  await writeFile(join(directory, 'server.crt'), certificate);
  for (let k = 0; k < 20; k++) {
    assert.equal((await shake()).name, 'first', 'a certificate without its key is not used');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await writeFile(join(directory, 'server.key'), key.slice(0, 40));
  assert.equal((await shake()).status, '200');
  await writeFile(join(directory, 'server.key'), key);
  await waitUntil('the new certificate', async () => (await shake()).name === 'second');
});

/** A server that asks clients for a certificate of the authority. */
async function askingServer(
  t: TestContext,
  options: object = {},
): Promise<{ port: number; names: string[] }> {
  const { certificate, key } = makeCertificate('destination', authority);
  const names: string[] = [];
  const server: Server = createServer(
    {
      cert: certificate,
      key,
      ca: authority.certificate,
      requestCert: true,
      rejectUnauthorized: true,
      ...options,
    },
    (request, response) => {
      names.push(String((request.socket as TLSSocket).getPeerCertificate().subject.CN));
      request.resume().on('end', () => response.end());
    },
  );
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return { port: address.port, names };
}

async function sending(t: TestContext, port: number) {
  const directory = workplace(t, { 'ca.crt': authority.certificate });
  await install(directory, 'client', makeCertificate('client-1', authority));
  const input = scriptedInput();
  const pipeline = await startPipeline({
    yaml: `
service: {flush: 20ms, scheduler.base: 50ms, scheduler.cap: 50ms, grace: 1s}
pipeline:
  inputs: [{name: scripted}]
  outputs: [{name: http, alias: out, match: '*', host: 127.0.0.1, port: ${port}, tls: on, tls.ca_file: ca.crt, tls.crt_file: client.crt, tls.key_file: client.key}]
`,
    plugins: [input.plugin, httpOutput],
    directory,
    clock: hasty,
  });
  t.after(() => pipeline.stop({ drained: false }));
  return { directory, input, pipeline };
}

test('an output shows its certificate, and a renewed one without a restart', async (t) => {
  const server = await askingServer(t);
  const { directory, input } = await sending(t, server.port);
  await input.emit([{ a: 1 }]);
  await waitUntil('the first', () => server.names.length === 1);
  await install(directory, 'client', makeCertificate('client-2', authority));
  await waitUntil('the second certificate', async () => {
    await input.emit([{ a: 2 }]);
    await new Promise((resolve) => setTimeout(resolve, 50));
    return server.names.includes('client-2');
  });
  assert.equal(server.names[0], 'client-1');
  assert.deepEqual(new Set(server.names), new Set(['client-1', 'client-2']));
});

test('an output does not speak TLS 1.1, whatever the server offers', async (t) => {
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' };
  const server = await askingServer(t, old);
  const { input, pipeline } = await sending(t, server.port);
  void input.emit([{ a: 1 }]);
  await waitUntil('the failure', () => pipeline.agent.problems().length > 0);
  assert.match(pipeline.agent.problems()[0]!.reason, /TLS failed/);
  assert.deepEqual(server.names, []);
});
