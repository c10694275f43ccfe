import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { HttpInputOptions } from './config.ts';
import { Refusal } from './refusal.ts';
import { tagOfText } from './request_tag.ts';

/** How a body's records are told apart. */
export type BodyForm = 'json' | 'json_lines' | 'text_lines';

/** What the head of a request says of its body. */
export interface RequestPlan {
  readonly form: BodyForm;
  readonly isGzip: boolean;
  readonly tag: string;
  /** Origin of the records, in hex; undefined for a random one. */
  readonly generation: string | undefined;
}

const keyCharactersMax = 1024;

const formOf: Readonly<Record<string, BodyForm>> = {
  'application/json': 'json',
  'application/x-ndjson': 'json_lines',
  'application/ndjson': 'json_lines',
  'application/jsonl': 'json_lines',
  'application/x-jsonlines': 'json_lines',
  'text/plain': 'text_lines',
};

/** Reads the head of a request. Errors: Refusal with 405, 413 or 415. */
export function planRequest(
  request: IncomingMessage,
  options: HttpInputOptions,
  inputTag: string,
): RequestPlan {
  const { method, headers } = request;
  if (method !== 'POST' && method !== 'PUT') {
    const text = `Records are sent with POST or PUT, not ${method}.`;
    throw new Refusal(405, text, { allow: 'POST, PUT' });
  }
  const form = readForm(headers['content-type']);
  const isGzip = readEncoding(headers['content-encoding']);
  const most = isGzip ? options.request_bytes_max : options.decompressed_bytes_max;
  if (Number(headers['content-length'] ?? 0) > most) throw tooLarge(most, isGzip);
  const { tag_header: name } = options;
  const named = name === undefined ? undefined : headers[name.toLowerCase()];
  const fromPath = options.tag_from_path ? tagOfText(pathOf(request)) : undefined;
  return {
    form,
    isGzip,
    tag: tagOfText(named === undefined ? '' : String(named)) ?? fromPath ?? inputTag,
    generation: readGeneration(headers['idempotency-key']),
  };
}

export function tooLarge(most: number, isCompressed: boolean): Refusal {
  const option = isCompressed ? 'request_bytes_max' : 'decompressed_bytes_max';
  const text = `The body has more than ${most} bytes, the ${option} of this input: send it in parts.`;
  return new Refusal(413, text);
}

function readForm(header: string | undefined): BodyForm {
  const [type = '', ...parameters] = (header ?? 'application/json').toLowerCase().split(';');
  const name = type.trim();
  const form = formOf[name] ?? (/^application\/[^\s]+\+json$/.test(name) ? 'json' : undefined);
  if (form === undefined) {
    const known = Object.keys(formOf).join(', ');
    throw new Refusal(415, `The content type ${name} is not taken: send one of ${known}.`);
  }
  for (const parameter of parameters) {
    const charset = /^\s*charset\s*=\s*"?([^"\s]*)"?\s*$/.exec(parameter)?.[1];
    if (charset === undefined || charset === 'utf-8' || charset === 'utf8') continue;
    if (charset !== 'us-ascii') throw new Refusal(415, `Bodies are UTF-8, not ${charset}.`);
  }
  return form;
}

/** True for gzip, false for none. */
function readEncoding(header: string | undefined): boolean {
  const name = (header ?? 'identity').trim().toLowerCase();
  if (name === 'identity' || name === '') return false;
  if (name === 'gzip' || name === 'x-gzip') return true;
  const text = `The content encoding ${name} is not taken: send gzip, or none.`;
  throw new Refusal(415, text, { 'accept-encoding': 'gzip, identity' });
}

/** The path without its query; an absolute URL gives its path as well. */
function pathOf(request: IncomingMessage): string {
  const url = request.url ?? '/';
  const path = url.startsWith('/') ? url : url.replace(/^[a-z]+:\/\/[^/]*/i, '');
  return path.replace(/[?#].*$/s, '').replace(/^\/+/, '');
}

/** The same key gives the same ids: the first 128 bits of its SHA-256. */
function readGeneration(header: string | string[] | undefined): string | undefined {
  if (header === undefined || header === '') return undefined;
  const key = String(header);
  if (key.length > keyCharactersMax) {
    throw new Refusal(400, `The Idempotency-Key has more than ${keyCharactersMax} characters.`);
  }
  return createHash('sha256').update(key).digest('hex').slice(0, 32);
}
