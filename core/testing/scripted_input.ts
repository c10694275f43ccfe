import type { BatchEmitter, Input, OpenSource } from '../sdk/contracts.ts';
import { defineInput, type InputPlugin } from '../sdk/define.ts';

/** An input that emits what a test tells it to. */
export interface ScriptedInput {
  readonly plugin: InputPlugin<never>;
  /** Emits records as one batch of the next positions; resolves when it went through. */
  emit(records: readonly Record<string, unknown>[], tag?: string): Promise<void>;
  /** Ends the input, as if all was read. */
  end(): void;
  /** Everything below is settled for every output. */
  settled(): number;
  /** Positions emitted so far. */
  position(): number;
}

/** Makes an input plugin called `name` (`scripted` when absent). Its source has the checkpoint
 *  key `source`, and its positions count records from 0. It can be read again unless `replayable`
 *  is false. */
export function scriptedInput(
  name = 'scripted',
  options: { readonly replayable?: boolean } = {},
): ScriptedInput {
  const state: { emitter?: BatchEmitter; source?: OpenSource; settled: number; at: number } = {
    settled: 0,
    at: 0,
  };
  let end = (): void => undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  let ready = (): void => undefined;
  const started = new Promise<void>((resolve) => {
    ready = resolve;
  });
  const plugin = defineInput<Record<string, never>>({
    name,
    summary: 'Emits what a test tells it to.',
    stability: 'experimental',
    schema: { type: 'object', properties: {} },
    replayable: options.replayable ?? true,
    example: '',
    create: (_options, context): Input => ({
      async run(emitter, signal) {
        const known = context.sources.checkpoints().get('source');
        state.source = await context.sources.open({
          name: 'scripted source',
          checkpointKey: 'source',
          ...(known === undefined
            ? {}
            : { generation: known.generation, positions: known.positions }),
          onSettled: (position) => {
            state.settled = position;
          },
        });
        state.settled = state.source.resumePosition;
        state.at = state.source.resumePosition;
        state.emitter = emitter;
        ready();
        const stopped = new Promise<void>((resolve) => {
          if (signal.aborted) resolve();
          signal.addEventListener('abort', () => resolve(), { once: true });
        });
        await Promise.race([ended, stopped]);
      },
    }),
  });
  return {
    plugin: plugin as unknown as InputPlugin<never>,
    end: () => end(),
    settled: () => state.settled,
    position: () => state.at,
    async emit(records, tag = 'test') {
      await started;
      const json = records.map((record) => Buffer.from(JSON.stringify(record)));
      const bytes = json.reduce((sum, one) => sum + one.length, 0);
      const batch = await state.emitter!.batch(state.source!, tag, bytes);
      let at = batch.dataStart;
      for (const one of json) {
        one.copy(batch.bytes, at);
        const index = batch.addEvent(state.at, state.at + 1, 1_700_000_000, 123_456_789);
        batch.setRoot(index, at, at + one.length);
        at += one.length;
        state.at++;
      }
      batch.positionEnd = state.at;
      batch.inputBytes = bytes;
      await state.emitter!.emit(batch);
    },
  };
}
