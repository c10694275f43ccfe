import { iso8601BytesMax, writeIso8601 } from '../core/time/iso8601_writer.ts';

/** A time with nanoseconds as ISO 8601, in UTC. */
export function isoTime(time: { readonly seconds: number; readonly nanos: number }): string {
  const bytes = Buffer.alloc(iso8601BytesMax);
  const end = writeIso8601(bytes, 0, time.seconds, time.nanos, 9);
  return bytes.toString('latin1', 0, end);
}
