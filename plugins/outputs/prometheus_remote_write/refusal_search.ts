import type { DeliveryOutcome, RejectedRecord } from '../../../core/sdk/index.ts';

/** A run of records, `from` included, `to` not. */
export interface RecordRange {
  readonly from: number;
  readonly to: number;
}

/** Requests that one refused chunk may cost beside the first. */
export const searchRequestsMax = 64;

/** Finds the records for which a server refused a whole request: it halves what is refused until
 *  single records are left, or the requests are used up, and then all that was refused last is
 *  given up. Prometheus takes nothing of a request that it refuses, so that the good records come
 *  to it for the first time. */
export async function findRefused(
  count: number,
  first: Extract<DeliveryOutcome, { kind: 'rejected' }>,
  send: (range: RecordRange) => Promise<DeliveryOutcome>,
): Promise<DeliveryOutcome> {
  const rejected: RejectedRecord[] = [];
  const open: { range: RecordRange; outcome: typeof first }[] = [
    { range: { from: 0, to: count }, outcome: first },
  ];
  let requests = 0;
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { range, outcome } = next;
    if (range.to - range.from === 1 || requests >= searchRequestsMax) {
      for (let index = range.from; index < range.to; index++) {
        rejected.push({ index, reason: outcome.reason, status: outcome.status ?? 400 });
      }
      continue;
    }
    const middle = Math.ceil((range.from + range.to) / 2);
    const halves: RecordRange[] = [
      { from: range.from, to: middle },
      { from: middle, to: range.to },
    ];
    const answers: { range: RecordRange; outcome: DeliveryOutcome }[] = [];
    for (const half of halves) {
      requests++;
      answers.push({ range: half, outcome: await send(half) });
    }
    for (const answer of answers.reverse()) {
      if (answer.outcome.kind === 'accepted') continue;
      if (answer.outcome.kind === 'rejected') {
        open.push({ range: answer.range, outcome: answer.outcome });
      }
      // Busy or gone: all of it again later, when the search begins anew.
      else return answer.outcome;
    }
  }
  rejected.sort((a, b) => a.index - b.index);
  if (rejected.length === 0) return { kind: 'accepted' };
  return { kind: 'partial', retry: [], rejected, reason: first.reason };
}
