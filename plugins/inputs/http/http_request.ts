import type { IncomingMessage, ServerResponse } from 'node:http';
import { type InputContext, messageOf, pause } from '../../../core/sdk/index.ts';
import { type Answer, refusalAnswer, takenAnswer } from './answer.ts';
import { bodyBytes } from './body_bytes.ts';
import { BodyReader } from './body_reader.ts';
import type { HeldBytes } from './body_window.ts';
import type { HttpInputOptions } from './config.ts';
import { RecordTaker, type TakerServices } from './record_taker.ts';
import { Refusal, unavailable } from './refusal.ts';
import type { RequestPlan } from './request_plan.ts';
import { Settlement } from './settlement.ts';

export interface RequestServices {
  readonly options: HttpInputOptions;
  readonly context: InputContext;
  readonly taking: TakerServices;
  readonly held: HeldBytes;
  /** Aborts when requests in progress must end. */
  readonly deadline: AbortSignal;
  readonly success: { readonly status: number; readonly headers: Readonly<Record<string, string>> };
}

/** Takes the records of one request, waits for what `ack` asks for, and gives the answer.
 *  Undefined when the client went away. */
export async function answerRequest(
  request: IncomingMessage,
  response: ServerResponse,
  plan: RequestPlan,
  services: RequestServices,
): Promise<Answer | undefined> {
  const { context, options, taking } = services;
  const settlement = new Settlement();
  const source = await context.sources.open({
    name: `${context.id} ${plan.tag}`,
    ...(plan.generation === undefined ? {} : { generation: plan.generation }),
    onSettled: (position) => settlement.update(position),
    // Who has an answer does not send again.
    ...(options.ack === 'accepted' ? { comesAgain: false } : {}),
  });
  // A repeated request may be settled already, by what a disk buffer still holds.
  settlement.update(source.resumePosition);
  const taker = new RecordTaker(taking, source, plan.tag, plan.form);
  const ended = endOf(response, services.deadline);
  const over = new AbortController();
  try {
    const taken = takeAll(request, plan, taker, services).then(async (refusal) => {
      if (options.ack === 'accepted' || taker.accepted === 0) return refusal;
      const settled = settlement.until(taker.positionEnd).then(() => refusal);
      const expired = pause(taking.clock, options.settle_timeout, over.signal);
      return Promise.race([settled, expired.then(() => late(options))]);
    });
    const refusal = await Promise.race([taken, ended.promise]);
    if (refusal === 'gone') return undefined;
    return refusal === undefined
      ? takenAnswer(taker, services.success)
      : refusalAnswer(refusal, taker);
  } finally {
    ended.cancel();
    over.abort();
    source.close();
  }
}

/** Reads the body. Resolves with why the rest of it was not taken. */
async function takeAll(
  request: IncomingMessage,
  plan: RequestPlan,
  taker: RecordTaker,
  { options, context, taking, held }: RequestServices,
): Promise<Refusal | undefined> {
  const limits = {
    sentBytesMax: options.request_bytes_max,
    bytesMax: options.decompressed_bytes_max,
    idleMs: options.idle_timeout,
  };
  try {
    const pieces = bodyBytes(request, plan.isGzip, limits, taking.clock);
    await BodyReader.read(pieces, plan.form, taker, {
      recordBytesMax: taking.recordBytesMax,
      held,
    });
    return undefined;
  } catch (error) {
    if (error instanceof Refusal) return error;
    if (!request.complete) return new Refusal(400, 'The body did not come whole.');
    context.log.error({ error: messageOf(error) }, 'A request could not be read.');
    return new Refusal(500, 'The request could not be read.');
  }
}

function late(options: HttpInputOptions): Refusal {
  return unavailable(
    `The records were taken, but no output confirmed them within ${options.settle_timeout} ms: they may still arrive.`,
  );
}

/** What ends a request early: its client goes away, or the agent must stop. */
function endOf(
  response: ServerResponse,
  deadline: AbortSignal,
): { promise: Promise<'gone' | Refusal>; cancel(): void } {
  let cancel = (): void => undefined;
  const promise = new Promise<'gone' | Refusal>((resolve) => {
    const gone = () => resolve('gone');
    const stop = () => resolve(unavailable('The agent stops before the records are confirmed.'));
    cancel = () => {
      response.off('close', gone);
      deadline.removeEventListener('abort', stop);
    };
    response.once('close', gone);
    deadline.addEventListener('abort', stop, { once: true });
    if (deadline.aborted) stop();
  });
  return { promise, cancel };
}
