import type { Batch } from '../batch/batch.ts';
import { eachSource } from '../batch/stretch.ts';
import type { RecordEncoder, RecordSink } from '../sdk/contracts.ts';

/** Encodes the selected events of a batch; for an encoder that takes one source at a time, source by
 *  source. */
export function encodeBySource(
  encoder: RecordEncoder,
  batch: Batch,
  select: Uint8Array,
  sink: RecordSink,
): void {
  // hot path
  if (batch.stretches.length === 0 || encoder.mixesSources === true) {
    encoder.encode(batch, select, sink);
    return;
  }
  // The mask stays where it is: the kernel reads it there.
  const wanted = select.slice(0, batch.count);
  select.fill(0, 0, batch.count);
  eachSource(batch, (from, end) => {
    select.set(wanted.subarray(from, end), from);
    encoder.encode(batch, select, sink);
    select.fill(0, from, end);
  });
  select.set(wanted);
}
