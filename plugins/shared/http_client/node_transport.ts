import { Agent, type ClientRequest, request as startRequest } from 'node:http';
import type { Socket } from 'node:net';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import type { HttpRequest } from './http_client.ts';
import { HttpFailure } from './http_failure.ts';
import type { AnswerReceiver, Transport, TransportOptions } from './transport.ts';

const idleConnectionMs = 30_000;
const keepAliveProbeMs = 60_000;
const headerBytesMax = 64 * 1024;

/** Sends over node's own client. Its parser is native: undici's is WebAssembly, whose compiler takes 20 MB and a
 *  fifth of a second of processor time once the agent is warm.
 *
 *  With a proxy, plain http only: the proxy is connected to and takes the whole URL (RFC 9112 section 3.2.2). */
export async function openNodeTransport(options: TransportOptions): Promise<Transport> {
  const peer = new URL(options.proxy ?? options.origin);
  const isTls = peer.protocol === 'https:';
  const settings = {
    keepAlive: options.keepsConnections ?? true,
    keepAliveMsecs: keepAliveProbeMs,
    maxSockets: options.connectionsMax,
    timeout: options.idleTimeoutMs ?? idleConnectionMs,
    ...(options.sourceAddress === undefined ? {} : { localAddress: options.sourceAddress }),
  };
  if (!isTls) return new NodeTransport(options, peer, new Agent(settings), startRequest);
  const https = await import('node:https');
  const tls = options.proxy === undefined ? options.tls : { ...options.tls, servername: undefined };
  return new NodeTransport(options, peer, new https.Agent({ ...settings, ...tls }), https.request);
}

class NodeTransport implements Transport {
  private readonly options: TransportOptions;
  private readonly peer: URL;
  private readonly agent: Agent;
  private readonly start: typeof startRequest;

  constructor(options: TransportOptions, peer: URL, agent: Agent, start: typeof startRequest) {
    this.options = options;
    this.peer = peer;
    this.agent = agent;
    this.start = start;
  }

  send(request: HttpRequest, receiver: AnswerReceiver): (reason: Error) => void {
    const { origin, proxy } = this.options;
    const { hostname, port, protocol } = this.peer;
    const sent = this.start({
      agent: this.agent,
      protocol,
      host: hostname.replace(/^\[|\]$/g, ''),
      port: port === '' ? undefined : Number(port),
      method: request.method,
      path: proxy === undefined ? request.path : origin + request.path,
      headers: this.headersOf(request),
      maxHeaderSize: headerBytesMax,
    });
    this.limitConnecting(sent);
    this.hear(sent, request, receiver);
    sendBody(sent, request.body);
    return (reason) => sent.destroy(reason);
  }

  /** Connections are kept apart by their certificates: old ones are not used again, and close when
   *  they have been idle. */
  renew(tls: ConnectionOptions): void {
    renewAgent(this.agent, tls);
  }

  async close(): Promise<void> {
    this.agent.destroy();
  }

  /** A list of headers is written as it is: node adds neither the host nor the length to it. */
  private headersOf({ headers, method, body }: HttpRequest): string[] {
    const { origin, proxy } = this.options;
    const isHostNamed = headers.some((text, i) => i % 2 === 0 && text.toLowerCase() === 'host');
    const needsLength = body !== undefined || method === 'POST' || method === 'PUT';
    return [
      ...headers,
      ...(isHostNamed ? [] : ['host', new URL(origin).host]),
      ...(needsLength ? ['content-length', String(lengthOf(body))] : []),
      ...(proxy === undefined ? [] : proxyHeaders(proxy)),
    ];
  }

  /** A connection that was used before is there already. */
  private limitConnecting(sent: ClientRequest): void {
    const { clock, connectTimeoutMs, origin } = this.options;
    sent.once('socket', (socket: Socket | TLSSocket) => {
      if (!socket.connecting) return;
      const cancel = clock.after(connectTimeoutMs, () => {
        const text = `${origin}: cannot connect (no connection within ${connectTimeoutMs} ms)`;
        sent.destroy(new HttpFailure('connect', text));
      });
      socket.once('encrypted' in socket ? 'secureConnect' : 'connect', cancel);
      socket.once('close', cancel);
    });
  }

  private hear(sent: ClientRequest, request: HttpRequest, receiver: AnswerReceiver): void {
    sent.on('error', (error) => receiver.error(error));
    sent.on('response', (response) => {
      const certificate = request.wantsCertificate ? certificateOf(response.socket) : undefined;
      receiver.start(response.statusCode!, response.headers, certificate);
      response.on('data', (chunk: Buffer) => receiver.data(chunk));
      response.on('end', () => receiver.end());
      response.on('error', (error) => receiver.error(error));
    });
    // An answer that node does not give to anyone, as a change of protocol, only ends the connection.
    sent.on('close', () => receiver.error(new Error('the connection was closed')));
  }
}

function certificateOf(socket: Socket | TLSSocket): Buffer | undefined {
  return 'getPeerX509Certificate' in socket ? socket.getPeerX509Certificate()?.raw : undefined;
}

/** Has the new connections of an agent of node:https use other certificates. */
export function renewAgent(agent: Agent, tls: ConnectionOptions): void {
  // Documented as what the agent was made with; its types leave it out.
  Object.assign((agent as unknown as { options: object }).options, tls);
}

/** All parts go to the socket in one call. */
function sendBody(sent: ClientRequest, body: HttpRequest['body']): void {
  if (body === undefined || Buffer.isBuffer(body)) {
    sent.end(body);
    return;
  }
  sent.cork();
  for (const part of body) sent.write(part);
  sent.end();
}

function lengthOf(body: HttpRequest['body']): number {
  if (body === undefined || Buffer.isBuffer(body)) return body?.length ?? 0;
  return body.reduce((sum, part) => sum + part.length, 0);
}

/** The header that shows the credentials in the URL of a proxy, if there are any. */
export function proxyHeaders(proxy: string): string[] {
  const { username, password } = new URL(proxy);
  if (username === '') return [];
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return ['proxy-authorization', `Basic ${Buffer.from(pair).toString('base64')}`];
}
