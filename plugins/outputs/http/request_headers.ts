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
  const ours: [string, string][] = [['content-type', contentTypes[options.format]]];
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
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) {
    return `${JSON.stringify(name)} is no name of a header (RFC 9110): write "Name value".`;
  }
  if (reserved.has(name.toLowerCase())) return `The header ${name} is set by the protocol itself.`;
  if (compress !== undefined && isSameName(name, 'content-encoding')) {
    return 'The header Content-Encoding is set by "compress".';
  }
  // RFC 9110 section 5.5.
  if (/[^\t\x20-\x7e\x80-\xff]/.test(value)) {
    return `The value of the header ${name} has characters that no header can carry.`;
  }
  return undefined;
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
