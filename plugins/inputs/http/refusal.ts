/** A request, or the rest of one, that is not taken. Its message goes to the client. */
export class Refusal extends Error {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.name = 'Refusal';
    this.status = status;
    this.headers = headers;
  }
}

/** Asks the client to come again in a second. */
export function busy(message: string): Refusal {
  return new Refusal(429, message, { 'retry-after': '1' });
}

/** Asks the client to come again when the agent, or what it waits for, is back. */
export function unavailable(message: string): Refusal {
  return new Refusal(503, message, { 'retry-after': '5' });
}
