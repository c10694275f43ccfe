import type { Batch } from '../batch/batch.ts';
import { ByteWriter } from '../batch/byte_writer.ts';
import { JsonEventEncoder } from '../batch/json_encode.ts';
import type { DeadLetter } from './dead_letter_desk.ts';

/** The dead letter of an event that its output's encoder cannot write. */
export function rejectedEvent(
  batch: Batch,
  index: number,
  output: string,
  reason: string,
): DeadLetter {
  const writer = new ByteWriter(1024);
  new JsonEventEncoder().write(batch, index, writer);
  return {
    record: writer.view().toString(),
    origin: {
      source: batch.source.name,
      generation: batch.source.generation,
      offset: batch.offset[index]!,
      part: batch.part[index]!,
      tag: batch.tagName(index),
      seconds: batch.seconds[index]!,
      nanos: batch.nanos[index]!,
    },
    output,
    reason,
    code: 'SLUICE_OUTPUT_REFUSED',
    status: undefined,
    attempts: 0,
  };
}
