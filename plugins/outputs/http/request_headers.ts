import type { OptionProblem } from '../../../core/sdk/index.ts';
import type { HttpOutputOptions } from './config.ts';

const contentTypes = {
  json: 'application/json',
  json_lines: 'application/x-ndjson',
  json_stream: 'application/json',
} as const;

/** Headers that the protocol itself sets. */
const reserved = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'connection',
  'keep-alive',
  'upgrade',
  'expect',
  'te',
  'trailer',
]);

/** The headers of every request, names and values in turn. The user's own win over ours. */
export function requestHeaders(
  options: HttpOutputOptions,
  authorization: string | undefined,
): string[] {
  const own = (options.header ?? []).map(splitHeader);
  const kept = options.allow_duplicated_headers
    ? own
    : own.filter(([name], at) => !own.slice(at + 1).some(([later]) => isSameName(later, name)));
  const ours: [string, string][] = [];
  // A record that brings headers says itself what its body is.
  if (options.headers_key === undefined) ours.push(['content-type', contentTypes[options.format]]);
  if (authorization !== undefined) ours.push(['authorization', authorization]);
  const added = ours.filter(([name]) => !kept.some(([given]) => isSameName(given, name)));
  if (options.compress === 'gzip') added.push(['content-encoding', 'gzip']);
  return [...added, ...kept].flat();
}

/** What is wrong with the headers that a file gives. */
export function checkHeaders(options: HttpOutputOptions): OptionProblem[] {
  const problems: OptionProblem[] = [];
  (options.header ?? []).forEach((text, at) => {
    const message = headerProblem(splitHeader(text), options.compress);
    if (message !== undefined) problems.push({ path: ['header', String(at)], message });
  });
  const { header_tag: name } = options;
  if (name === undefined) return problems;
  const message = headerProblem([name, ''], options.compress);
  if (message !== undefined) problems.push({ path: ['header_tag'], message });
  return problems;
}

function headerProblem(
  [name, value]: readonly [string, string],
  compress: string | undefined,
): string | undefined {
  if (!isHeaderName(name)) {
    return `${JSON.stringify(name)} is no name of a header (RFC 9110): write "Name value".`;
  }
  if (isReservedHeader(name)) return `The header ${name} is set by the protocol itself.`;
  if (compress !== undefined && isSameName(name, 'content-encoding')) {
    return 'The header Content-Encoding is set by "compress".';
  }
  if (!isHeaderValue(value)) {
    return `The value of the header ${name} has characters that no header can carry.`;
  }
  return undefined;
}

/** Headers of a record beside those of every request: ours win, but for a name that may be there twice. */
export function joinHeaders(
  shared: readonly string[],
  own: readonly (readonly [string, string])[],
  allowsDuplicates: boolean,
): string[] {
  const names = new Set(shared.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase()));
  const kept = own.filter(([name]) => {
    const isTwice = names.has(name.toLowerCase());
    return !isTwice || (allowsDuplicates && !singleHeaders.has(name.toLowerCase()));
  });
  return [...shared, ...kept.flat()];
}

const singleHeaders = new Set([
  'authorization',
  'content-type',
  'content-encoding',
  'idempotency-key',
  'user-agent',
]);

/** RFC 9110 section 5.1. */
export function isHeaderName(name: string): boolean {
  return /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name);
}

/** RFC 9110 section 5.5. */
export function isHeaderValue(value: string): boolean {
  return !/[^\t\x20-\x7e\x80-\xff]/.test(value);
}

/** Set by the protocol itself. */
export function isReservedHeader(name: string): boolean {
  return reserved.has(name.toLowerCase());
}

/** Fluent Bit's form: the name, white space, the value. A colon behind the name is forgiven. */
function splitHeader(text: string): [string, string] {
  const at = text.search(/\s/);
  const name = at < 0 ? text : text.slice(0, at);
  return [name.replace(/:$/, ''), at < 0 ? '' : text.slice(at).trim()];
}

function isSameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
