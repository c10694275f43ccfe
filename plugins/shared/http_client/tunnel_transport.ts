import type { ProxyAgent } from 'undici';
import { importDriver } from '../../../core/sdk/index.ts';
import type { HttpClientOptions, HttpRequest } from './http_client.ts';
import { proxyHeaders } from './node_transport.ts';
import type { AnswerReceiver, Transport } from './transport.ts';

/** Sends https through a proxy's CONNECT tunnel, over undici. `options.proxy` is there. */
export async function openTunnelTransport(options: HttpClientOptions): Promise<Transport> {
  const library = await importDriver('undici', () => import('undici'));
  const proxy = options.proxy ?? '';
  const dispatcher = new library.ProxyAgent({
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
  return new TunnelTransport(options.origin, dispatcher);
}

class TunnelTransport implements Transport {
  private readonly origin: string;
  private readonly dispatcher: ProxyAgent;

  constructor(origin: string, dispatcher: ProxyAgent) {
    this.origin = origin;
    this.dispatcher = dispatcher;
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
