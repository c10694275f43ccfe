import { type Secret, SluiceError } from '../../../core/sdk/index.ts';
import { type Address, parseAddress } from '../../shared/http_client/address.ts';
import { basicAuthorization, tokenAuthorization } from '../../shared/http_client/authorization.ts';
import type { ElasticsearchOptions } from './config.ts';

/** Where the servers are. Errors: SLUICE_OPTION_INVALID. */
export function serverAddresses(options: ElasticsearchOptions, isTls: boolean): Address[] {
  const path = options.path.replace(/^\/?(.*?)\/*$/, '$1');
  const suffix = path === '' ? '' : `/${path}`;
  const hosts =
    options.cloud_id === undefined
      ? (options.hosts ?? [options.host])
      : [cloudAddress(options.cloud_id)];
  if (hosts.length === 0) {
    throw new SluiceError('SLUICE_OPTION_INVALID', 'The list of hosts is empty: name one.');
  }
  return hosts.map((host) => {
    const address = parseAddress(host, { port: options.port, isTls });
    return { ...address, path: address.path + suffix };
  });
}

/** Decodes a Cloud ID: `name:base64(host[:port]$elasticsearch$kibana)`.
 *  Source: Elastic Cloud documentation, "Find your Cloud ID". */
export function cloudAddress(cloudId: string): string {
  const encoded = cloudId.slice(cloudId.lastIndexOf(':') + 1);
  const [host, cluster] = Buffer.from(encoded, 'base64').toString().split('$');
  const match = /^([a-z0-9.-]+?)(?::(\d+))?$/i.exec(host ?? '');
  if (match === null || cluster === undefined || !/^[a-z0-9-]+(?::\d+)?$/i.test(cluster)) {
    throw new SluiceError(
      'SLUICE_OPTION_INVALID',
      "The cloud_id cannot be decoded: copy it from the deployment's page.",
    );
  }
  const [name, ownPort] = cluster.split(':');
  return `https://${name}.${match[1]}:${ownPort ?? match[2] ?? '443'}`;
}

/** User and password, else `cloud_auth`, else an API key, else nothing.
 *  Errors: SLUICE_OPTION_INVALID. */
export function authorizationOf(options: ElasticsearchOptions): string | undefined {
  const basic = basicAuthorization(options.http_user, options.http_passwd);
  if (basic !== undefined) return basic;
  if (options.cloud_auth !== undefined) return cloudAuthorization(options.cloud_auth);
  const key = options.api_key ?? options.http_api_key;
  return key === undefined ? undefined : tokenAuthorization('ApiKey', key);
}

function cloudAuthorization(secret: Secret): string {
  const pair = secret.reveal();
  if (!pair.includes(':')) {
    throw new SluiceError('SLUICE_OPTION_INVALID', 'cloud_auth is written user:password.');
  }
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}
