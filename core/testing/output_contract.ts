import assert from 'node:assert/strict';
import type { Batch } from '../batch/batch.ts';
import { JsonRecordEncoder } from '../batch/record_encoder.ts';
import { Chunk } from '../chunk/chunk.ts';
import type { Output, RecordEncoder } from '../sdk/contracts.ts';
import type { ContractRule, ContractSubject } from './contract_subject.ts';
import { componentOf, lifeContract, pluginContract, soon } from './plugin_contract.ts';
import { eventObject, namesIn, randomBatch } from './random_events.ts';

/** What every output must pass: `check` each rule with a `ContractSubject`. */
export const outputContract: readonly ContractRule[] = [
  ...pluginContract,
  ...lifeContract,
  {
    says: 'encodes each selected event once, or rejects it with a reason',
    check(subject) {
      return withOutputs(subject, ({ encoder }) => {
        const batch = batchOf(subject, 3, 80);
        for (let i = 0; i < batch.count; i += 3) batch.select[i] = 0;
        const { events, rejected } = encode(encoder, batch);
        const seen = [...events, ...rejected].sort((a, b) => a - b);
        const selected = Array.from(batch.select.subarray(0, batch.count).entries());
        assert.deepEqual(
          seen,
          selected.filter(([, mark]) => mark === 1).map(([index]) => index),
        );
      });
    },
  },
  {
    says: 'encodes the same events as the same bytes, in another instance too',
    check(subject) {
      return withOutputs(subject, (first, second) => {
        assert.equal(first.encoder.fingerprint, second.encoder.fingerprint);
        const [one, again, other] = [first, first, second].map(({ encoder }) =>
          encode(encoder, batchOf(subject, 5, 80))
            .chunk.body()
            .toString('latin1'),
        );
        assert.equal(again, one);
        assert.equal(other, one);
      });
    },
  },
  {
    says: 'gives a record back as a JSON object, with all it had where the bytes are JSON',
    check(subject) {
      return withOutputs(subject, ({ encoder }) => {
        const batch = batchOf(subject, 7, 80);
        const { chunk, events } = encode(encoder, batch);
        events.forEach((event, record) => {
          const text = encoder.recordJson(chunk.recordAt(record));
          const object = JSON.parse(text) as Record<string, unknown>;
          assert.ok(typeof object === 'object' && object !== null && !Array.isArray(object));
          if (!(encoder instanceof JsonRecordEncoder)) return;
          for (const [key, value] of Object.entries(eventObject(batch, event))) {
            assert.deepEqual(object[key], value, `The member ${key} of ${text}`);
          }
        });
      });
    },
  },
  {
    says: 'ends a delivery soon when it is asked to',
    check(subject) {
      return withOutputs(subject, async (output) => {
        await soon('open', output.open?.() ?? Promise.resolve());
        const { chunk } = encode(output.encoder, batchOf(subject, 9, 5));
        const signal = AbortSignal.abort(new Error('stopped'));
        const delivery = output.deliver(chunk, { signal, attempt: 1 });
        // Both are right: to give up, and to finish what takes no time.
        await soon(
          'An aborted delivery',
          delivery.catch(() => undefined),
        );
      });
    },
  },
  {
    says: 'works on when another instance was closed',
    check(subject) {
      return withOutputs(subject, async (first, second) => {
        const before = encode(second.encoder, batchOf(subject, 11, 20)).chunk.body();
        await first.close?.();
        const after = encode(second.encoder, batchOf(subject, 11, 20)).chunk.body();
        assert.deepEqual(after, before);
      });
    },
  },
];

async function withOutputs(
  subject: ContractSubject,
  work: (first: Output, second: Output) => void | Promise<void>,
): Promise<void> {
  const component = componentOf(subject, 'output');
  const { factory } = subject.makeFactory();
  const outputs = [factory.output(component), factory.output(component)] as const;
  try {
    await work(...outputs);
  } finally {
    for (const output of outputs) await soon('close', output.close?.() ?? Promise.resolve());
  }
}

function batchOf(subject: ContractSubject, seed: number, count: number): Batch {
  const keys = namesIn(componentOf(subject, 'output').options);
  return randomBatch({ seed, count, tags: ['app.one', 'app.two'], keys, kernel: subject.kernel });
}

/** Encodes a batch as the engine does. `events` are in the order of the chunk's records. */
function encode(
  encoder: RecordEncoder,
  batch: Batch,
): { chunk: Chunk; events: number[]; rejected: number[] } {
  const chunk = new Chunk('contract', '00112233445566778899aabbccddeeff');
  const events: number[] = [];
  const rejected: number[] = [];
  encoder.encode(batch, batch.select, {
    appendRun: (key, run) => {
      for (let k = 0; k < run.count; k++) events.push(run.events[k]!);
      chunk.appendRun(key, run);
    },
    reject: (_batch, index, reason) => {
      assert.ok(reason.length > 0, 'A rejection has no reason.');
      rejected.push(index);
    },
  });
  return { chunk, events, rejected };
}
