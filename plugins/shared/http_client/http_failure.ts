/** What went wrong below HTTP.
 *  `connect`: no connection came about, so nothing was sent. `tls`: the peer's certificate or handshake was refused.
 *  `timeout`: a deadline passed. `reset`: the connection ended in the middle. `protocol`: the peer does not speak HTTP.
 *  `aborted`: the caller gave up. */
export type HttpFailureKind = 'connect' | 'tls' | 'timeout' | 'reset' | 'protocol' | 'aborted';

/** A request without a response. */
export class HttpFailure extends Error {
  readonly kind: HttpFailureKind;

  constructor(kind: HttpFailureKind, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'HttpFailure';
    this.kind = kind;
  }

  /** True when the peer cannot have seen the request. */
  get neverSent(): boolean {
    return this.kind === 'connect' || this.kind === 'tls';
  }
}

/** Classifies what undici, node:net and node:tls throw. */
export function failureOf(error: unknown, target: string): HttpFailure {
  if (error instanceof HttpFailure) return error;
  const found = firstCoded(error);
  const kind = kindOf(found.code, found.name);
  return new HttpFailure(kind, `${target}: ${wordsOf[kind]} (${found.text})`, error);
}

const wordsOf: Record<HttpFailureKind, string> = {
  connect: 'cannot connect',
  tls: 'TLS failed',
  timeout: 'no answer in time',
  reset: 'the connection was closed before the answer',
  protocol: 'the answer is not HTTP',
  aborted: 'given up',
};

const connectCodes = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'EADDRNOTAVAIL',
  'ENOENT',
  'EACCES',
  'EMFILE',
  'UND_ERR_CONNECT_TIMEOUT',
]);

function kindOf(code: string, name: string): HttpFailureKind {
  if (connectCodes.has(code)) return 'connect';
  if (isTlsCode(code) || name === 'SecureProxyConnectionError') return 'tls';
  if (code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT') return 'timeout';
  if (code === 'ETIMEDOUT' || name === 'TimeoutError') return 'timeout';
  if (name === 'HTTPParserError' || code.startsWith('HPE_')) return 'protocol';
  if (name === 'AbortError') return 'aborted';
  return 'reset';
}

/** OpenSSL's verification codes have no common beginning. */
function isTlsCode(code: string): boolean {
  return (
    /^(?:ERR_SSL|ERR_TLS|ERR_OSSL|CERT_|CRL_|UNABLE_TO_|ERROR_IN_C)/.test(code) ||
    /^(?:DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|HOSTNAME_MISMATCH)$/.test(code) ||
    code === 'EPROTO'
  );
}

interface Coded {
  readonly code: string;
  readonly name: string;
  readonly text: string;
}

/** The first error of the chain that has a code; an AggregateError (both address families tried)
 *  stands for its first one. */
function firstCoded(error: unknown): Coded {
  let at: unknown = error;
  for (let depth = 0; depth < 5 && at instanceof Error; depth++) {
    // Node's system errors carry a code; others have none.
    const code = (at as { code?: unknown }).code;
    if (at instanceof AggregateError && at.errors[0] instanceof Error && at.message === '') {
      at = at.errors[0];
      continue;
    }
    const isGeneric = code === undefined || code === 'UND_ERR_SOCKET' || code === 'UND_ERR_ABORTED';
    if (!isGeneric || at.cause === undefined) {
      const text = at.message === '' ? String(code) : at.message;
      return { code: typeof code === 'string' ? code : '', name: at.name, text };
    }
    at = at.cause;
  }
  return { code: '', name: '', text: String(error) };
}
