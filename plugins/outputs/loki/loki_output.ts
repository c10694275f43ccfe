import {
  type Chunk,
  type Delivery,
  type DeliveryOutcome,
  messageOf,
  type Output,
  type OutputContext,
  type RejectedRecord,
  SluiceError,
} from '../../../core/sdk/index.ts';
import { connectionSettings } from '../../shared/http_client/connection_options.ts';
import { parseAddress } from '../../shared/http_client/address.ts';
import { basicAuthorization, tokenAuthorization } from '../../shared/http_client/authorization.ts';
import { gzipBody } from '../../shared/http_client/compression.ts';
import { HttpClient } from '../../shared/http_client/http_client.ts';
import { SnappyCompressor } from '../../shared/snappy/snappy.ts';
import { openClientTls } from '../../shared/tls/tls_client.ts';
import type { LokiOptions } from './config.ts';
import { LokiEncoder } from './loki_encoder.ts';
import { jsonFormat, type PushFormat, protobufFormat } from './push_format.ts';
import { groupsOf, type PushGroup, PushPlan, streamsOf } from './push_plan.ts';
import { namedTimes, type PushAnswer, verdictOf } from './verdict.ts';

const connectionsMax = 64;
/** Requests of one chunk under way at a time. */
const pushesMax = 8;
/** A push that is over Loki's rate again and again may be more than it takes in one: from this try
 *  on it goes in halves, down to this size. */
const splitAtAttempt = 4;
const splitBytesMin = 256 * 1024;

/** Pushes chunks to Loki: a request for every tenant. */
export class LokiOutput implements Output {
  readonly encoder: LokiEncoder;
  private readonly options: LokiOptions;
  private readonly context: OutputContext;
  private readonly format: PushFormat;
  private readonly snappy: SnappyCompressor;
  private readonly path: string;
  private readonly headers: readonly string[];
  private client: Promise<HttpClient> | undefined;

  constructor(options: LokiOptions, context: OutputContext) {
    this.options = options;
    this.context = context;
    this.snappy = new SnappyCompressor(context.kernel);
    this.format = options.format === 'json' ? jsonFormat : protobufFormat();
    this.encoder = new LokiEncoder(options, context, this.format);
    const address = parseAddress(options.host, { port: options.port, isTls: context.tls.enabled });
    this.path = address.path + options.uri;
    this.headers = this.fixedHeaders();
  }

  async open(): Promise<void> {
    await this.connected();
  }

  async deliver(chunk: Chunk, delivery: Delivery): Promise<DeliveryOutcome> {
    const groups = groupsOf(chunk, this.options.streams_per_request);
    const results = new Results();
    let next = 0;
    const work = async (): Promise<void> => {
      for (let group = groups[next++]; group !== undefined; group = groups[next++]) {
        await this.pushGroup(chunk, group, results, delivery.signal);
      }
    };
    await Promise.all(Array.from({ length: Math.min(pushesMax, groups.length) }, work));
    return this.outcome(chunk, results, delivery);
  }

  /** Pushes a group in order: Loki refuses what is far behind the newest line of its stream. */
  private async pushGroup(
    chunk: Chunk,
    group: PushGroup,
    results: Results,
    signal: AbortSignal,
  ): Promise<void> {
    const plan = new PushPlan(chunk, group);
    for (let piece = plan.next; piece !== undefined; piece = plan.next) {
      if (results.isStalled(group.tenant)) {
        plan.later();
        break;
      }
      let answer: PushAnswer;
      try {
        answer = await this.push(this.format.body(streamsOf(chunk, piece)), group.tenant, signal);
      } catch (error) {
        results.stallAll({ reason: messageOf(error) });
        continue;
      }
      const verdict = verdictOf(answer, this.context.clock.nowMs());
      const { status } = answer;
      if (verdict.kind === 'taken') plan.taken();
      else if (verdict.kind === 'too_large') plan.tooLarge(verdict.text, status);
      else if (verdict.kind === 'some_refused') {
        plan.someRefused(namedTimes(answer.text), verdict.text, status);
      } else
        results.stall(group.tenant, { reason: verdict.text, afterMs: verdict.afterMs, status });
    }
    results.add(plan);
  }

  /** Pushes nothing, which Loki answers like any push. */
  async probe(signal: AbortSignal): Promise<void> {
    const answer = await this.push(this.format.body([]), this.options.tenant_id ?? '', signal);
    const verdict = verdictOf(answer, this.context.clock.nowMs());
    // Loki 3.7 answers 422 to a push without streams, once it knows the tenant.
    if (verdict.kind === 'taken' || answer.status === 422) return;
    throw new SluiceError('SLUICE_OUTPUT_UNREACHABLE', `Loki says: ${verdict.text}`);
  }

  async close(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    await (await client?.catch(() => undefined))?.close();
  }

  private outcome(chunk: Chunk, results: Results, delivery: Delivery): DeliveryOutcome {
    const { rejected, retry, later } = results;
    if (later === undefined) {
      if (rejected.length === 0) return { kind: 'accepted' };
      const reason = `${rejected.length} of ${chunk.count} entries were refused`;
      return { kind: 'partial', retry, rejected, reason };
    }
    const { reason, afterMs } = later;
    retry.sort((a, b) => a - b);
    if (retry.length < chunk.count) return { kind: 'partial', retry, rejected, reason, afterMs };
    const isTooMuch = later.status === 429 && delivery.attempt >= splitAtAttempt;
    if (isTooMuch && chunk.count > 1 && chunk.bytes > splitBytesMin)
      return { kind: 'split', reason };
    return { kind: 'retry', ...later };
  }

  private async push(
    body: readonly Buffer[],
    tenant: string,
    signal: AbortSignal,
  ): Promise<PushAnswer> {
    const headers = [...this.headers];
    if (tenant !== '') headers.push('x-scope-orgid', tenant);
    const response = await (await this.connected()).request({
      method: 'POST',
      path: this.path,
      headers,
      body: await this.compressed(body),
      signal,
      responseBytesMax: this.options.buffer_size,
    });
    return {
      status: response.status,
      text: response.body.toString(),
      retryAfter: response.headers.get('retry-after'),
    };
  }

  private async compressed(body: readonly Buffer[]): Promise<Buffer | readonly Buffer[]> {
    // A copy: deliveries under way share the compressor.
    if (this.options.format === 'protobuf') return Buffer.from(this.snappy.compress(body));
    return this.options.compress === 'gzip' ? gzipBody(Buffer.concat(body)) : body;
  }

  private fixedHeaders(): string[] {
    const { options } = this;
    const isGzip = options.format === 'json' && options.compress === 'gzip';
    const token = options.bearer_token;
    const authorization =
      basicAuthorization(options.http_user, options.http_passwd) ??
      (token === undefined ? undefined : tokenAuthorization('Bearer', token));
    return [
      ...['content-type', this.format.contentType, 'user-agent', 'sluice'],
      ...(isGzip ? ['content-encoding', 'gzip'] : []),
      ...(authorization === undefined ? [] : ['authorization', authorization]),
      ...(options.header ?? []).flatMap((line) => {
        const [name, ...value] = line.split(/\s+/);
        return [name!, value.join(' ')];
      }),
    ];
  }

  private connected(): Promise<HttpClient> {
    this.client ??= this.connect();
    return this.client;
  }

  private async connect(): Promise<HttpClient> {
    const { options, context } = this;
    const address = parseAddress(options.host, { port: options.port, isTls: context.tls.enabled });
    return new HttpClient({
      origin: address.origin,
      ...(address.isTls ? { tls: await openClientTls(context.tls, context) } : {}),
      ...(options.proxy === undefined ? {} : { proxy: options.proxy }),
      ...connectionSettings(options),
      connectionsMax,
      clock: context.clock,
    });
  }
}

interface Later {
  readonly reason: string;
  readonly afterMs?: number;
  readonly status?: number;
}

/** What became of the groups of one chunk. */
class Results {
  readonly rejected: RejectedRecord[] = [];
  readonly retry: number[] = [];
  /** Why some have to go again; of several reasons the one that asks for the longest wait. */
  later: Later | undefined;
  private readonly stalled = new Set<string>();
  private isAllStalled = false;

  /** A tenant that has to wait: the rest of its records would only be refused too. */
  stall(tenant: string, later: Later): void {
    this.stalled.add(tenant);
    if (this.later === undefined || (later.afterMs ?? 0) > (this.later.afterMs ?? 0)) {
      this.later = later;
    }
  }

  stallAll(later: Later): void {
    this.isAllStalled = true;
    this.later ??= later;
  }

  isStalled(tenant: string): boolean {
    return this.isAllStalled || this.stalled.has(tenant);
  }

  add(plan: PushPlan): void {
    this.rejected.push(...plan.rejected);
    this.retry.push(...plan.retry);
  }
}
