import {
  type Batch,
  defineOutput,
  type Output,
  type RecordEncoder,
  type RecordSink,
} from '../../../core/sdk/index.ts';
import { schema } from './config.ts';

/** Accepts every record and keeps none: for measuring, and for drying out a stream. */
export const plugin = defineOutput<Record<string, never>>({
  name: 'null',
  summary: 'Accepts every record and keeps none.',
  stability: 'beta',
  encodesApart: true,
  schema,
  example: `pipeline:
  inputs:
    - name: dummy
      samples: 3
  outputs:
    - name: 'null'
      match: '*'
`,
  create: (): Output => ({
    encoder: new NoBytesEncoder(),
    deliver: () => Promise.resolve({ kind: 'accepted' }),
  }),
});

const nothing = Buffer.alloc(0);

/** Makes records without bytes, so that they are counted and acknowledged like any other. */
class NoBytesEncoder implements RecordEncoder {
  readonly fingerprint = 'null';
  private readonly events = new Int32Array(65536);
  private readonly ends = new Int32Array(65536);

  encode(batch: Batch, select: Uint8Array, sink: RecordSink): void {
    let count = 0;
    for (let index = 0; index < batch.count; index++) {
      if (select[index] === 1) this.events[count++] = index;
    }
    const run = { bytes: nothing, start: 0, batch, events: this.events, ends: this.ends, count };
    if (count > 0) sink.appendRun('', run);
  }

  recordJson(): string {
    return 'null';
  }
}
