import { Agent } from 'node:https';
import { Readable } from 'node:stream';
import type { ClickHouseClient } from '@clickhouse/client';
import { type Clock, importDriver, messageOf, SluiceError } from '../../../core/sdk/index.ts';
import { renewAgent } from '../../shared/http_client/node_transport.ts';
import type { ClientTls } from '../../shared/tls/tls_client.ts';

export interface ServerOptions {
  /** `http://host:port` or `https://host:port`. */
  readonly origin: string;
  readonly path: string;
  readonly user: string;
  readonly password: string;
  readonly compress: boolean;
  readonly responseTimeoutMs: number;
  readonly connectionsMax: number;
  readonly tls: ClientTls | undefined;
  readonly clock: Clock;
}

/** What a server said. */
export interface Answer {
  readonly status: number;
  /** ClickHouse's number for the error; 0 when there is none. */
  readonly code: number;
  readonly text: string;
  readonly retryAfter: string | undefined;
}

export interface Insert {
  readonly query: string;
  readonly parts: readonly Buffer[];
  readonly settings: Readonly<Record<string, string | number | boolean>>;
  readonly signal: AbortSignal;
}

const answerBytesMax = 64 * 1024;

/** One server over its HTTP interface, by the client library. Answers of any status are returned;
 *  without an answer it throws SLUICE_OUTPUT_UNREACHABLE. */
export class ClickHouseServer {
  readonly origin: string;
  private readonly client: ClickHouseClient;
  private readonly agent: Agent | undefined;
  private readonly options: ServerOptions;

  static async connect(options: ServerOptions): Promise<ClickHouseServer> {
    const library = await importDriver('@clickhouse/client', () => import('@clickhouse/client'));
    // The library's own `tls` has no way to name a server or to turn verification off.
    const tls = await options.tls?.current(options.clock.monotonicMs());
    const agent =
      tls === undefined
        ? undefined
        : new Agent({ ...tls, keepAlive: true, maxSockets: options.connectionsMax });
    const client = library.createClient({
      url: options.origin,
      ...(options.path === '' ? {} : { pathname: options.path }),
      username: options.user,
      password: options.password,
      application: 'sluice',
      request_timeout: options.responseTimeoutMs,
      max_open_connections: options.connectionsMax,
      compression: { request: options.compress, response: false },
      ...(agent === undefined ? {} : { http_agent: agent }),
      log: { level: library.ClickHouseLogLevel.OFF },
    });
    return new ClickHouseServer(options, client, agent);
  }

  private constructor(options: ServerOptions, client: ClickHouseClient, agent: Agent | undefined) {
    this.origin = options.origin;
    this.options = options;
    this.client = client;
    this.agent = agent;
  }

  /** Sends bytes as they are. The library's `insert` takes objects only. */
  async insert({ query, parts, settings, signal }: Insert): Promise<Answer> {
    const values = Readable.from(parts, { objectMode: false });
    return this.exchange({ query, values, clickhouse_settings: settings, abort_signal: signal });
  }

  /** Runs a statement. */
  async run(query: string, signal: AbortSignal): Promise<Answer> {
    return this.exchange({ query, abort_signal: signal });
  }

  async close(): Promise<void> {
    await this.client.close();
    this.agent?.destroy();
  }

  private async exchange(params: {
    readonly query: string;
    readonly values?: Readable;
    readonly clickhouse_settings?: Readonly<Record<string, string | number | boolean>>;
    readonly abort_signal: AbortSignal;
  }): Promise<Answer> {
    // The library misses a signal that aborted before.
    if (params.abort_signal.aborted) {
      throw new SluiceError('SLUICE_SHUTDOWN', `${this.origin}: given up before it was asked.`);
    }
    const tls = await this.options.tls?.current(this.options.clock.monotonicMs());
    if (tls !== undefined && this.agent !== undefined) renewAgent(this.agent, tls);
    try {
      // Without this flag a 429 or 502 comes as an error that has no status.
      const reply = await this.client.exec({ ...params, ignore_error_response: true });
      const headers = reply.response_headers;
      const text = await readText(reply.stream as Readable);
      const status = reply.http_status_code ?? 0;
      return {
        status,
        code: codeOf(headers['x-clickhouse-exception-code'], text),
        text,
        retryAfter: oneOf(headers['retry-after']),
      };
    } catch (error) {
      throw new SluiceError(
        'SLUICE_OUTPUT_UNREACHABLE',
        `ClickHouse at ${this.origin} gave no answer (${messageOf(error)}): check that it is up and reachable.`,
        { cause: error },
      );
    }
  }
}

async function readText(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    // A byte stream: every chunk is a buffer.
    const part = chunk as Buffer;
    if (bytes < answerBytesMax) chunks.push(part);
    bytes += part.length;
  }
  return Buffer.concat(chunks).toString('utf8', 0, answerBytesMax);
}

/** The error's number from its header, or from the text of an error behind a 200. */
function codeOf(header: string | string[] | undefined, text: string): number {
  const named = Number(oneOf(header) ?? Number.NaN);
  if (Number.isInteger(named)) return named;
  const found = /^(?:__exception__[\s\S]{0,64})?Code: (\d{1,5})\. DB::Exception/m.exec(text);
  return found === null ? 0 : Number(found[1]);
}

function oneOf(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}
