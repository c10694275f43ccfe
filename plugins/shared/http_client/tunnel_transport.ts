import type { ConnectionOptions } from 'node:tls';
import type { ProxyAgent } from 'undici';
import { importDriver } from '../../../core/sdk/index.ts';
import type { HttpRequest } from './http_client.ts';
import { proxyHeaders } from './node_transport.ts';
import type { AnswerReceiver, Transport, TransportOptions } from './transport.ts';

/** Sends https through a proxy's CONNECT tunnel, over undici. `options.proxy` is there. */
export async function openTunnelTransport(options: TransportOptions): Promise<Transport> {
  const library = await importDriver('undici', () => import('undici'));
  const open = (tls: ConnectionOptions | undefined) => openDispatcher(library, { ...options, tls });
  return new TunnelTransport(options.origin, open(options.tls), open);
}

function openDispatcher(library: typeof import('undici'), options: TransportOptions): ProxyAgent {
  const proxy = options.proxy ?? '';
  return new library.ProxyAgent({
    connections: options.connectionsMax,
    pipelining: 1,
    keepAliveTimeout: 30_000,
    maxHeaderSize: 64 * 1024,
    uri: new URL(proxy).origin,
    token: proxyHeaders(proxy)[1],
    requestTls: {
      ...options.tls,
      timeout: options.connectTimeoutMs,
      keepAlive: true,
      keepAliveInitialDelay: 60_000,
    },
    proxyTls: { timeout: options.connectTimeoutMs },
  });
}

class TunnelTransport implements Transport {
  private readonly origin: string;
  private dispatcher: ProxyAgent;
  private readonly open: (tls: ConnectionOptions) => ProxyAgent;

  constructor(
    origin: string,
    dispatcher: ProxyAgent,
    open: (tls: ConnectionOptions) => ProxyAgent,
  ) {
    this.origin = origin;
    this.dispatcher = dispatcher;
    this.open = open;
  }

  renew(tls: ConnectionOptions): void {
    const replaced = this.dispatcher;
    this.dispatcher = this.open(tls);
    replaced.close().catch(() => undefined);
  }

  send(request: HttpRequest, receiver: AnswerReceiver): (reason: Error) => void {
    let started: { abort(reason: Error): void } | undefined;
    let givenUp: Error | undefined;
    this.dispatcher.dispatch(
      {
        origin: this.origin,
        path: request.path,
        method: request.method,
        headers: [...request.headers],
        body: wholeBody(request.body),
        // The one deadline is the caller's: it covers the body too.
        headersTimeout: 0,
        bodyTimeout: 0,
      },
      {
        onRequestStart(controller) {
          started = controller;
          if (givenUp !== undefined) controller.abort(givenUp);
        },
        onResponseStart: (_controller, status, headers) => receiver.start(status, headers),
        onResponseData: (_controller, chunk) => receiver.data(chunk),
        onResponseEnd: () => receiver.end(),
        onResponseError: (_controller, error) => receiver.error(error),
      },
    );
    return (reason) => {
      givenUp = reason;
      started?.abort(reason);
    };
  }

  async close(): Promise<void> {
    await this.dispatcher.destroy();
  }
}

function wholeBody(body: HttpRequest['body']): Buffer | null {
  if (body === undefined || Buffer.isBuffer(body)) return body ?? null;
  return Buffer.concat(body);
}
