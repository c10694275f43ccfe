import { SluiceError } from '../../../core/sdk/index.ts';

export interface Address {
  /** `https://host:port`, IPv6 in brackets. */
  readonly origin: string;
  /** Path before the request's own, without a slash at its end; '' for none. */
  readonly path: string;
  readonly isTls: boolean;
}

export interface AddressDefaults {
  readonly port: number;
  readonly isTls: boolean;
}

/** Reads where a server is: `name`, `name:9200`, `::1`, `[::1]:9200`, or a whole URL, whose scheme
 *  then decides about TLS. Errors: SLUICE_OPTION_INVALID. */
export function parseAddress(text: string, defaults: AddressDefaults): Address {
  const hasScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(text);
  const isBareIpv6 = !hasScheme && /^[^[\]]*:[^[\]]*:[^[\]]*$/.test(text);
  const authority = isBareIpv6 ? `[${text}]` : text;
  const scheme = defaults.isTls ? 'https' : 'http';
  const url = urlOf(hasScheme ? text : `${scheme}://${authority}`);
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.hostname === '') {
    throw new SluiceError(
      'SLUICE_OPTION_INVALID',
      `The host ${JSON.stringify(text)} is no address: write a name, name:port or an http(s) URL.`,
    );
  }
  if (url.username !== '' || url.search !== '' || url.hash !== '') {
    throw new SluiceError(
      'SLUICE_OPTION_INVALID',
      `The host ${url.host} has a user, a query or a fragment in its address: use the options for them.`,
    );
  }
  const port =
    hasScheme || /:(?:80|443)(?:\/|$)/.test(text) ? url.port : portOr(url, defaults.port);
  const origin = `${url.protocol}//${url.hostname}${port === '' ? '' : `:${port}`}`;
  return { origin, path: url.pathname.replace(/\/+$/, ''), isTls: url.protocol === 'https:' };
}

/** A whole URL without a port means its scheme's port, as everywhere; a bare name means ours. */
function portOr(url: URL, port: number): string {
  return url.port === '' ? String(port) : url.port;
}

function urlOf(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}
