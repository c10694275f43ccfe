import {
  defineInput,
  type Input,
  type InputPlugin,
  type OpenSource,
} from '../../core/sdk/index.ts';

/** How far counting inputs may go, and how far they have come. */
export interface Count {
  limit: number;
  emitted: number;
}

/** An input that counts: records `{"n":0}`, `{"n":1}`, … up to a limit that the test moves. It can be
 *  read again from any position, as a file can. */
export function countingInput(count: Count): InputPlugin<never> {
  const plugin = defineInput<{ pace: number }>({
    name: 'counting',
    summary: 'Counts, for a test.',
    stability: 'experimental',
    schema: {
      type: 'object',
      properties: {
        pace: { type: 'integer', minimum: 1, default: 10, description: 'Records in a batch.' },
      },
    },
    example: '',
    replayable: true,
    create: ({ pace }, context): Input => {
      let source: OpenSource | undefined;
      return {
        async run(emitter, signal) {
          const known = context.sources.checkpoints().get('count');
          source = await context.sources.open({
            name: 'the count',
            checkpointKey: 'count',
            ...(known === undefined
              ? {}
              : { generation: known.generation, positions: known.positions }),
          });
          let at = source.resumePosition;
          while (!signal.aborted) {
            const end = Math.min(at + pace, count.limit);
            if (at >= end) {
              await new Promise((resolve) => setTimeout(resolve, 2));
              continue;
            }
            const batch = await emitter.batch(source, context.tag, 64 * pace);
            let place = batch.dataStart;
            for (; at < end; at++) {
              const length = batch.bytes.write(`{"n":${at}}`, place);
              const index = batch.addEvent(at, at + 1, 1_700_000_000, 0);
              batch.setRoot(index, place, place + length);
              place += length;
            }
            batch.positionEnd = at;
            // A batch that is given back stays unread: the successor reads it.
            if (
              await emitter.emit(batch).then(
                () => false,
                () => true,
              )
            )
              return;
            count.emitted = Math.max(count.emitted, at);
          }
        },
        async close() {
          source?.close();
          source = undefined;
        },
      };
    },
  });
  return plugin as unknown as InputPlugin<never>;
}
