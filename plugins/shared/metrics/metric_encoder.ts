import {
  type Batch,
  ByteWriter,
  type EncodedRun,
  JsonRecordEncoder,
  type OutputContext,
  type RecordEncoder,
  type RecordSink,
} from '../../../core/sdk/index.ts';
import type { Metric } from './metric.ts';
import { NoMetric, readMetric } from './metric_record.ts';

/** How a metric looks on the wire, and back. */
export interface MetricWire {
  readonly fingerprint: string;
  write(metric: Metric, seconds: number, nanos: number, out: ByteWriter): void;
  recordJson(record: Buffer): string;
}

/** Encodes records that are metrics; all others go to the dead letters with the reason. */
export class MetricEncoder implements RecordEncoder {
  readonly fingerprint: string;
  private readonly wire: MetricWire;
  private readonly inner: JsonRecordEncoder;
  private readonly out = new ByteWriter();
  private events = new Int32Array(256);
  private ends = new Int32Array(256);

  constructor(wire: MetricWire, context: OutputContext) {
    this.wire = wire;
    this.fingerprint = wire.fingerprint;
    this.inner = new JsonRecordEncoder({
      fingerprint: wire.fingerprint,
      ...(context.kernel === undefined ? {} : { kernel: context.kernel }),
    });
  }

  encode(batch: Batch, select: Uint8Array, sink: RecordSink): void {
    this.inner.encode(batch, select, {
      appendRun: (_section, run) => this.takeRun(run, sink),
      reject: (of, index, reason) => sink.reject(of, index, reason),
    });
  }

  recordJson(record: Buffer): string {
    return this.wire.recordJson(record);
  }

  close(): void {
    this.inner.close();
  }

  private takeRun(run: EncodedRun, sink: RecordSink): void {
    const { out } = this;
    const { batch } = run;
    out.clear();
    if (run.count > this.ends.length) {
      this.events = new Int32Array(run.count);
      this.ends = new Int32Array(run.count);
    }
    let count = 0;
    let start = run.start;
    for (let k = 0; k < run.count; k++) {
      const end = run.ends[k]!;
      const event = run.events[k]!;
      try {
        const metric = readMetric(run.bytes.toString('utf8', start, end));
        this.wire.write(metric, batch.seconds[event]!, batch.nanos[event]!, out);
        this.events[count] = event;
        this.ends[count++] = out.length;
      } catch (error) {
        if (!(error instanceof NoMetric)) throw error;
        sink.reject(batch, event, `The record is no metric: ${error.message}.`);
      }
      start = end;
    }
    if (count === 0) return;
    const { events, ends } = this;
    sink.appendRun('', { bytes: out.buffer, start: 0, batch, events, ends, count });
  }
}
