import { ByteWriter } from '../../../core/sdk/index.ts';
import type { Labels, Metric } from '../../shared/metrics/metric.ts';
import { numberText } from '../../shared/metrics/metric.ts';
import type { MetricWire } from '../../shared/metrics/metric_encoder.ts';

/** Remote write 1.0 (prometheus: prompb/remote.proto, types.proto): WriteRequest {timeseries = 1},
 *  TimeSeries {labels = 1, samples = 2}, Label {name = 1, value = 2}, Sample {value = 1 double,
 *  timestamp = 2 int64, ms}. A record's bytes are field 1 of the request, tag and length included:
 *  a request is its records, one behind the other. */
export function remoteWriteWire(added: Labels): MetricWire {
  const series = new ByteWriter(1024);
  return {
    fingerprint: `prometheus_remote_write:1:${JSON.stringify(Object.entries(added).sort())}`,

    write(metric: Metric, seconds: number, nanos: number, out: ByteWriter): void {
      series.clear();
      const labels: Record<string, string> = {
        ...added,
        ...metric.labels,
        __name__: metric.name,
      };
      // The protocol asks for labels in the order of their names.
      for (const name of Object.keys(labels).sort()) writeLabel(name, labels[name]!, series);
      writeSample(metric.value, Math.floor(seconds * 1000 + nanos / 1e6), series);
      out.byte(0x0a);
      writeVarint(series.length, out);
      out.bytes(series.buffer, 0, series.length);
    },

    recordJson: (record) => {
      const { labels, value } = readSeries(record);
      const { __name__: name = '', ...rest } = labels;
      const number = Number.isFinite(value) ? value : numberText(value);
      return JSON.stringify({ name, labels: rest, value: number });
    },
  };
}

function writeLabel(name: string, value: string, out: ByteWriter): void {
  const nameBytes = Buffer.byteLength(name);
  const valueBytes = Buffer.byteLength(value);
  out.byte(0x0a);
  const bytes = 2 + varintBytes(nameBytes) + nameBytes + varintBytes(valueBytes) + valueBytes;
  writeVarint(bytes, out);
  out.byte(0x0a);
  writeVarint(nameBytes, out);
  out.text(name);
  out.byte(0x12);
  writeVarint(valueBytes, out);
  out.text(value);
}

const sampleScratch = Buffer.alloc(8);

function writeSample(value: number, timeMs: number, out: ByteWriter): void {
  const negative = timeMs < 0;
  out.byte(0x12);
  writeVarint(10 + (negative ? 10 : varintBytes(timeMs)), out);
  out.byte(0x09);
  sampleScratch.writeDoubleLE(value);
  out.bytes(sampleScratch, 0, 8);
  out.byte(0x10);
  if (!negative) writeVarint(timeMs, out);
  else {
    // Negative numbers are 64 bits of two's complement.
    let rest = BigInt.asUintN(64, BigInt(timeMs));
    for (; rest >= 0x80n; rest >>= 7n) out.byte(Number(rest & 0x7fn) | 0x80);
    out.byte(Number(rest));
  }
}

function writeVarint(value: number, out: ByteWriter): void {
  let rest = value;
  while (rest >= 0x80) {
    out.byte((rest % 128) | 0x80);
    rest = Math.floor(rest / 128);
  }
  out.byte(rest);
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 128)) bytes++;
  return bytes;
}

export interface DecodedSeries {
  readonly labels: Record<string, string>;
  readonly value: number;
  readonly timeMs: number;
}

/** Reads what `write` wrote. */
export function readSeries(record: Buffer): DecodedSeries {
  const outer = new FieldReader(record).next();
  const labels: Record<string, string> = {};
  let value = Number.NaN;
  let timeMs = 0;
  const series = new FieldReader(outer!.bytes);
  for (let field = series.next(); field !== undefined; field = series.next()) {
    const inner = new FieldReader(field.bytes);
    if (field.tag === 0x0a) {
      const name = inner.next()!.bytes.toString();
      labels[name] = inner.next()?.bytes.toString() ?? '';
    } else {
      value = field.bytes.readDoubleLE(1);
      inner.at = 10;
      timeMs = Number(BigInt.asIntN(64, inner.varint()));
    }
  }
  return { labels, value, timeMs };
}

/** Fields of a message that are all of the length-delimited kind. */
class FieldReader {
  at = 0;
  private readonly message: Buffer;

  constructor(message: Buffer) {
    this.message = message;
  }

  next(): { readonly tag: number; readonly bytes: Buffer } | undefined {
    if (this.at >= this.message.length) return undefined;
    const tag = this.message[this.at++]!;
    const length = Number(this.varint());
    this.at += length;
    return { tag, bytes: this.message.subarray(this.at - length, this.at) };
  }

  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.message[this.at++]!;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  }
}
