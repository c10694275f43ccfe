import { JsonRecordEncoder } from '../batch/record_encoder.ts';
import type { Chunk } from '../chunk/chunk.ts';
import type { Delivery, DeliveryOutcome } from '../sdk/contracts.ts';
import { defineOutput, type OutputPlugin } from '../sdk/define.ts';

export type Answer = (
  chunk: Chunk,
  delivery: Delivery,
) => DeliveryOutcome | Promise<DeliveryOutcome>;

/** An output that answers as a test tells it to, and remembers what it accepted. */
export interface ScriptedOutput {
  readonly plugin: OutputPlugin<never>;
  /** Records of accepted chunks, in order. A partial outcome's records count when accepted. */
  readonly accepted: Record<string, unknown>[];
  /** The same records as the text that was delivered. */
  readonly texts: string[];
  /** Bodies of all tries, in order. */
  readonly tries: { id: string; body: string; attempt: number }[];
  answer: Answer;
}

/** Makes an output plugin called `name` (`scripted` when absent) that accepts everything until
 *  `answer` is replaced. With `timeKey`, records get the event's time under that key. */
export function scriptedOutput(
  name = 'scripted',
  options: { readonly timeKey?: string } = {},
): ScriptedOutput {
  const output: { -readonly [K in keyof ScriptedOutput]: ScriptedOutput[K] } = {
    plugin: undefined as unknown as OutputPlugin<never>,
    accepted: [],
    texts: [],
    tries: [],
    answer: () => ({ kind: 'accepted' }),
  };
  const plugin = defineOutput<Record<string, never>>({
    name,
    summary: 'Answers as a test tells it to.',
    stability: 'experimental',
    encodesApart: true,
    schema: { type: 'object', properties: {} },
    example: '',
    create: (_options, context) => ({
      encoder: new JsonRecordEncoder({
        fingerprint: name,
        kernel: context.kernel,
        suffix: Buffer.from('\n'),
        ...(options.timeKey === undefined
          ? {}
          : { time: { key: options.timeKey, format: { form: 'iso8601', digits: 9 } } }),
      }),
      async deliver(chunk, delivery) {
        const body = chunk.body().toString();
        output.tries.push({ id: chunk.id, body, attempt: delivery.attempt });
        const outcome = await output.answer(chunk, delivery);
        for (const index of acceptedIndices(chunk, outcome)) {
          const text = chunk.recordAt(index).toString().trimEnd();
          output.texts.push(text);
          output.accepted.push(JSON.parse(text));
        }
        return outcome;
      },
    }),
  });
  output.plugin = plugin as unknown as OutputPlugin<never>;
  return output;
}

function acceptedIndices(chunk: Chunk, outcome: DeliveryOutcome): number[] {
  const all = Array.from({ length: chunk.count }, (_, index) => index);
  if (outcome.kind === 'accepted') return all;
  if (outcome.kind !== 'partial') return [];
  const rejected = new Set(outcome.rejected.map((one) => one.index));
  return all.filter((index) => !rejected.has(index) && !outcome.retry.includes(index));
}
