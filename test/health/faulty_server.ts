import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Certificate } from '../engine/certificates.ts';

/** What a server does wrong with a request whose body it has read. */
export type Misdeed = (request: IncomingMessage, response: ServerResponse, body: Buffer) => void;

/** A fault of a destination. The real servers cannot be asked for most of them. */
export interface ServerFault {
  /** Instead of the right answer. */
  readonly misdeed?: Misdeed;
  /** With each connection, before anything was said. */
  readonly meet?: (socket: Socket) => void;
  /** Nobody listens. */
  readonly isGone?: boolean;
  /** Shown in place of the right one. */
  readonly certificate?: Certificate;
}

/** A destination that is well until it gets a fault, and well again without it. */
export class FaultyServer {
  #server: Server | TlsServer;
  #fault: ServerFault = {};
  #port = 0;
  readonly #answer: Misdeed;
  readonly #certificate: Certificate | undefined;
  readonly #sockets = new Set<Socket>();

  private constructor(answer: Misdeed, certificate: Certificate | undefined) {
    this.#answer = answer;
    this.#certificate = certificate;
    this.#server = this.#make();
  }

  static async listen(answer: Misdeed, certificate?: Certificate): Promise<FaultyServer> {
    const server = new FaultyServer(answer, certificate);
    await server.#listen();
    return server;
  }

  get port(): number {
    return this.#port;
  }

  async suffer(fault: ServerFault): Promise<void> {
    this.#fault = fault;
    await this.close();
    if (fault.isGone !== true) await this.#listen();
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #listen(): Promise<void> {
    this.#server = this.#make();
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#port, '127.0.0.1', resolve);
    });
    // A server that listens on a port has an address with one.
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  #make(): Server | TlsServer {
    const take = (request: IncomingMessage, response: ServerResponse) => {
      void this.#take(request, response);
    };
    const shown = this.#fault.certificate ?? this.#certificate;
    const server =
      shown === undefined
        ? createServer(take)
        : createTlsServer({ cert: shown.certificate, key: shown.key }, take);
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => this.#sockets.delete(socket));
      this.#fault.meet?.(socket);
    });
    return server;
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    try {
      for await (const part of request) parts.push(part as Buffer);
    } catch {
      return;
    }
    (this.#fault.misdeed ?? this.#answer)(request, response, Buffer.concat(parts));
  }
}

// ── right answers ─────────────────────────────────────────────────────────────────────────────

export const empty: Misdeed = (_request, response) => {
  response.writeHead(200).end();
};

/** Elasticsearch's answer to a bulk request whose items all end with a status, some left out. */
export function bulk(status: number, missing = 0): Misdeed {
  return (_request, response, body) => {
    const count = body.toString().trimEnd().split('\n').length / 2 - missing;
    const error = status < 300 ? {} : { error: { type: 'busy', reason: 'not now' } };
    const items = Array.from({ length: count }, () => ({ create: { status, ...error } }));
    json(response, { errors: status >= 300 || missing > 0, items });
  };
}

function json(response: ServerResponse, body: unknown): void {
  response.writeHead(200, {
    'content-type': 'application/json',
    'x-elastic-product': 'Elasticsearch',
  });
  response.end(JSON.stringify(body));
}

// ── wrong ones ────────────────────────────────────────────────────────────────────────────────

export function status(code: number, headers: Record<string, string> = {}): Misdeed {
  return (_request, response) => {
    response.writeHead(code, headers).end('out of order');
  };
}

/** Text in place of an answer, then the end of the connection, if it is to end. */
export function raw(text: string, end: 'close' | 'reset' | 'silence' = 'close'): Misdeed {
  return (request) => {
    request.socket.write(text, () => {
      if (end === 'close') request.socket.destroy();
      if (end === 'reset') request.socket.resetAndDestroy();
    });
  };
}

export const text =
  (body: string): Misdeed =>
  (_request, response) => {
    response.writeHead(200, { 'x-elastic-product': 'Elasticsearch' }).end(body);
  };

export const silence: Misdeed = () => undefined;
