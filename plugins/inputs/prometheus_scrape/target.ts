import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { InputContext } from '../../../core/sdk/index.ts';
import { type LaneName, lanesOf } from '../../shared/collect/lanes.ts';
import { parseAddress } from '../../shared/http_client/address.ts';
import { basicAuthorization, tokenAuthorization } from '../../shared/http_client/authorization.ts';
import { HttpClient } from '../../shared/http_client/http_client.ts';
import { type Exposition, parseExposition } from '../../shared/metrics/exposition_parser.ts';
import { clientTls } from '../../shared/tls/client_options.ts';
import { openClientTls } from '../../shared/tls/tls_client.ts';
import type { ScrapeOptions } from './config.ts';
import type { TargetText } from './target_texts.ts';

const accepted =
  'application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.9,*/*;q=0.1';
const unzip = promisify(gunzip);

/** One page of metrics. */
export class Target {
  /** `host:port`: the label `instance`. */
  readonly instance: string;
  readonly lane: LaneName;
  /** How long a scrape may take. */
  readonly timeoutMs: number;
  private readonly options: ScrapeOptions;
  private readonly context: InputContext;
  private readonly origin: string;
  private readonly path: string;
  private readonly isTls: boolean;
  private client: HttpClient | undefined;

  /** Errors: SLUICE_OPTION_INVALID. */
  constructor({ text, lane }: TargetText, options: ScrapeOptions, context: InputContext) {
    this.options = options;
    this.context = context;
    this.lane = lane;
    this.timeoutMs = options.scrape_timeout ?? lanesOf(options)[lane].timeoutMs;
    const [, base = text, query = ''] = /^([^?]*)(\?.*)$/.exec(text) ?? [];
    const address = parseAddress(base, { port: options.port, isTls: false });
    this.origin = address.origin;
    this.path = address.path === '' ? options.metrics_path : address.path + query;
    this.isTls = address.isTls;
    const url = new URL(address.origin);
    this.instance = `${url.hostname}:${url.port || (this.isTls ? '443' : '80')}`;
  }

  get url(): string {
    return this.origin + this.path;
  }

  /** Reads the files of `tls.*`. Errors: SLUICE_OPTION_INVALID. */
  async open(): Promise<void> {
    const { options, context } = this;
    const tls = this.isTls ? await openClientTls(clientTls(options), context) : undefined;
    this.client = new HttpClient({
      origin: this.origin,
      connectTimeoutMs: Math.min(options['net.connect_timeout'], this.timeoutMs),
      // The schedule has the deadline, and aborts.
      responseTimeoutMs: this.timeoutMs + 1000,
      connectionsMax: 1,
      clock: context.clock,
      ...(tls === undefined ? {} : { tls }),
      ...(options.proxy === undefined ? {} : { proxy: options.proxy }),
    });
  }

  /** Errors: why there are no samples, as a sentence's end. */
  async scrape(signal: AbortSignal): Promise<Exposition> {
    const { options } = this;
    const response = await this.client!.request({
      method: 'GET',
      path: this.path,
      headers: this.headers(),
      signal,
      responseBytesMax: options.body_bytes_max,
    });
    if (response.status !== 200) {
      const start = response.body.toString('utf8', 0, 200).replace(/\s+/g, ' ').trim();
      throw new Error(`status ${response.status}${start === '' ? '' : `: ${start}`}`);
    }
    if (response.truncated) throw tooLarge(options.body_bytes_max);
    const body = await this.plainBody(response.body, response.headers.get('content-encoding'));
    const type = response.headers.get('content-type') ?? '';
    const page = parseExposition(body.toString(), {
      isOpenMetrics: /openmetrics/i.test(type),
      samplesMax: options.samples_max,
    });
    if (page.metrics.length > options.samples_max) {
      throw new Error(`the page has more than ${options.samples_max} samples (samples_max)`);
    }
    if (page.metrics.length === 0 && page.invalidLines > 0) {
      throw new Error(`the page has no metrics: ${page.firstProblem}`);
    }
    return page;
  }

  async close(): Promise<void> {
    await this.client?.close();
    this.client = undefined;
  }

  private async plainBody(body: Buffer, encoding: string | undefined): Promise<Buffer> {
    if (encoding === undefined || encoding === 'identity') return body;
    if (encoding !== 'gzip') throw new Error(`the page is encoded as ${encoding}`);
    try {
      return await unzip(body, { maxOutputLength: this.options.body_bytes_max });
    } catch (error) {
      // The code of node:zlib for more than maxOutputLength.
      const isLarge =
        error instanceof Error && 'code' in error && /TOO_LARGE/.test(`${error.code}`);
      throw isLarge ? tooLarge(this.options.body_bytes_max) : new Error('its gzip is broken');
    }
  }

  private headers(): string[] {
    const { options } = this;
    const token = options.bearer_token;
    const authorization =
      basicAuthorization(options.http_user, options.http_passwd) ??
      (token === undefined ? undefined : tokenAuthorization('Bearer', token));
    const seconds = String(this.timeoutMs / 1000);
    return [
      ...['accept', accepted, 'accept-encoding', 'gzip', 'user-agent', 'sluice'],
      ...['x-prometheus-scrape-timeout-seconds', seconds],
      ...(authorization === undefined ? [] : ['authorization', authorization]),
    ];
  }
}

function tooLarge(bytesMax: number): Error {
  return new Error(`the page has more than ${bytesMax} bytes (body_bytes_max)`);
}
