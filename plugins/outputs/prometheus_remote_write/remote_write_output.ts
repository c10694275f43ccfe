import type {
  Chunk,
  Delivery,
  DeliveryOutcome,
  Output,
  OutputContext,
} from '../../../core/sdk/index.ts';
import { connectionSettings } from '../../shared/http_client/connection_options.ts';
import { parseAddress } from '../../shared/http_client/address.ts';
import { basicAuthorization, tokenAuthorization } from '../../shared/http_client/authorization.ts';
import { HttpClient } from '../../shared/http_client/http_client.ts';
import { HttpFailure } from '../../shared/http_client/http_failure.ts';
import { outcomeOf } from '../../shared/http_client/response_outcome.ts';
import { parseRetryAfter } from '../../shared/http_client/retry_after.ts';
import { labelsOf } from '../../shared/metrics/label_options.ts';
import { MetricEncoder } from '../../shared/metrics/metric_encoder.ts';
import { SnappyCompressor } from '../../shared/snappy/snappy.ts';
import { openClientTls } from '../../shared/tls/tls_client.ts';
import type { RemoteWriteOptions } from './config.ts';
import { findRefused, type RecordRange } from './refusal_search.ts';
import { remoteWriteWire } from './time_series.ts';

const connectionsMax = 16;
/** Of an answer; only its beginning is ever shown. */
const responseBytesMax = 64 * 1024;

/** Writes each chunk as one request of the remote write protocol 1.0. */
export class RemoteWriteOutput implements Output {
  readonly encoder: MetricEncoder;
  private readonly options: RemoteWriteOptions;
  private readonly context: OutputContext;
  private readonly snappy: SnappyCompressor;
  private headers: readonly string[] = [];
  private path = '/';
  private client: HttpClient | undefined;

  constructor(options: RemoteWriteOptions, context: OutputContext) {
    this.options = options;
    this.context = context;
    this.snappy = new SnappyCompressor(context.kernel);
    this.encoder = new MetricEncoder(remoteWriteWire(labelsOf(options.add_label)), context);
  }

  async open(): Promise<void> {
    const { options, context } = this;
    const address = parseAddress(options.host, { port: options.port, isTls: context.tls.enabled });
    const tls = address.isTls ? await openClientTls(context.tls, context) : undefined;
    this.path = address.path + options.uri;
    this.headers = fixedHeaders(options);
    this.client = new HttpClient({
      origin: address.origin,
      ...connectionSettings(options),
      connectionsMax,
      clock: context.clock,
      ...(tls === undefined ? {} : { tls }),
      ...(options.proxy === undefined ? {} : { proxy: options.proxy }),
    });
  }

  async deliver(chunk: Chunk, delivery: Delivery): Promise<DeliveryOutcome> {
    const outcome = await this.send(chunk.body(), delivery.signal);
    if (outcome.kind !== 'rejected' || chunk.count === 1) return outcome;
    return findRefused(chunk.count, outcome, (range) =>
      this.send(bytesOf(chunk, range), delivery.signal),
    );
  }

  /** Writes nothing, which every server answers. */
  async probe(signal: AbortSignal): Promise<void> {
    await this.post(Buffer.alloc(0), signal);
  }

  async close(): Promise<void> {
    await this.client?.close();
    this.client = undefined;
  }

  private async send(body: Buffer, signal: AbortSignal): Promise<DeliveryOutcome> {
    try {
      const response = await this.post(body, signal);
      const nowMs = this.context.clock.nowMs();
      return outcomeOf({
        status: response.status,
        body: response.body,
        retryAfterMs: parseRetryAfter(response.headers.get('retry-after'), nowMs),
        location: response.headers.get('location'),
        showBody: this.options.log_response_payload,
      });
    } catch (error) {
      if (error instanceof HttpFailure) return { kind: 'retry', reason: error.message };
      throw error;
    }
  }

  private post(body: Buffer, signal: AbortSignal) {
    return this.client!.request({
      method: 'POST',
      path: this.path,
      headers: this.headers,
      // A copy: deliveries under way share the compressor.
      body: Buffer.from(this.snappy.compress(body)),
      signal,
      responseBytesMax,
    });
  }
}

/** The bytes of some of a chunk's records: a request is its records one behind the other. */
function bytesOf(chunk: Chunk, { from, to }: RecordRange): Buffer {
  const records: Buffer[] = [];
  for (let index = from; index < to; index++) records.push(chunk.recordAt(index));
  return Buffer.concat(records);
}

function fixedHeaders(options: RemoteWriteOptions): string[] {
  const token = options.bearer_token;
  const authorization =
    basicAuthorization(options.http_user, options.http_passwd) ??
    (token === undefined ? undefined : tokenAuthorization('Bearer', token));
  return [
    ...['content-type', 'application/x-protobuf', 'content-encoding', 'snappy'],
    ...['user-agent', 'sluice', 'x-prometheus-remote-write-version', '0.1.0'],
    ...(authorization === undefined ? [] : ['authorization', authorization]),
    ...(options.header ?? []).flatMap((line) => {
      const [, name = '', value = ''] = /^(\S+)\s+(.*?)\s*$/.exec(line) ?? [];
      return [name, value];
    }),
  ];
}
