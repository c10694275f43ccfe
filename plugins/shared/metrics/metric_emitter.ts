import type { BatchEmitter, OpenSource } from '../../../core/sdk/index.ts';
import { RecordEmitter } from '../collect/record_emitter.ts';
import type { Metric } from './metric.ts';
import { metricJson } from './metric_record.ts';

/** Puts metrics into batches as records, in the order of the calls. A call resolves when its
 *  metrics are through the filters. */
export class MetricEmitter {
  private readonly out: RecordEmitter;
  private readonly tag: string;

  constructor(emitter: BatchEmitter, source: OpenSource, tag: string) {
    this.out = new RecordEmitter(emitter, source);
    this.tag = tag;
  }

  /** `timeMs` is the Unix time of those metrics that have none of their own. */
  emit(metrics: readonly Metric[], timeMs: number): Promise<void> {
    const records = metrics.map((metric) => Buffer.from(metricJson(metric)));
    return this.out.emit(records, this.tag, (at) => metrics[at]!.timeMs ?? timeMs);
  }
}
