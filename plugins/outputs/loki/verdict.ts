import { parseRetryAfter } from '../../shared/http_client/retry_after.ts';

export interface PushAnswer {
  readonly status: number;
  readonly text: string;
  readonly retryAfter: string | undefined;
}

/** What an answer to a push means. */
export type Verdict =
  | { readonly kind: 'taken' }
  /** Some entries are refused; Loki has stored the others, or not, and says so in words alone. */
  | { readonly kind: 'some_refused'; readonly text: string }
  | { readonly kind: 'too_large'; readonly text: string }
  | { readonly kind: 'later'; readonly text: string; readonly afterMs: number | undefined };

export function verdictOf(answer: PushAnswer, nowMs: number): Verdict {
  const { status } = answer;
  const text = shortText(answer);
  if (status >= 200 && status < 300) return { kind: 'taken' };
  // gRPC's limit between Loki's own parts comes as a 500 (grpc: received message larger than max).
  if (status === 413 || /message larger than max|request body too large/.test(answer.text)) {
    return { kind: 'too_large', text };
  }
  if (status === 400 || status === 422) return { kind: 'some_refused', text };
  return { kind: 'later', text, afterMs: parseRetryAfter(answer.retryAfter, nowMs) };
}

function shortText({ status, text }: PushAnswer): string {
  const words = text
    .replace(/\nuser '[^']*', total ignored: [\s\S]*$/, '')
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/,$/, '');
  const shown = words.length > 500 ? `${words.slice(0, 500)}…` : words;
  return shown === '' ? `Loki answered ${status}` : `${shown} (HTTP ${status})`;
}

/** The times of the entries that an answer names, as Unix nanoseconds. Only some are named: at most
 *  ten of one stream. */
export function namedTimes(text: string): Set<string> {
  const times = new Set<string>();
  const pattern =
    /entry with timestamp (\d{4,6}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d{1,9}))? \+0000 UTC ignored/g;
  for (const [, date, time, fraction = ''] of text.matchAll(pattern)) {
    const ms = Date.parse(`${date}T${time}Z`);
    if (!Number.isNaN(ms)) {
      times.add(String(BigInt(ms) * 1_000_000n + BigInt(fraction.padEnd(9, '0'))));
    }
  }
  return times;
}
