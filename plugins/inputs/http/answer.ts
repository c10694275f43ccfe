import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RecordTaker } from './record_taker.ts';
import type { Refusal } from './refusal.ts';

/** Bytes of a refused body that are read so that its client gets to see the answer. */
const lingerBytesMax = 4 * 1024 * 1024;

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Says why a request, or the rest of one, was not taken, and how many records were. */
export function refusalAnswer(refusal: Refusal, taker: RecordTaker | undefined): Answer {
  const { status, headers, message } = refusal;
  return { status, headers, body: { ...countsOf(taker), error: message } };
}

/** Answers a request that was read to its end. */
export function takenAnswer(
  taker: RecordTaker,
  success: { readonly status: number; readonly headers: Readonly<Record<string, string>> },
): Answer {
  const { count } = taker.rejections;
  if (count === 0) return { ...success, body: { accepted: taker.accepted } };
  const error = count === 1 ? 'One record was refused.' : `${count} records were refused.`;
  return { status: 400, headers: {}, body: { ...countsOf(taker), error } };
}

function countsOf(taker: RecordTaker | undefined): Record<string, unknown> {
  if (taker === undefined) return { accepted: 0 };
  const { accepted, rejections } = taker;
  if (rejections.count === 0) return { accepted };
  return { accepted, rejected: rejections.count, rejections: rejections.listed };
}

/** Sends an answer. What the client still sends is read and thrown away, up to a bound: a closed
 *  connection could take the answer away with it. */
export function send(
  request: IncomingMessage,
  response: ServerResponse,
  answer: Answer,
  isLast: boolean,
): void {
  if (response.headersSent || response.destroyed) return;
  const text = answer.status === 204 ? '' : `${JSON.stringify(answer.body)}\n`;
  response.writeHead(answer.status, {
    ...(text === '' ? {} : { 'content-type': 'application/json' }),
    ...(text === '' ? {} : { 'content-length': Buffer.byteLength(text) }),
    ...(isLast ? { connection: 'close' } : {}),
    ...answer.headers,
  });
  response.end(text);
  if (request.complete || request.destroyed) return;
  let left = lingerBytesMax;
  request.on('data', (piece: Buffer) => {
    left -= piece.length;
    if (left < 0) request.destroy();
  });
  request.resume();
}
