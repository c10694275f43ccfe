import type {
  Chunk,
  Delivery,
  DeliveryOutcome,
  Output,
  OutputContext,
  RecordEncoder,
} from '../../../core/sdk/index.ts';
import { connectionSettings } from '../../shared/http_client/connection_options.ts';
import { parseAddress } from '../../shared/http_client/address.ts';
import { basicAuthorization, tokenAuthorization } from '../../shared/http_client/authorization.ts';
import { gzipBody } from '../../shared/http_client/compression.ts';
import { HttpClient } from '../../shared/http_client/http_client.ts';
import { HttpFailure } from '../../shared/http_client/http_failure.ts';
import { parseRetryAfter } from '../../shared/http_client/retry_after.ts';
import { openClientTls } from '../../shared/tls/tls_client.ts';
import type { HttpOutputOptions } from './config.ts';
import { HttpEncoder, requestBody } from './http_encoder.ts';
import { outcomeOf } from '../../shared/http_client/response_outcome.ts';
import { RecordRequests } from './record_requests.ts';
import { joinHeaders, requestHeaders } from './request_headers.ts';
import { SectionOutcomes } from '../../shared/record_sink/section_outcomes.ts';

/** Of an answer; only its beginning is ever shown. */
const responseBytesMax = 64 * 1024;
const connectionsMax = 64;

/** Sends each chunk as one request, or one for each tag in it. */
export class HttpOutput implements Output {
  readonly encoder: RecordEncoder;
  private readonly options: HttpOutputOptions;
  private readonly context: OutputContext;
  private client: HttpClient | undefined;
  private path = '/';
  private headers: readonly string[] = [];
  private readonly records: RecordRequests | undefined;

  constructor(options: HttpOutputOptions, context: OutputContext) {
    this.options = options;
    this.context = context;
    this.encoder = new HttpEncoder(options, context);
    const { body_key, headers_key } = options;
    if (body_key !== undefined) this.records = new RecordRequests(body_key, headers_key, context);
  }

  async open(): Promise<void> {
    const { options, context } = this;
    const address = parseAddress(options.host, {
      port: options.port,
      isTls: context.tls.enabled,
    });
    const tls = address.isTls ? await openClientTls(context.tls, context) : undefined;
    this.path = address.path + (options.uri.startsWith('/') ? '' : '/') + options.uri;
    this.headers = requestHeaders(options, authorizationOf(options));
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
    if (this.records !== undefined) return this.sendRecords(chunk, this.records, delivery);
    if (chunk.sections.length === 1) return this.sendSection(chunk, 0, delivery);
    const outcomes = new SectionOutcomes();
    for (let at = 0; at < chunk.sections.length; at++) {
      const outcome = outcomes.isHalted ? undefined : await this.sendSection(chunk, at, delivery);
      outcomes.add(chunk.sections[at]!.count, outcome);
    }
    return outcomes.whole();
  }

  async probe(signal: AbortSignal): Promise<void> {
    // Any answer will do: the server is there, and TLS and the proxy work.
    await this.client!.request({
      method: 'HEAD',
      path: this.path,
      headers: this.headers,
      signal,
      responseBytesMax,
    });
  }

  async close(): Promise<void> {
    await this.client?.close();
    this.client = undefined;
  }

  /** A request a record, one behind the other. */
  private async sendRecords(
    chunk: Chunk,
    requests: RecordRequests,
    delivery: Delivery,
  ): Promise<DeliveryOutcome> {
    const outcomes = new SectionOutcomes();
    for (let index = 0; index < chunk.count; index++) {
      if (outcomes.isHalted) {
        outcomes.add(1, undefined);
        continue;
      }
      const request = requests.of(this.encoder.recordJson(chunk.recordAt(index)));
      if ('problem' in request) {
        outcomes.add(1, { kind: 'rejected', reason: request.problem });
        continue;
      }
      const { generation, offset, part, tag } = chunk.originAt(index);
      const own = this.ownHeaders(`${generation}.${offset}.${part}`, tag);
      const shared = [...this.headers, ...own];
      const { allow_duplicated_headers: twice } = this.options;
      const outcome = await this.send(
        request.body,
        joinHeaders(shared, request.headers, twice),
        delivery,
      );
      // There is nothing smaller than one record.
      if (outcome.kind === 'split') outcomes.add(1, { ...outcome, kind: 'rejected', status: 413 });
      else outcomes.add(1, outcome);
    }
    return outcomes.whole();
  }

  private sendSection(chunk: Chunk, at: number, delivery: Delivery): Promise<DeliveryOutcome> {
    const { key, writer } = chunk.sections[at]!;
    const id = chunk.sections.length === 1 ? chunk.id : `${chunk.id}.s${at}`;
    const body = requestBody(this.options.format, writer.view());
    return this.send(body, [...this.headers, ...this.ownHeaders(id, key)], delivery);
  }

  private async send(
    plain: Buffer,
    headers: readonly string[],
    delivery: Delivery,
  ): Promise<DeliveryOutcome> {
    const { options, context } = this;
    try {
      const body = options.compress === 'gzip' ? await gzipBody(plain) : plain;
      const response = await this.client!.request({
        method: options.http_method,
        path: this.path,
        headers,
        body,
        signal: delivery.signal,
        responseBytesMax,
      });
      return outcomeOf({
        status: response.status,
        body: response.body,
        retryAfterMs: parseRetryAfter(response.headers.get('retry-after'), context.clock.nowMs()),
        location: response.headers.get('location'),
        showBody: options.log_response_payload,
      });
    } catch (error) {
      if (error instanceof HttpFailure) return { kind: 'retry', reason: error.message };
      throw error;
    }
  }

  /** `id` is the same for every try: a receiver that knows it takes a repeat once. */
  private ownHeaders(id: string, tag: string): string[] {
    const headers = ['idempotency-key', id];
    const { header_tag: name } = this.options;
    if (name !== undefined) headers.push(name, headerText(tag));
    return headers;
  }
}

function authorizationOf(options: HttpOutputOptions): string | undefined {
  const basic = basicAuthorization(options.http_user, options.http_passwd);
  if (basic !== undefined || options.http_bearer_token === undefined) return basic;
  return tokenAuthorization('Bearer', options.http_bearer_token);
}

/** A tag as a header can carry it: what is not printable ASCII is percent-encoded. */
function headerText(tag: string): string {
  return tag.replace(/[^\x20-\x7e]/gu, (character) => {
    const hex = Buffer.from(character).toString('hex').toUpperCase();
    return hex.replace(/../g, '%$&');
  });
}
