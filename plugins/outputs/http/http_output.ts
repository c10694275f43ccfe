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
import { requestHeaders } from './request_headers.ts';
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

  constructor(options: HttpOutputOptions, context: OutputContext) {
    this.options = options;
    this.context = context;
    this.encoder = new HttpEncoder(options, context);
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
    if (chunk.sections.length === 1) return this.send(chunk, 0, delivery);
    const outcomes = new SectionOutcomes();
    for (let at = 0; at < chunk.sections.length; at++) {
      const outcome = outcomes.isHalted ? undefined : await this.send(chunk, at, delivery);
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

  private async send(chunk: Chunk, at: number, delivery: Delivery): Promise<DeliveryOutcome> {
    const { options, context } = this;
    const section = chunk.sections[at]!;
    const plain = requestBody(options.format, section.writer.view());
    try {
      const body = options.compress === 'gzip' ? await gzipBody(plain) : plain;
      const response = await this.client!.request({
        method: options.http_method,
        path: this.path,
        headers: [...this.headers, ...this.sectionHeaders(chunk, at)],
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

  /** The same for every try of a chunk: a receiver that knows the key takes a repeat once. */
  private sectionHeaders(chunk: Chunk, at: number): string[] {
    const key = chunk.sections.length === 1 ? chunk.id : `${chunk.id}.s${at}`;
    const headers = ['idempotency-key', key];
    const { header_tag: name } = this.options;
    if (name !== undefined) headers.push(name, headerText(chunk.sections[at]!.key));
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
