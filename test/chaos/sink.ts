import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A destination for JSON lines with a number `n` each. A real server would not let a test choose
 *  which requests fail, nor when an answer is lost. */
export class Sink {
  /** Times (`performance.now()`) at which each record was accepted and that was answered. */
  readonly accepted = new Map<number, number[]>();
  /** Records that were accepted although the answer never came: they come again. */
  unanswered = 0;
  requests = 0;
  failures = 0;
  /** The answer to a request: a status, or no answer at all although the records were taken. */
  answer: () => number | 'accept and hang up' = () => 200;
  readonly #server: Server;
  #wake: (() => void)[] = [];
  /** Every number below it came: kept, because it is asked for again and again. */
  #complete = 0;

  private constructor() {
    this.#server = createServer((request, response) => void this.#take(request, response));
  }

  static async listen(): Promise<Sink> {
    const sink = new Sink();
    await new Promise<void>((resolve) => sink.#server.listen(0, '127.0.0.1', resolve));
    return sink;
  }

  get port(): number {
    // A server that listens on a port has an address with one.
    return (this.#server.address() as AddressInfo).port;
  }

  /** Records accepted more often than once. */
  get duplicates(): number {
    let count = 0;
    for (const times of this.accepted.values()) count += times.length - 1;
    return count;
  }

  /** Numbers below `count` that never came. */
  missing(count: number): number[] {
    while (this.accepted.has(this.#complete)) this.#complete++;
    const missing: number[] = [];
    for (let n = this.#complete; n < count; n++) if (!this.accepted.has(n)) missing.push(n);
    return missing;
  }

  /** Resolves at the next request. */
  nextRequest(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve));
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    try {
      for await (const part of request) parts.push(part as Buffer);
    } catch {
      // A client that was killed halfway sent nothing that counts.
      return;
    }
    this.requests++;
    for (const wake of this.#wake.splice(0)) wake();
    const answer = this.answer();
    if (answer === 200) this.#accept(Buffer.concat(parts), true);
    else this.failures++;
    if (answer === 'accept and hang up') this.#accept(Buffer.concat(parts), false);
    if (answer === 'accept and hang up') request.socket.destroy();
    else response.writeHead(answer).end();
  }

  #accept(body: Buffer, isAnswered: boolean): void {
    const now = performance.now();
    for (const line of body.toString().split('\n')) {
      if (line === '') continue;
      const number = numberIn(line);
      if (!isAnswered) {
        this.unanswered++;
        continue;
      }
      const times = this.accepted.get(number);
      if (times === undefined) this.accepted.set(number, [now]);
      else times.push(now);
    }
  }
}

/** The number of a record `{"log":"line N"}` or `{"n":N}`. */
export function numberIn(record: string): number {
  const { log, n } = JSON.parse(record) as { log?: string; n?: number };
  const number = log === undefined ? n : Number(log.split(' ')[1]);
  if (number === undefined || Number.isNaN(number)) throw new Error(`no number in ${record}`);
  return number;
}

/** A port that was free a moment ago, for a listener of another process. */
export async function freePort(): Promise<number> {
  const sink = await Sink.listen();
  const { port } = sink;
  await sink.close();
  return port;
}
