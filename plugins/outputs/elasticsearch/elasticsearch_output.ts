import type {
  Chunk,
  Counter,
  Delivery,
  DeliveryOutcome,
  Output,
  OutputContext,
  RecordEncoder,
} from '../../../core/sdk/index.ts';
import { connectionSettings } from '../../shared/http_client/connection_options.ts';
import { gzipBody } from '../../shared/http_client/compression.ts';
import { HostSet } from '../../shared/http_client/host_set.ts';
import { HttpClient, type HttpResponse } from '../../shared/http_client/http_client.ts';
import { HttpFailure } from '../../shared/http_client/http_failure.ts';
import { parseRetryAfter } from '../../shared/http_client/retry_after.ts';
import { openClientTls } from '../../shared/tls/tls_client.ts';
import { BulkEncoder } from './bulk_encoder.ts';
import { type BulkResult, readBulkResponse } from './bulk_response.ts';
import { ClusterClient } from './cluster_client.ts';
import type { ElasticsearchOptions } from './config.ts';
import { indexPieces } from './index_name.ts';
import { authorizationOf, serverAddresses } from './servers.ts';
import { isNamedByRecords } from '../../shared/record_name/name_piece.ts';

/** Of an answer. A result with a long reason takes about 1 KiB. */
const responseBytesMax = 64 * 1024 * 1024;

/** Requests that ask for every result after one of them reported a failure. */
const detailedRequests = 64;

const connectionsMax = 64;

/** Of a request or an answer in the log. */
const traceBytesMax = 4096;

/** Sends bulk bodies as they are.
 *
 *  A body whose records all have ids and are created (not replaced) can be sent twice without harm. So the
 *  request asks for `errors` and the types of errors alone, fifteen bytes when all is well, and only if there
 *  are other errors than documents that were there already the same body goes again, asking for each result;
 *  documents of the first time answer 409 then, which is success. */
export class ElasticsearchOutput implements Output {
  readonly encoder: RecordEncoder;
  private readonly options: ElasticsearchOptions;
  private readonly context: OutputContext;
  private readonly conflicts: Counter;
  private readonly isRepeatable: boolean;
  private readonly isNamedByRecords: boolean;
  private hosts: HostSet | undefined;
  private cluster: ClusterClient | undefined;
  private path = '';
  private headers: readonly string[] = [];
  private template: Promise<void> | undefined;
  private detailedLeft = 0;

  constructor(options: ElasticsearchOptions, context: OutputContext) {
    this.options = options;
    this.context = context;
    this.encoder = new BulkEncoder(options, context);
    this.conflicts = context.metrics.counter('sluice_elasticsearch_id_conflicts_total');
    this.isNamedByRecords = isNamedByRecords(indexPieces(options, context));
    const hasIds = options.generate_id || options.id_key !== undefined;
    this.isRepeatable = options.write_operation === 'create' && hasIds;
  }

  async open(): Promise<void> {
    const { options, context } = this;
    const addresses = serverAddresses(options, context.tls.enabled);
    const needsTls = addresses.some((address) => address.isTls);
    const tls = needsTls ? await openClientTls(context.tls, context) : undefined;
    const authorization = authorizationOf(options);
    const clients = addresses.map(
      ({ origin }) =>
        new HttpClient({
          origin,
          ...connectionSettings(options),
          connectionsMax,
          clock: context.clock,
          ...(tls === undefined ? {} : { tls }),
          ...(options.proxy === undefined ? {} : { proxy: options.proxy }),
        }),
    );
    const { baseDirectory, clock } = context;
    this.hosts = new HostSet(clients, context.clock);
    const cluster = { options, addresses, authorization, tls, clock, baseDirectory };
    this.cluster = new ClusterClient(cluster);
    // All hosts are nodes of one cluster behind the same path.
    this.path = `${addresses[0]!.path}/_bulk`;
    this.headers = requestHeaders(options, authorization);
  }

  async deliver(chunk: Chunk, delivery: Delivery): Promise<DeliveryOutcome> {
    await this.ensureTemplate(delivery.signal);
    const body = chunk.body();
    if (this.options.trace_output) {
      const text = body.toString('utf8', 0, traceBytesMax);
      this.context.log.info({ body: text }, 'Sending to Elasticsearch.');
    }
    const sent = this.options.compress === 'gzip' ? await gzipBody(body) : body;
    try {
      const isDetailed = !this.isRepeatable || this.detailedLeft > 0;
      if (this.detailedLeft > 0) this.detailedLeft--;
      const result = await this.send(chunk, sent, delivery, isDetailed);
      if (result.kind !== 'needsItems') return result;
      this.detailedLeft = detailedRequests;
      const detailed = await this.send(chunk, sent, delivery, true, true);
      if (detailed.kind !== 'needsItems') return detailed;
      return { kind: 'retry', reason: 'the answer reports errors and does not say which' };
    } catch (error) {
      if (error instanceof HttpFailure) return { kind: 'retry', reason: error.message };
      throw error;
    }
  }

  async probe(signal: AbortSignal): Promise<void> {
    await this.cluster!.probe(signal);
  }

  async close(): Promise<void> {
    await this.hosts?.close();
    this.hosts = undefined;
  }

  /** Once, before the first record; again if that failed. */
  private async ensureTemplate(signal: AbortSignal): Promise<void> {
    if (this.options.template_file === undefined) return;
    this.template ??= this.cluster!.ensureTemplate(signal);
    try {
      await this.template;
    } catch (error) {
      this.template = undefined;
      throw error;
    }
  }

  private async send(
    chunk: Chunk,
    body: Buffer,
    delivery: Delivery,
    isDetailed: boolean,
    isRepeat = false,
  ): Promise<BulkResult> {
    const filter = isDetailed ? 'items.*.status,items.*.error' : 'items.*.error.type';
    const { pipeline } = this.options;
    const named = pipeline === undefined ? '' : `&pipeline=${encodeURIComponent(pipeline)}`;
    const response = await this.hosts!.request({
      method: 'POST',
      path: `${this.path}?filter_path=errors,${filter}${named}`,
      headers: this.headers,
      body,
      signal: delivery.signal,
      responseBytesMax,
    });
    const result = readBulkResponse(this.responseOf(response), {
      count: chunk.count,
      bytes: chunk.bytes,
      operation: this.options.write_operation,
      isNamedByRecords: this.isNamedByRecords,
      onConflicts: (count) => {
        // Only what was certainly never sent before counts: not a repeat, a retry or a part of one.
        const isFirst = !isRepeat && delivery.attempt === 1 && !chunk.id.includes('.');
        if (isFirst) this.conflicts.value += count;
      },
    });
    if (isDetailed && result.kind !== 'accepted') this.detailedLeft = detailedRequests;
    if (this.options.trace_error && result.kind !== 'accepted' && isDetailed) {
      const text = response.body.toString('utf8', 0, traceBytesMax);
      this.context.log.warn({ status: response.status, answer: text }, 'Elasticsearch answered.');
    }
    return result;
  }

  private responseOf(response: HttpResponse): Parameters<typeof readBulkResponse>[0] {
    const retryAfter = response.headers.get('retry-after');
    return {
      status: response.status,
      body: response.body,
      truncated: response.truncated,
      retryAfterMs: parseRetryAfter(retryAfter, this.context.clock.nowMs()),
      location: response.headers.get('location'),
    };
  }
}

function requestHeaders(
  options: ElasticsearchOptions,
  authorization: string | undefined,
): readonly string[] {
  const headers = ['content-type', 'application/x-ndjson', 'accept', 'application/json'];
  if (options.compress === 'gzip') headers.push('content-encoding', 'gzip');
  if (authorization !== undefined) headers.push('authorization', authorization);
  return headers;
}
