import type { DeliveryOutcome } from '../../../core/sdk/index.ts';

export interface ResponseFacts {
  readonly status: number;
  readonly body: Buffer;
  readonly retryAfterMs: number | undefined;
  readonly location: string | undefined;
  /** Whether the answer's text may be shown. */
  readonly showBody: boolean;
}

/** Of an answer's text in a reason. */
const excerptBytes = 300;

/** What a status says about the records of a request. Pure. Source: RFC 9110 section 15.
 *  2xx took them. 413: too many at once. Busy, failing, closed to us (401, 403, 407), not there yet (404), and
 *  redirects, which are not followed: again later. Any other 4xx refuses the records themselves. */
export function outcomeOf(response: ResponseFacts): DeliveryOutcome {
  const { status, retryAfterMs: afterMs } = response;
  if (status >= 200 && status < 300) return { kind: 'accepted' };
  const reason = reasonOf(response);
  if (status === 413) return { kind: 'split', reason };
  if (isRefusal(status)) return { kind: 'rejected', reason, status };
  return { kind: 'retry', reason, status, ...(afterMs === undefined ? {} : { afterMs }) };
}

const retried4xx = new Set([401, 403, 404, 407, 408, 421, 423, 425, 429]);

function isRefusal(status: number): boolean {
  return status >= 400 && status < 500 && !retried4xx.has(status);
}

function reasonOf(response: ResponseFacts): string {
  const { status, location, body } = response;
  if (status >= 300 && status < 400) {
    return `${status}: redirect to ${location ?? 'nowhere'}, which is not followed: write the final address`;
  }
  if (!response.showBody) return `status ${status}`;
  const text = body.toString('utf8', 0, excerptBytes).replace(/\s+/g, ' ').trim();
  return text === '' ? `status ${status}` : `status ${status}: ${text}`;
}
