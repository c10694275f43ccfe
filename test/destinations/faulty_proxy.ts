import {
  Agent,
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

/** A request as the agent sent it. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: Buffer;
}

export type Forward = (asked: Asked) => Promise<Answer>;

/** What becomes of one request. `socket` is the agent's. */
export type ProxyFault = (asked: Asked, socket: Socket, forward: Forward) => Promise<void>;

/** Stands between an agent and a real server, and does to answers and requests what networks, load
 *  balancers and tired servers do. */
export class FaultyProxy {
  /** Undefined: hands everything on. */
  fault: ProxyFault | undefined;
  /** Requests that met a fault. */
  struck = 0;
  requests = 0;
  readonly #server: Server;
  readonly #upstream: Agent;
  readonly #port: number;

  private constructor(port: number) {
    this.#port = port;
    this.#upstream = new Agent({ keepAlive: true, maxSockets: 32 });
    this.#server = createServer((incoming, response) => {
      this.#take(incoming, response).catch(() => incoming.socket.destroy());
    });
    this.#server.on('connection', (socket) => socket.on('error', () => undefined));
  }

  static async listen(upstreamPort: number): Promise<FaultyProxy> {
    const proxy = new FaultyProxy(upstreamPort);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    // A server that listens on a port has an address with one.
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.#upstream.destroy();
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  async #take(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const { socket } = incoming;
    const parts: Buffer[] = [];
    for await (const part of incoming) parts.push(part as Buffer);
    const { method = 'GET', url: path = '/', headers } = incoming;
    const asked: Asked = { method, path, headers, body: Buffer.concat(parts) };
    const { fault } = this;
    this.requests++;
    if (fault === undefined) {
      const answer = await this.#forward(asked);
      response.writeHead(answer.status, answer.headers).end(answer.body);
      return;
    }
    this.struck++;
    await fault(asked, socket, (other) => this.#forward(other));
  }

  /** The server gets the whole request even if the agent no longer waits for the answer. */
  #forward({ method, path, headers, body }: Asked): Promise<Answer> {
    const { 'transfer-encoding': _encoding, ...others } = headers;
    const options = {
      agent: this.#upstream,
      host: '127.0.0.1',
      port: this.#port,
      method,
      path,
      headers: { ...others, 'content-length': body.length },
    };
    return new Promise((resolve, reject) => {
      const sent = request(options, (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.once('error', reject);
        response.once('end', () => {
          const kept: Record<string, string> = {};
          for (const [name, value] of Object.entries(response.headers)) {
            if (/^(transfer-encoding|connection|keep-alive|content-length)$/.test(name)) continue;
            kept[name] = String(value);
          }
          const answer = { status: response.statusCode ?? 0, headers: kept };
          resolve({ ...answer, body: Buffer.concat(parts) });
        });
      });
      sent.once('error', reject);
      sent.end(body);
    });
  }
}

/** Written past Node's server, which therefore cannot use the connection again. */
export function bytesOf({ status, headers, body }: Answer): Buffer {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `HTTP/1.1 ${status} .\r\n${lines.join('')}content-length: ${body.length}\r\nconnection: close\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}

/** Answers by itself; the server never sees the request. */
function instead(status: number, headers: Record<string, string> = {}): ProxyFault {
  return async (_asked, socket) => {
    socket.end(bytesOf({ status, headers, body: Buffer.from('out of order\n') }));
  };
}

/** The server takes the request; what the agent gets of its answer is up to `spoil`. */
function after(spoil: (answer: Buffer, socket: Socket) => Promise<void> | void): ProxyFault {
  return async (asked, socket, forward) => {
    await spoil(bytesOf(await forward(asked)), socket);
  };
}

/** The faults of the way, by their names. */
export const proxyFaults: Readonly<Record<string, ProxyFault>> = {
  'status 503': instead(503),
  'status 429': instead(429, { 'retry-after': '1' }),
  'a redirect': instead(307, { location: 'http://127.0.0.1:9/' }),
  'status 502 after it was taken': after((_answer, socket) => {
    const body = Buffer.from('bad gateway');
    socket.end(bytesOf({ status: 502, headers: {}, body }));
  }),
  'half of an answer': after((answer, socket) => {
    socket.end(answer.subarray(0, answer.length - 2));
  }),
  'a reset in the answer': after((answer, socket) => {
    socket.write(answer.subarray(0, answer.length >> 1), () => socket.resetAndDestroy());
  }),
  garbage: after((_answer, socket) => {
    socket.end('\x00\x01\x02 not an answer \r\n\r\n');
  }),
  'a reset before the server': async (_asked, socket) => {
    socket.resetAndDestroy();
  },
  'no answer': after(async (_answer, socket) => {
    await wait(3000);
    socket.destroy();
  }),
  'a slow answer': after(async (answer, socket) => {
    for (const byte of answer) {
      if (socket.destroyed) return;
      socket.write(Buffer.of(byte));
      await wait(4);
    }
    socket.end();
  }),
};

/** Hands everything on and looks at the statuses of the answers. */
export function watched(see: (status: number) => void): ProxyFault {
  return async (asked, socket, forward) => {
    const answer = await forward(asked);
    see(answer.status);
    socket.end(bytesOf(answer));
  };
}

/** Lets most requests through: of the others four fifths never reach the server, and a fifth does, and
 *  its answer is lost. `chance` gives a number from 0 up to 1. */
export function sometimes(share: number, chance: () => number): ProxyFault {
  const through = after((answer, socket) => void socket.end(answer));
  const lost = after((_answer, socket) => void socket.destroy());
  const refused = instead(503);
  return (asked, socket, forward) => {
    if (chance() >= share) return through(asked, socket, forward);
    return (chance() < 0.8 ? refused : lost)(asked, socket, forward);
  };
}
