import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { TestContext } from 'node:test';
import type { NtlmAccount } from '../../../plugins/shared/ntlm/ntlm_client.ts';
import { NtlmAcceptor } from '../ntlm/ntlm_acceptor.ts';

/** A small WinRM: NTLM or basic, messages sealed or not, Enumerate, Pull and Release of rows that a
 *  test gives, page by page, and faults. */
export interface WinrmScript {
  readonly account: NtlmAccount;
  readonly pages: readonly (readonly string[])[];
  readonly fault?: { readonly status: number; readonly body: string } | undefined;
  /** Answers to a query never come. */
  readonly hangs?: (envelope: string) => boolean;
  readonly isPlain?: boolean;
  readonly tls?: ServerOptions;
  /** What logins have to be bound to, as `CbtHardeningLevel` Strict demands. */
  readonly channelBinding?: Buffer;
}

export interface WinrmServer {
  readonly port: number;
  readonly envelopes: string[];
  /** Connections that were authenticated. */
  authenticated(): number;
  /** Closes connections that rest, as the server does with idle ones. */
  dropConnections(): void;
}

export async function winrmServer(t: TestContext, script: WinrmScript): Promise<WinrmServer> {
  const sessions = new WeakMap<Socket, Session>();
  const sockets = new Set<Socket>();
  const envelopes: string[] = [];
  let authenticated = 0;
  const hear = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    sockets.add(request.socket);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const session = sessions.get(request.socket) ?? new Session(script);
    sessions.set(request.socket, session);
    const header = request.headers.authorization ?? '';
    const step = session.authenticate(header, body);
    if (step !== undefined) {
      if (step.status === 200) authenticated++;
      response.writeHead(step.status, step.headers).end();
      return;
    }
    const text = session.open(request, body);
    envelopes.push(text);
    if (script.hangs?.(text) === true) return;
    const { status, body: answer } = script.fault ?? { status: 200, body: page(script, text) };
    session.send(response, status, answer, script.isPlain === true);
  };
  const handler = (request: IncomingMessage, response: ServerResponse): void =>
    void hear(request, response).catch(() => response.writeHead(500).end());
  const server =
    script.tls === undefined ? createServer(handler) : createTlsServer(script.tls, handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    port: (server.address() as AddressInfo).port,
    envelopes,
    authenticated: () => authenticated,
    dropConnections: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
}

const boundary = '--Encrypted Boundary';
const head = `${boundary}\r\n\tContent-Type: application/HTTP-SPNEGO-session-encrypted\r\n`;

class Session {
  private readonly acceptor: NtlmAcceptor;
  private readonly script: WinrmScript;
  private isKnown = false;

  constructor(script: WinrmScript) {
    this.script = script;
    this.acceptor = new NtlmAcceptor(script.account);
  }

  /** What a request of the handshake is answered; undefined for one that has a message. */
  authenticate(
    header: string,
    body: Buffer,
  ): { status: number; headers: Record<string, string> } | undefined {
    const offer = { 'www-authenticate': 'Negotiate' };
    const [, scheme, token = ''] = /^(\w+) (\S+)$/.exec(header) ?? [];
    if (scheme === 'Basic') {
      const { domain, username, password } = this.script.account;
      const pair = Buffer.from(token, 'base64').toString();
      if (pair === `${domain}\\${username}:${password}`) return undefined;
      return { status: 401, headers: { 'www-authenticate': 'Basic realm="WSMAN"' } };
    }
    if (scheme === undefined) {
      return this.isKnown && body.length > 0 ? undefined : { status: 401, headers: offer };
    }
    const message = Buffer.from(token, 'base64');
    if (message.readUInt32LE(8) === 1) {
      const challenge = this.acceptor.challengeFor(message).toString('base64');
      return { status: 401, headers: { 'www-authenticate': `Negotiate ${challenge}` } };
    }
    this.isKnown = this.acceptor.accepts(message, this.script.channelBinding);
    return this.isKnown ? { status: 200, headers: {} } : { status: 401, headers: offer };
  }

  open(request: IncomingMessage, body: Buffer): string {
    if (!/^multipart\/encrypted/.test(request.headers['content-type'] ?? '')) return String(body);
    const mark = 'application/octet-stream\r\n';
    const at = body.indexOf(mark) + mark.length;
    const length = body.readUInt32LE(at);
    const signature = body.subarray(at + 4, at + 4 + length);
    const sealed = body.subarray(at + 4 + length, body.lastIndexOf(boundary));
    this.isSealed = true;
    return this.acceptor.open(signature, sealed).toString();
  }

  private isSealed = false;

  send(response: ServerResponse, status: number, text: string, isPlain: boolean): void {
    if (!this.isSealed || isPlain) {
      response.writeHead(status, { 'content-type': 'application/soap+xml' }).end(text);
      return;
    }
    const plain = Buffer.from(text);
    const { signature, sealed } = this.acceptor.seal(plain);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(signature.length);
    const kind = `\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length=${plain.length}\r\n`;
    const start = `${head}${kind}${boundary}\r\n\tContent-Type: application/octet-stream\r\n`;
    response.writeHead(status, { 'content-type': 'multipart/encrypted;protocol="x"' });
    response.end(
      Buffer.concat([
        ...[Buffer.from(start), length, signature, sealed],
        Buffer.from(`${boundary}--\r\n`),
      ]),
    );
  }
}

function page({ pages }: WinrmScript, envelope: string): string {
  const isPull = envelope.includes('enumeration/Pull<');
  const at = isPull ? Number(/page-(\d+)/.exec(envelope)?.[1] ?? 0) : 0;
  const isEnd = at >= pages.length - 1;
  const name = isPull ? 'PullResponse' : 'EnumerateResponse';
  const prefix = isPull ? 'n' : 'w';
  const context = `<n:EnumerationContext>${isEnd ? '' : `page-${at + 1}`}</n:EnumerationContext>`;
  const items = `<${prefix}:Items>${(pages[at] ?? []).join('')}</${prefix}:Items>`;
  return (
    '<?xml version="1.0"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:n="n" xmlns:w="w">' +
    `<s:Header/><s:Body><n:${name}>${context}${items}${isEnd ? `<${prefix}:EndOfSequence/>` : ''}` +
    `</n:${name}></s:Body></s:Envelope>`
  );
}
