import type { DeliveryOutcome, RejectedRecord } from '../../../core/sdk/index.ts';

import type { WriteOperation } from './config.ts';

/** What Elasticsearch said to one bulk request. `needsItems`: some record failed and the answer does not
 *  say which. */
export type BulkResult = DeliveryOutcome | { readonly kind: 'needsItems' };

export interface BulkResponse {
  readonly status: number;
  readonly body: Buffer;
  /** The body was cut off. */
  readonly truncated: boolean;
  readonly retryAfterMs?: number | undefined;
  /** Where a redirect points. */
  readonly location?: string | undefined;
}

export interface BulkRequestFacts {
  readonly count: number;
  /** Of the body, before compression. */
  readonly bytes: number;
  readonly operation: WriteOperation;
  /** Records say which index they go to: one that is refused there must not hold up the others. */
  readonly isNamedByRecords: boolean;
  /** Told the number of documents that were there already. */
  onConflicts?(count: number): void;
}

const reasonLengthMax = 1000;
const noErrors = '{"errors":false';
/** The document was there already. */
const conflictType = 'version_conflict_engine_exception';

/** Decides what became of each record. Pure. Source: Elasticsearch 8.19 and 9.5, Bulk API, with
 *  `filter_path=errors,items.*.error.type` (only the failed records' items are there, without their
 *  positions) or `errors,items.*.status,items.*.error`. */
export function readBulkResponse(response: BulkResponse, request: BulkRequestFacts): BulkResult {
  if (response.status >= 200 && response.status < 300) return readItems(response, request);
  const reason = `${response.status} ${reasonOf(response)}`;
  const { status, retryAfterMs: afterMs } = response;
  if (status === 413 || (status === 429 && request.count > 1 && neverFits(reason, request.bytes))) {
    return { kind: 'split', reason };
  }
  if (status === 400 && !isSettingsProblem(reason)) {
    // One malformed record fails the whole request: halving finds it.
    if (request.count > 1) return { kind: 'split', reason };
    return { kind: 'rejected', reason, status };
  }
  return { kind: 'retry', reason, status, ...(afterMs === undefined ? {} : { afterMs }) };
}

/** Told to wait because the body alone is over the node's limit, which waiting does not mend. Version 9
 *  takes a body in pieces and names the size of one.
 *  Source: Elasticsearch 8.19 and 9.5, IndexingPressure. */
function neverFits(reason: string, bodyBytes: number): boolean {
  const match = /coordinating_operation_bytes=(\d+), max_coordinating_bytes=(\d+)/.exec(reason);
  return match !== null && Math.max(Number(match[1]), bodyBytes) > Number(match[2]);
}

interface ItemError {
  readonly type?: string;
  readonly reason?: string;
  readonly caused_by?: ItemError;
}

interface ItemResult {
  readonly status?: number;
  readonly error?: ItemError | string;
}

function readItems(response: BulkResponse, request: BulkRequestFacts): BulkResult {
  const { body, status } = response;
  if (body.toString('latin1', 0, noErrors.length) === noErrors) return { kind: 'accepted' };
  if (response.truncated) {
    return { kind: 'split', reason: 'the answer to the bulk request is too long to be read' };
  }
  const answer = parse(body);
  if (answer === undefined || typeof answer.errors !== 'boolean') {
    const text = 'the answer is not one of Elasticsearch: check host, port and path';
    return { kind: 'retry', reason: `${text} (${excerpt(body)})`, status };
  }
  if (!answer.errors) return { kind: 'accepted' };
  if (!Array.isArray(answer.items)) return { kind: 'needsItems' };
  if (!answer.items.some(hasStatus)) return typesOutcome(answer.items, request);
  if (answer.items.length !== request.count) {
    const found = answer.items.length;
    const reason = `the answer has ${found} results for ${request.count} records`;
    return { kind: 'retry', reason, status };
  }
  return itemOutcome(answer.items, request);
}

/** Of an answer that has only the types of the errors. Where all of them say that the document was
 *  there already, nothing is left to ask. */
function typesOutcome(items: readonly unknown[], request: BulkRequestFacts): BulkResult {
  if (request.operation !== 'create') return { kind: 'needsItems' };
  const conflicts = items.filter((item) => typeOf(itemOf(item)?.error) === conflictType).length;
  if (conflicts > 0) request.onConflicts?.(conflicts);
  return { kind: conflicts > 0 && conflicts === items.length ? 'accepted' : 'needsItems' };
}

function itemOutcome(items: readonly unknown[], request: BulkRequestFacts): DeliveryOutcome {
  const retry: number[] = [];
  const rejected: RejectedRecord[] = [];
  let conflicts = 0;
  let retryReason = '';
  let retryStatus = 0;
  for (let index = 0; index < items.length; index++) {
    const item = itemOf(items[index]);
    const status = item?.status ?? 0;
    if (status >= 200 && status < 300) continue;
    if (status === 409 && request.operation === 'create') {
      conflicts++;
      continue;
    }
    const reason = errorText(item?.error) ?? `status ${status}`;
    if (isRetried(status, item?.error, request)) {
      if (retryReason === '') retryReason = `${status} ${reason}`;
      if (retryStatus === 0) retryStatus = status;
      retry.push(index);
    } else {
      rejected.push({ index, reason, status, code: 'SLUICE_OUTPUT_REFUSED' });
    }
  }
  if (conflicts > 0) request.onConflicts?.(conflicts);
  if (retry.length === 0 && rejected.length === 0) return { kind: 'accepted' };
  if (retry.length === items.length) {
    return { kind: 'retry', reason: retryReason, status: retryStatus };
  }
  const reason = retry.length > 0 ? retryReason : rejected[0]!.reason;
  return { kind: 'partial', retry, rejected, reason };
}

function hasStatus(item: unknown): boolean {
  return itemOf(item)?.status !== undefined;
}

/** An item is `{"create": {...}}`, the operation as the only key. */
function itemOf(item: unknown): ItemResult | undefined {
  if (typeof item !== 'object' || item === null) return undefined;
  return Object.values(item)[0] as ItemResult | undefined; // By the Bulk API; fields are checked.
}

/** Too busy, down, not allowed, or not set up: time or a person mends it. The rest is about the
 *  record itself. */
function isRetried(status: number, error: ItemResult['error'], request: BulkRequestFacts): boolean {
  // Somebody else changed the document meanwhile. Of `create` a conflict is no failure.
  if (status === 409 && request.operation !== 'index') return true;
  if (status === 429 || status === 408 || status >= 500 || status === 0) return true;
  const type = typeOf(error);
  if (type === 'cluster_block_exception') return true;
  if (isSettingsProblem(errorText(error) ?? '')) return true;
  const isClosed = status === 401 || status === 403 || type === 'index_not_found_exception';
  return isClosed && !request.isNamedByRecords;
}

/** Refusals that come from the output's own options, whatever the record is. */
function isSettingsProblem(reason: string): boolean {
  return (
    /contains unrecognized parameter|no handler found for uri/.test(reason) ||
    /pipeline with id \[[^\]]*\] does not exist/.test(reason)
  );
}

function typeOf(error: ItemResult['error']): string | undefined {
  return typeof error === 'object' ? error?.type : undefined;
}

function errorText(error: ItemResult['error']): string | undefined {
  if (error === undefined) return undefined;
  if (typeof error === 'string') return limited(error);
  const text = `${error.type ?? 'error'}: ${error.reason ?? 'no reason given'}`;
  const cause = error.caused_by?.reason;
  return limited(cause === undefined || text.includes(cause) ? text : `${text} (${cause})`);
}

/** The reason that an answer other than 2xx gives. */
function reasonOf(response: BulkResponse): string {
  if (response.status >= 300 && response.status < 400) {
    return `redirect to ${response.location ?? 'nowhere'}, which is not followed: write the final address`;
  }
  const error = parse(response.body)?.error;
  return errorText(error as ItemResult['error']) ?? excerpt(response.body);
}

interface Answer {
  readonly errors?: unknown;
  readonly items?: unknown;
  readonly error?: unknown;
}

function parse(body: Buffer): Answer | undefined {
  try {
    const value: unknown = JSON.parse(body.toString());
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function excerpt(body: Buffer): string {
  const text = body.toString('utf8', 0, 200).replace(/\s+/g, ' ').trim();
  return text === '' ? 'no text' : text;
}

function limited(text: string): string {
  return text.length <= reasonLengthMax ? text : `${text.slice(0, reasonLengthMax)}…`;
}
