import type { HttpRequest } from './http_client.ts';

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
  /** Ends all connections. Requests under way fail. */
  close(): Promise<void>;
}
