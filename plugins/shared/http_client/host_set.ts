import type { Clock } from '../../../core/sdk/index.ts';
import type { HttpClient, HttpRequest, HttpResponse } from './http_client.ts';
import { HttpFailure } from './http_failure.ts';

/** First and longest time that a server is left alone after it could not be reached. */
const restMsMin = 1000;
const restMsMax = 60_000;

interface Member {
  readonly client: HttpClient;
  failures: number;
  restsUntilMs: number;
}

/** The servers of one cluster, used in turn. One that cannot be reached is left alone, twice as long each
 *  time, and the request goes to the next; with none left, the one that has rested longest is tried. Only
 *  requests that were surely not seen go to another server. */
export class HostSet {
  private readonly members: readonly Member[];
  private readonly clock: Clock;
  private turn = 0;

  /** At least one client. */
  constructor(clients: readonly HttpClient[], clock: Clock) {
    this.members = clients.map((client) => ({ client, failures: 0, restsUntilMs: 0 }));
    this.clock = clock;
  }

  /** Errors: HttpFailure, of the last server that was tried. */
  async request(request: HttpRequest): Promise<HttpResponse> {
    const order = this.inTurn();
    for (let at = 0; ; at++) {
      const member = order[at]!;
      try {
        const response = await member.client.request(request);
        member.failures = 0;
        member.restsUntilMs = 0;
        return response;
      } catch (error) {
        if (!(error instanceof HttpFailure) || error.kind === 'aborted') throw error;
        this.rest(member);
        if (!error.neverSent || at === order.length - 1 || request.signal.aborted) throw error;
      }
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.members.map((member) => member.client.close()));
  }

  /** Those at work, beginning with the next in turn; if all rest, the one that is up first. */
  private inTurn(): Member[] {
    const nowMs = this.clock.monotonicMs();
    const awake = this.members.filter((member) => member.restsUntilMs <= nowMs);
    if (awake.length === 0) {
      return [this.members.reduce((a, b) => (b.restsUntilMs < a.restsUntilMs ? b : a))];
    }
    const start = this.turn++ % awake.length;
    return [...awake.slice(start), ...awake.slice(0, start)];
  }

  private rest(member: Member): void {
    const restMs = Math.min(restMsMin * 2 ** member.failures, restMsMax);
    member.failures = Math.min(member.failures + 1, 16);
    member.restsUntilMs = this.clock.monotonicMs() + restMs;
  }
}
