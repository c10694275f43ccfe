import type { ConnectionOptions } from 'node:tls';
import type { Dispatcher } from 'undici';
import { type Clock, importDriver } from '../../../core/sdk/index.ts';
import { failureOf, HttpFailure } from './http_failure.ts';

export interface HttpClientOptions {
  /** `http://host:port` or `https://host:port`. */
  readonly origin: string;
  /** For https: what node:tls takes. */
  readonly tls?: ConnectionOptions;
  /** `http://[user:password@]host:port` of a proxy. */
  readonly proxy?: string;
  readonly connectTimeoutMs: number;
  /** From the start of a request to the end of its answer. */
  readonly responseTimeoutMs: number;
  /** Connections at a time; requests beyond wait. */
  readonly connectionsMax: number;
  readonly clock: Clock;
}

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT';
  /** Path and query. */
  readonly path: string;
  /** Names and values in turn, so that a name can stand twice. */
  readonly headers: readonly string[];
  readonly body?: Buffer;
  readonly signal: AbortSignal;
  /** The answer is cut off here. */
  readonly responseBytesMax: number;
}

export interface HttpResponse {
  readonly status: number;
  /** By lower-case name; of several the first. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
  /** The body was longer than allowed and the rest was thrown away. */
  readonly truncated: boolean;
}

/** Sends requests to one server over a pool of kept-alive connections. Redirects are answers like
 *  any other. Errors: HttpFailure. The pool is made at the first request. */
export class HttpClient {
  readonly origin: string;
  private readonly options: HttpClientOptions;
  private dispatcher: Promise<Dispatcher> | undefined;

  constructor(options: HttpClientOptions) {
    this.options = options;
    this.origin = options.origin;
  }

  async request(request: HttpRequest): Promise<HttpResponse> {
    this.dispatcher ??= makeDispatcher(this.options);
    const dispatcher = await this.dispatcher;
    return exchange(dispatcher, this.options, request);
  }

  /** Ends open connections. Requests under way fail. */
  async close(): Promise<void> {
    const dispatcher = await this.dispatcher;
    this.dispatcher = undefined;
    await dispatcher?.destroy();
  }
}

function exchange(
  dispatcher: Dispatcher,
  options: HttpClientOptions,
  request: HttpRequest,
): Promise<HttpResponse> {
  const { origin, clock, responseTimeoutMs } = options;
  const { signal } = request;
  if (signal.aborted) return Promise.reject(new HttpFailure('aborted', `${origin}: given up`));
  return new Promise((resolve, reject) => {
    let controller: Dispatcher.DispatchController | undefined;
    let isOver = false;
    const finish = (): void => {
      isOver = true;
      cancelDeadline();
      signal.removeEventListener('abort', onAbort);
    };
    const fail = (error: unknown): void => {
      if (isOver) return;
      finish();
      reject(failureOf(error, origin));
      controller?.abort(error instanceof Error ? error : new Error(String(error)));
    };
    const cancelDeadline = clock.after(responseTimeoutMs, () => {
      const text = `${origin}: no answer in time (${responseTimeoutMs} ms)`;
      fail(new HttpFailure('timeout', text));
    });
    const onAbort = (): void => fail(new HttpFailure('aborted', `${origin}: given up`));
    signal.addEventListener('abort', onAbort, { once: true });
    const answer = new AnswerReader(request.responseBytesMax);
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart(started) {
        controller = started;
        if (isOver) started.abort(new Error('given up'));
      },
      onResponseStart(_controller, status, headers) {
        answer.start(status, headers);
      },
      onResponseData(_controller, chunk) {
        answer.data(chunk);
      },
      onResponseEnd() {
        if (isOver) return;
        finish();
        resolve(answer.response());
      },
      onResponseError(_controller, error) {
        fail(error);
      },
    };
    try {
      dispatcher.dispatch(dispatchOptions(options, request), handler);
    } catch (error) {
      fail(error);
    }
  });
}

function dispatchOptions(
  options: HttpClientOptions,
  request: HttpRequest,
): Dispatcher.DispatchOptions {
  const isForwarded = options.proxy !== undefined && !isHttps(options.origin);
  return {
    origin: isForwarded ? originOf(options.proxy) : options.origin,
    // RFC 9112 section 3.2.2: a proxy takes the whole URL for plain http.
    path: isForwarded ? options.origin + request.path : request.path,
    method: request.method,
    headers: isForwarded
      ? [...request.headers, 'host', new URL(options.origin).host, ...proxyHeaders(options.proxy)]
      : [...request.headers],
    body: request.body ?? null,
    // The one deadline is ours: it covers the body too.
    headersTimeout: 0,
    bodyTimeout: 0,
  };
}

/** Collects an answer up to its limit. */
class AnswerReader {
  private readonly bytesMax: number;
  private status = 0;
  private headers = new Map<string, string>();
  private chunks: Buffer[] = [];
  private bytes = 0;
  private truncated = false;

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  start(status: number, headers: Readonly<Record<string, string | string[] | undefined>>): void {
    this.status = status;
    this.headers = new Map();
    for (const [name, value] of Object.entries(headers)) {
      const first = Array.isArray(value) ? value[0] : value;
      if (first !== undefined) this.headers.set(name.toLowerCase(), first);
    }
  }

  data(chunk: Buffer): void {
    const room = this.bytesMax - this.bytes;
    if (chunk.length > room) this.truncated = true;
    if (room <= 0) return;
    const kept = chunk.length > room ? chunk.subarray(0, room) : chunk;
    this.chunks.push(kept);
    this.bytes += kept.length;
  }

  response(): HttpResponse {
    const body = this.chunks.length === 1 ? this.chunks[0]! : Buffer.concat(this.chunks);
    return { status: this.status, headers: this.headers, body, truncated: this.truncated };
  }
}

async function makeDispatcher(options: HttpClientOptions): Promise<Dispatcher> {
  const connect = {
    ...options.tls,
    timeout: options.connectTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelay: 60_000,
  };
  const shared = {
    connections: options.connectionsMax,
    pipelining: 1,
    keepAliveTimeout: 30_000,
    maxHeaderSize: 64 * 1024,
  };
  const proxy = options.proxy;
  if (proxy === undefined) {
    const Pool = await importPool();
    return new Pool(options.origin, { ...shared, connect });
  }
  if (!isHttps(options.origin)) {
    const Pool = await importPool();
    return new Pool(originOf(proxy), { ...shared, connect: { ...connect, servername: undefined } });
  }
  const { ProxyAgent } = await importDriver('undici', () => import('undici'));
  return new ProxyAgent({
    ...shared,
    uri: originOf(proxy),
    token: proxyHeaders(proxy)[1],
    requestTls: connect,
    proxyTls: { timeout: options.connectTimeoutMs },
  });
}

async function importPool(): Promise<typeof import('undici').Pool> {
  try {
    return (await import('undici/lib/dispatcher/pool.js')).default;
  } catch {
    // Another layout of the library: the whole of it then.
    return (await importDriver('undici', () => import('undici'))).Pool;
  }
}

function isHttps(origin: string): boolean {
  return origin.startsWith('https:');
}

function originOf(proxy: string | undefined): string {
  return new URL(proxy ?? '').origin;
}

function proxyHeaders(proxy: string | undefined): string[] {
  const { username, password } = new URL(proxy ?? '');
  if (username === '') return [];
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return ['proxy-authorization', `Basic ${Buffer.from(pair).toString('base64')}`];
}
