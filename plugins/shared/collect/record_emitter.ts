import type { BatchEmitter, OpenSource } from '../../../core/sdk/index.ts';

/** Puts JSON objects into batches as records, in the order of the calls, each at the position
 *  behind the one before. A call resolves when its records are through the filters. */
export class RecordEmitter {
  private readonly emitter: BatchEmitter;
  private readonly source: OpenSource;
  private position = 0;
  private last: Promise<void> = Promise.resolve();

  constructor(emitter: BatchEmitter, source: OpenSource) {
    this.emitter = emitter;
    this.source = source;
  }

  /** `timeOf` gives a record's Unix time in milliseconds by its number. */
  emit(records: readonly Buffer[], tag: string, timeOf: (at: number) => number): Promise<void> {
    // One at a time: a batch vouches for all positions before its end.
    const work = this.last.then(() => this.emitAll(records, tag, timeOf));
    this.last = work.catch(() => undefined);
    return work;
  }

  private async emitAll(
    records: readonly Buffer[],
    tag: string,
    timeOf: (at: number) => number,
  ): Promise<void> {
    let next = 0;
    while (next < records.length) {
      const batch = await this.emitter.batch(this.source, tag, records[next]!.length);
      let at = batch.dataStart;
      for (; next < records.length && batch.count < batch.capacity; next++) {
        const record = records[next]!;
        if (at + record.length > batch.dataEnd) break;
        const timeMs = timeOf(next);
        const seconds = Math.floor(timeMs / 1000);
        const nanos = Math.min(Math.floor((timeMs - seconds * 1000) * 1e6), 999_999_999);
        const index = batch.addEvent(this.position, this.position + 1, seconds, nanos);
        this.position++;
        record.copy(batch.bytes, at);
        batch.setRoot(index, at, at + record.length);
        at += record.length;
      }
      batch.positionEnd = this.position;
      batch.inputBytes = at - batch.dataStart;
      await this.emitter.emit(batch);
    }
  }
}
