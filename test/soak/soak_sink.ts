import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { MarkScanner } from '../../bench/sink/mark_scanner.ts';
import { SnappyBlockDecoder } from '../../bench/sink/snappy_block.ts';
import { Random } from '../model/random.ts';
import { LineTally } from './line_tally.ts';

/** How a destination behaves for a while. `refuse_one` answers one request with 400 and takes the
 *  others. */
export type SinkFault = 'none' | 'status_503' | 'reset' | 'slow' | 'stop' | 'refuse_one';

/** How late a slow answer is. */
const slowMs = 1500;

/** A destination of JSON lines or of Loki's pushes that keeps account of each numbered line. A line
 *  counts as taken when its answer was written; a request that gets no answer was not taken. */
export class SoakSink {
  readonly tally = new LineTally();
  /** Requests by the fault that struck them. */
  readonly struck: Record<string, number> = {};
  readonly labelSets = new Set<string>();
  requests = 0;
  #fault: SinkFault = 'none';
  #refuses = 0;
  #server: Server | undefined;
  #port = 0;
  readonly #sockets = new Set<Socket>();
  readonly #snappy = new SnappyBlockDecoder();

  static async listen(): Promise<SoakSink> {
    const sink = new SoakSink();
    await sink.#listen();
    return sink;
  }

  get port(): number {
    return this.#port;
  }

  async setFault(fault: SinkFault): Promise<void> {
    if (fault === this.#fault) return;
    this.#fault = fault;
    if (fault === 'refuse_one') this.#refuses = 1;
    if (fault === 'stop') await this.#stop();
    else if (this.#server === undefined) await this.#listen();
  }

  async close(): Promise<void> {
    this.#fault = 'stop';
    await this.#stop();
    for (const socket of this.#sockets) socket.destroy();
  }

  async #listen(): Promise<void> {
    const server = createServer((request, response) => void this.#take(request, response));
    server.keepAliveTimeout = 0;
    server.requestTimeout = 0;
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#port, '127.0.0.1', resolve);
    });
    // A server that listens on a port has an address with one.
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  /** Nobody listens from now on; what comes over an open connection is hung up on. */
  async #stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    server.closeIdleConnections();
    server.close();
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    try {
      for await (const part of request) parts.push(part as Buffer);
    } catch {
      return; // The client went away in the middle: nothing of it counts.
    }
    if (this.#fault === 'slow') await new Promise((resolve) => setTimeout(resolve, slowMs));
    this.requests++;
    const fault = this.#fault;
    if (fault !== 'none') this.struck[fault] = (this.struck[fault] ?? 0) + 1;
    if (fault === 'stop' || fault === 'reset') {
      request.socket.resetAndDestroy();
      return;
    }
    if (fault === 'status_503') {
      response.writeHead(503).end();
      return;
    }
    const isPush = (request.url ?? '').includes('/loki/');
    const sent = Buffer.concat(parts);
    const body = isPush && sent.length > 0 ? this.#snappy.decode(sent) : sent;
    if (fault === 'refuse_one' && this.#refuses > 0) {
      this.#refuses--;
      scan(body, (number) => this.tally.refuse(number));
      response.writeHead(400).end('this one is refused');
      return;
    }
    if (isPush) this.#noteLabels(body);
    scan(body, (number) => this.tally.accept(number));
    response.writeHead(isPush ? 204 : 200).end();
  }

  #noteLabels(body: Buffer): void {
    for (let at = body.indexOf('{job="'); at >= 0; at = body.indexOf('{job="', at + 1)) {
      this.labelSets.add(body.toString('latin1', at, body.indexOf('"}', at) + 2));
    }
  }
}

function scan(body: Buffer, found: (number: number) => void): void {
  const scanner = new MarkScanner(found);
  scanner.part(body);
  scanner.end();
}

const faults: readonly SinkFault[] = ['status_503', 'reset', 'slow', 'stop', 'refuse_one'];

/** What a destination does when: in each cycle every fault once, for a tenth of it, in an order that
 *  the seed chooses. Every sixth cycle it is stopped for so long that the disk buffer fills up. */
export function faultAt(elapsedMs: number, cycleMs: number, seed: number): SinkFault {
  const cycle = Math.floor(elapsedMs / cycleMs);
  const at = (elapsedMs % cycleMs) / cycleMs;
  if (cycle % 6 === 5) return at >= 0.1 && at < 0.9 ? 'stop' : 'none';
  const slot = Math.floor(at * 10);
  if (slot % 2 === 0) return 'none';
  const random = new Random(seed * 1000 + cycle);
  const order = [...faults];
  for (let last = order.length - 1; last > 0; last--) {
    const other = random.below(last + 1);
    [order[last], order[other]] = [order[other]!, order[last]!];
  }
  return order[(slot - 1) / 2]!;
}
