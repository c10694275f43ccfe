import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Client } from '@elastic/elasticsearch';
import { type Clock, importDriver, messageOf, SluiceError } from '../../../core/sdk/index.ts';
import type { Address } from '../../shared/http_client/address.ts';
import type { ClientTls } from '../../shared/tls/tls_client.ts';
import type { ElasticsearchOptions } from './config.ts';

export interface ClusterClientOptions {
  readonly options: ElasticsearchOptions;
  readonly addresses: readonly Address[];
  readonly authorization: string | undefined;
  readonly tls: ClientTls | undefined;
  readonly clock: Clock;
  readonly baseDirectory: string;
}

/** Oldest server that is written for. */
const majorVersionMin = 8;

/** What is asked of a cluster besides taking records, through Elastic's own client, which is heavy
 *  and so is loaded for as long as one question takes. It also checks that the server is Elasticsearch. */
export class ClusterClient {
  private readonly settings: ClusterClientOptions;

  constructor(settings: ClusterClientOptions) {
    this.settings = settings;
  }

  /** Puts the index template in place unless one of that name is there (or is to be replaced).
   *  Errors: SLUICE_OPTION_INVALID for the file, SLUICE_OUTPUT_UNREACHABLE for the rest. */
  async ensureTemplate(signal: AbortSignal): Promise<void> {
    const { template_name: name, template_file: file, template_overwrite } = this.settings.options;
    if (name === undefined || file === undefined) return;
    const template = await readTemplate(resolve(this.settings.baseDirectory, file));
    await this.ask(`index template ${name}`, async (client) => {
      if (!template_overwrite) {
        if (await client.indices.existsIndexTemplate({ name }, { signal })) return;
      }
      const path = `/_index_template/${encodeURIComponent(name)}`;
      await client.transport.request({ method: 'PUT', path, body: template }, { signal });
    });
  }

  /** Connects and looks at what the options refer to. Errors: SLUICE_OUTPUT_UNREACHABLE. */
  async probe(signal: AbortSignal): Promise<void> {
    const { pipeline } = this.settings.options;
    await this.ask('cluster', async (client) => {
      const { version } = await client.info({}, { signal });
      if (Number.parseInt(version.number, 10) < majorVersionMin) {
        throw new Error(`version ${version.number} is older than ${majorVersionMin}`);
      }
      if (pipeline !== undefined) await client.ingest.getPipeline({ id: pipeline }, { signal });
    });
  }

  private async ask(what: string, work: (client: Client) => Promise<void>): Promise<void> {
    const client = await this.connect();
    try {
      await work(client);
    } catch (cause) {
      const where = this.settings.addresses.map((address) => address.origin).join(', ');
      throw new SluiceError(
        'SLUICE_OUTPUT_UNREACHABLE',
        `Elasticsearch at ${where}, ${what}: ${messageOf(cause)}.`,
        { cause },
      );
    } finally {
      await client.close();
    }
  }

  private async connect(): Promise<Client> {
    const { Client, HttpConnection, UndiciConnection } = await importDriver(
      '@elastic/elasticsearch',
      () => import('@elastic/elasticsearch'),
    );
    const { options, addresses, authorization, clock } = this.settings;
    const tls = await this.settings.tls?.current(clock.monotonicMs());
    return new Client({
      nodes: addresses.map((address) => address.origin + address.path),
      headers: authorization === undefined ? {} : { authorization },
      ...(tls === undefined ? {} : { tls }),
      ...(options.proxy === undefined ? {} : { proxy: options.proxy }),
      // The client's undici connection knows no proxies.
      Connection: options.proxy === undefined ? UndiciConnection : HttpConnection,
      maxRetries: 0,
      requestTimeout: options['http.response_timeout'],
    });
  }
}

async function readTemplate(path: string): Promise<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new Error('it is no JSON object');
    }
    return value as Record<string, unknown>; // Checked above; Elasticsearch checks the rest.
  } catch (cause) {
    throw new SluiceError(
      'SLUICE_OPTION_INVALID',
      `template_file ${path} cannot be used (${messageOf(cause)}): write the body of PUT _index_template as JSON.`,
      { cause },
    );
  }
}
