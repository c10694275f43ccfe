import type { BatchEmitter, OpenSource } from '../../../core/sdk/index.ts';
import type { Metric } from './metric.ts';
import { metricJson } from './metric_record.ts';

/** Puts metrics into batches as records, in the order of the calls, each at the position behind
 *  the one before. A call resolves when its metrics are through the filters. */
export class MetricEmitter {
  private readonly emitter: BatchEmitter;
  private readonly source: OpenSource;
  private readonly tag: string;
  private position = 0;
  private last: Promise<void> = Promise.resolve();

  constructor(emitter: BatchEmitter, source: OpenSource, tag: string) {
    this.emitter = emitter;
    this.source = source;
    this.tag = tag;
  }

  /** `timeMs` is the Unix time of those metrics that have none of their own. */
  emit(metrics: readonly Metric[], timeMs: number): Promise<void> {
    // One at a time: a batch vouches for all positions before its end.
    const work = this.last.then(() => this.emitAll(metrics, timeMs));
    this.last = work.catch(() => undefined);
    return work;
  }

  private async emitAll(metrics: readonly Metric[], timeMs: number): Promise<void> {
    const records = metrics.map((metric) => Buffer.from(metricJson(metric)));
    let next = 0;
    while (next < records.length) {
      const batch = await this.emitter.batch(this.source, this.tag, records[next]!.length);
      let at = batch.dataStart;
      for (; next < records.length && batch.count < batch.capacity; next++) {
        const record = records[next]!;
        if (at + record.length > batch.dataEnd) break;
        const ownMs = metrics[next]!.timeMs ?? timeMs;
        const seconds = Math.floor(ownMs / 1000);
        const nanos = Math.min(Math.floor((ownMs - seconds * 1000) * 1e6), 999_999_999);
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
