import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { gzip } from 'node:zlib';
import { messageOf, SluiceError } from '../../../core/sdk/index.ts';

export interface PageOptions {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly path: string;
  readonly allowedHosts: readonly string[];
  page(): string;
}

interface PageRefusal {
  readonly status: number;
  readonly text: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const connectionsMax = 64;
const contentType = 'text/plain; version=0.0.4; charset=utf-8';

/** Serves one page to scrapers. A Host header that names another machine is refused, so that a web
 *  page cannot read it by rebinding a name. */
export class MetricsPage {
  private readonly options: PageOptions;
  private readonly server: Server;

  constructor(options: PageOptions) {
    this.options = options;
    this.server = createServer({ connectionsCheckingInterval: 1000 }, (request, response) =>
      this.answer(request, response),
    );
    this.server.maxConnections = connectionsMax;
    this.server.headersTimeout = 10_000;
    this.server.requestTimeout = 30_000;
  }

  /** Errors: SLUICE_LISTEN_FAILED. */
  async listen(): Promise<void> {
    const { host, port } = this.options;
    await new Promise<void>((resolve, reject) => {
      const fail = (cause: Error): void => {
        const text = `The prometheus_exporter output cannot listen on ${host}:${port} (${messageOf(cause)}): choose another host or port.`;
        reject(new SluiceError('SLUICE_LISTEN_FAILED', text, { cause }));
      };
      this.server.once('error', fail);
      this.server.listen(port, host, () => {
        this.server.off('error', fail);
        resolve();
      });
    });
  }

  get port(): number {
    const address = this.server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    request.resume();
    const refusal = this.refusalOf(request);
    if (refusal !== undefined) {
      send(response, refusal.status, refusal.text, refusal.headers);
      return;
    }
    const text = this.options.page();
    if (!/\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''))) {
      send(response, 200, text);
      return;
    }
    gzip(text, { level: 1 }, (error, body) => {
      if (error !== null) send(response, 200, text);
      else send(response, 200, body, { 'content-encoding': 'gzip' });
    });
  }

  private refusalOf(request: IncomingMessage): PageRefusal | undefined {
    if (!this.isServedHost(request.headers.host)) {
      return { status: 421, text: 'This Host is not served here: see allowed_hosts.\n' };
    }
    const path = (request.url ?? '/').split('?')[0];
    if (path !== this.options.path) return { status: 404, text: 'not found\n' };
    if (request.method === 'GET' || request.method === 'HEAD') return undefined;
    return { status: 405, text: 'method not allowed\n', headers: { allow: 'GET, HEAD' } };
  }

  private isServedHost(header: string | undefined): boolean {
    if (header === undefined) return false;
    const name = header
      .toLowerCase()
      .replace(/:\d+$/, '')
      .replace(/^\[(.*)\]$/, '$1');
    if (isLoopback(name)) return true;
    const { host, allowedHosts } = this.options;
    if (allowedHosts.length > 0) return allowedHosts.some((one) => one.toLowerCase() === name);
    // Listening on more than loopback was asked for: then its names are served too.
    return !isLoopback(host);
  }
}

export function isLoopback(name: string): boolean {
  return name === 'localhost' || name === '::1' || /^127(?:\.\d+){3}$/.test(name);
}

function send(
  response: ServerResponse,
  status: number,
  body: string | Buffer,
  headers: Readonly<Record<string, string>> = {},
): void {
  if (response.destroyed) return;
  response.writeHead(status, {
    'content-type': status === 200 ? contentType : 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...headers,
  });
  response.end(body);
}
