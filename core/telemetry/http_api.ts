import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { messageOf, SluiceError } from '../errors/sluice_error.ts';
import type { Log } from '../sdk/contracts.ts';

/** Requests that may change or read data carry `Authorization: Bearer TOKEN`. */
export interface HttpApiOptions {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly token: string;
  readonly log: Log;
}

export interface ApiAnswer {
  readonly status: number;
  /** A string is sent as text, anything else as JSON. */
  readonly body: unknown;
  readonly contentType?: string;
}

export interface ApiRoute {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly path: string;
  readonly needsToken: boolean;
  answer(body: Buffer): Promise<ApiAnswer> | ApiAnswer;
}

const bodyBytesMax = 1024 * 1024;
const connectionsMax = 64;
/** For requests that are under way when the interface closes. */
const closeGraceMs = 500;

/** A random token for an agent whose file names none. */
export function newApiToken(): string {
  return randomBytes(24).toString('base64url');
}

/** The agent's own HTTP interface. Listens where it is told, loopback by default; refuses Host
 *  headers that name another machine, so that a web page cannot reach it by rebinding a name. */
export class HttpApi {
  private readonly options: HttpApiOptions;
  private readonly server: Server;
  private routes: readonly ApiRoute[] | undefined;

  private constructor(options: HttpApiOptions) {
    this.options = options;
    const settings = { connectionsCheckingInterval: 1000 };
    this.server = createServer(settings, (request, response) => {
      this.handle(request, response).catch((error) => {
        options.log.error({ error: messageOf(error) }, 'An HTTP request failed.');
        if (!response.headersSent) send(response, { status: 500, body: 'internal error\n' });
        else response.destroy();
      });
    });
    this.server.maxConnections = connectionsMax;
    this.server.requestTimeout = 30_000;
    this.server.headersTimeout = 10_000;
  }

  /** Takes the address; until `serve` says with what, requests are answered 503, that for
   *  `/livez` 200.
   *  Throws SLUICE_LISTEN_FAILED when the address is taken or not allowed. */
  static async listen(options: HttpApiOptions): Promise<HttpApi> {
    const api = new HttpApi(options);
    await new Promise<void>((resolve, reject) => {
      api.server.once('error', (cause) => {
        const place = `${options.host}:${options.port}`;
        const text = `The HTTP interface cannot listen on ${place} (${messageOf(cause)}): choose another http_port.`;
        reject(new SluiceError('SLUICE_LISTEN_FAILED', text, { cause }));
      });
      api.server.listen(options.port, options.host, resolve);
    });
    return api;
  }

  serve(routes: readonly ApiRoute[]): void {
    this.routes = routes;
  }

  get port(): number {
    const address = this.server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** Answers that are being written, such as that of a drain, still go out. */
  async close(): Promise<void> {
    const cut = setTimeout(() => this.server.closeAllConnections(), closeGraceMs);
    await new Promise((resolve) => {
      this.server.close(resolve);
      this.server.closeIdleConnections();
    });
    clearTimeout(cut);
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!this.isOwnHost(request.headers.host)) {
      return send(response, { status: 421, body: 'this Host is not served here\n' });
    }
    const path = (request.url ?? '/').split('?')[0]!;
    if (this.routes === undefined) return send(response, whileStarting(path));
    const here = this.routes.filter((route) => route.path === path);
    if (here.length === 0) return send(response, { status: 404, body: 'not found\n' });
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    const route = here.find((one) => one.method === method);
    if (route === undefined) return send(response, { status: 405, body: 'method not allowed\n' });
    if (route.needsToken && !this.hasToken(request)) {
      const body = 'this needs "Authorization: Bearer TOKEN" with service.http_token\n';
      return send(response, { status: 401, body });
    }
    const body = await readBody(request);
    if (body === undefined) return send(response, { status: 413, body: 'too large\n' });
    send(response, await route.answer(body));
  }

  private isOwnHost(header: string | undefined): boolean {
    if (header === undefined) return false;
    const host = header.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
    if (host === 'localhost' || host === '::1' || /^127(\.\d+){3}$/.test(host)) return true;
    // Listening on more than loopback was asked for: then names of that address are served too.
    return this.options.host !== '127.0.0.1' && this.options.host !== '::1';
  }

  private hasToken(request: IncomingMessage): boolean {
    const given = digest(request.headers.authorization ?? '');
    return timingSafeEqual(given, digest(`Bearer ${this.options.token}`));
  }
}

/** Texts of any length as digests of one: time tells neither where they differ nor how long they are. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request) {
    // The request has no encoding set: its parts are buffers.
    bytes += (part as Buffer).length;
    if (bytes > bodyBytesMax) return undefined;
    parts.push(part as Buffer);
  }
  return Buffer.concat(parts);
}

function send(response: ServerResponse, answer: ApiAnswer): void {
  const isText = typeof answer.body === 'string';
  const text = isText ? (answer.body as string) : `${JSON.stringify(answer.body)}\n`;
  const type = answer.contentType ?? (isText ? 'text/plain; charset=utf-8' : 'application/json');
  response.writeHead(answer.status, {
    'content-type': type,
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(text);
}

/** The answer before the agent is built. A start that reads long buffers is no reason to kill the
 *  process. */
function whileStarting(path: string): ApiAnswer {
  if (path === '/livez') return { status: 200, body: 'starting\n' };
  const problems = [{ component: 'agent', reason: 'The agent is starting.', forSeconds: 0 }];
  return { status: 503, body: path === '/readyz' ? { ready: false, problems } : 'starting\n' };
}
