import type { ConnectionOptions } from 'node:tls';
import type { Clock } from '../../../core/sdk/index.ts';
import type { ClientTls } from '../tls/tls_client.ts';
import { TlsFiles } from '../tls/tls_files.ts';
import { failureOf, HttpFailure } from './http_failure.ts';
import { openNodeTransport } from './node_transport.ts';
import type { Transport, TransportOptions } from './transport.ts';

export interface HttpClientOptions {
  /** `http://host:port` or `https://host:port`. */
  readonly origin: string;
  /** For https: what node:tls takes. */
  readonly tls?: ConnectionOptions | ClientTls;
  /** `http://[user:password@]host:port` of a proxy. */
  readonly proxy?: string;
  readonly connectTimeoutMs: number;
  /** From the start of a request to the end of its answer. */
  readonly responseTimeoutMs: number;
  /** False: a connection for each request. Default true. */
  readonly keepsConnections?: boolean;
  /** How long a connection may be idle; default 30 s. */
  readonly idleTimeoutMs?: number;
  /** Address of this machine to connect from. */
  readonly sourceAddress?: string;
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
  /** One part or several, which are sent one behind the other. */
  readonly body?: Buffer | readonly Buffer[];
  readonly signal: AbortSignal;
  /** The answer is cut off here. */
  readonly responseBytesMax: number;
  /** Asks for `certificate`. */
  readonly wantsCertificate?: boolean;
}

export interface HttpResponse {
  readonly status: number;
  /** By lower-case name; of several the first. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
  /** The body was longer than allowed and the rest was thrown away. */
  readonly truncated: boolean;
  /** The server's, in DER, of the connection that the answer came over; only where it was asked for,
   *  and not through a proxy. */
  readonly certificate?: Buffer | undefined;
}

/** Sends requests to one server over a pool of kept-alive connections. Redirects are answers like
 *  any other. Errors: HttpFailure. The pool is made at the first request. */
export class HttpClient {
  readonly origin: string;
  private readonly options: HttpClientOptions;
  private transport: Promise<Transport> | undefined;
  /** The certificates of new connections. */
  private used: ConnectionOptions | undefined;

  constructor(options: HttpClientOptions) {
    this.options = options;
    this.origin = options.origin;
  }

  async request(request: HttpRequest): Promise<HttpResponse> {
    const { tls, clock } = this.options;
    const settings = tls instanceof TlsFiles ? await tls.current(clock.monotonicMs()) : tls;
    if (this.transport === undefined) {
      this.transport = openTransport({ ...this.options, tls: settings });
    } else if (settings !== this.used && settings !== undefined) {
      (await this.transport).renew(settings);
    }
    this.used = settings;
    return exchange(await this.transport, this.options, request);
  }

  /** Ends open connections. Requests under way fail. */
  async close(): Promise<void> {
    const transport = await this.transport;
    this.transport = undefined;
    await transport?.close();
  }
}

async function openTransport(options: TransportOptions): Promise<Transport> {
  const needsTunnel = options.proxy !== undefined && options.origin.startsWith('https:');
  if (!needsTunnel) return await openNodeTransport(options);
  const { openTunnelTransport } = await import('./tunnel_transport.ts');
  return await openTunnelTransport(options);
}

function exchange(
  transport: Transport,
  options: HttpClientOptions,
  request: HttpRequest,
): Promise<HttpResponse> {
  const { origin, clock, responseTimeoutMs } = options;
  const { signal } = request;
  if (signal.aborted) return Promise.reject(new HttpFailure('aborted', `${origin}: given up`));
  return new Promise((resolve, reject) => {
    let giveUp: ((reason: Error) => void) | undefined;
    let isOver = false;
    const finish = (): void => {
      isOver = true;
      cancelDeadline();
      signal.removeEventListener('abort', onAbort);
    };
    const fail = (error: unknown): void => {
      if (isOver) return;
      finish();
      const failure = failureOf(error, origin);
      reject(failure);
      giveUp?.(failure);
    };
    const cancelDeadline = clock.after(responseTimeoutMs, () => {
      const text = `${origin}: no answer in time (${responseTimeoutMs} ms)`;
      fail(new HttpFailure('timeout', text));
    });
    const onAbort = (): void => fail(new HttpFailure('aborted', `${origin}: given up`));
    signal.addEventListener('abort', onAbort, { once: true });
    const answer = new AnswerReader(request.responseBytesMax);
    const end = (): void => {
      if (isOver) return;
      finish();
      resolve(answer.response());
    };
    try {
      giveUp = transport.send(request, {
        start: (status, headers, certificate) => answer.start(status, headers, certificate),
        data: (chunk) => answer.data(chunk),
        end,
        error: fail,
      });
    } catch (error) {
      fail(error);
    }
  });
}

/** Collects an answer up to its limit. */
class AnswerReader {
  private readonly bytesMax: number;
  private status = 0;
  private headers = new Map<string, string>();
  private chunks: Buffer[] = [];
  private bytes = 0;
  private truncated = false;
  private certificate: Buffer | undefined;

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  start(
    status: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
    certificate: Buffer | undefined,
  ): void {
    this.status = status;
    this.certificate = certificate;
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
    const { status, headers, truncated, certificate } = this;
    return { status, headers, body, truncated, certificate };
  }
}
