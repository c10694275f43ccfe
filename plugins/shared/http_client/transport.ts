import type { ConnectionOptions } from 'node:tls';
import type { HttpClientOptions, HttpRequest } from './http_client.ts';

export type TransportOptions = Omit<HttpClientOptions, 'tls'> & {
  readonly tls?: ConnectionOptions | undefined;
};

/** What comes of one request: `start`, `data` any number of times, `end`; or `error`, at any time, also after
 *  `end` and more than once. */
export interface AnswerReceiver {
  start(
    status: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
    certificate?: Buffer,
  ): void;
  data(chunk: Buffer): void;
  end(): void;
  error(error: unknown): void;
}

/** Connections to one server and how requests go over them. */
export interface Transport {
  /** Sends a request; what is returned ends it at once. Throws for a request that cannot be written. */
  send(request: HttpRequest, receiver: AnswerReceiver): (reason: Error) => void;
  /** New connections use these certificates; requests under way end as they began. */
  renew(tls: ConnectionOptions): void;
  /** Ends all connections. Requests under way fail. */
  close(): Promise<void>;
}
