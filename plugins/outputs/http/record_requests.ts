import type { Field, OptionProblem, OutputContext } from '../../../core/sdk/index.ts';
import type { HttpOutputOptions } from './config.ts';
import { isHeaderName, isHeaderValue, isReservedHeader } from './request_headers.ts';

/** What a record itself says of its request, or why it cannot be sent. */
export type RecordRequest =
  | { readonly body: Buffer; readonly headers: readonly (readonly [string, string])[] }
  | { readonly problem: string };

/** Takes bodies and headers out of records: Fluent Bit's `body_key` and `headers_key`. */
export class RecordRequests {
  /** The records have headers of their own. */
  readonly hasHeaders: boolean;
  private readonly body: Field;
  private readonly headers: Field | undefined;
  private readonly bodyKey: string;
  private readonly headersKey: string;

  constructor(bodyKey: string, headersKey: string | undefined, context: OutputContext) {
    this.bodyKey = bodyKey;
    this.headersKey = headersKey ?? '';
    this.body = context.field(bodyKey);
    this.headers = headersKey === undefined ? undefined : context.field(headersKey);
    this.hasHeaders = headersKey !== undefined;
  }

  of(json: string): RecordRequest {
    // The encoder writes nothing but objects.
    const record = JSON.parse(json) as Record<string, unknown>;
    const body = memberAt(record, this.body);
    if (typeof body !== 'string') {
      return { problem: `the record has no text under body_key (${this.bodyKey})` };
    }
    if (this.headers === undefined) return { body: Buffer.from(body), headers: [] };
    const given = memberAt(record, this.headers);
    if (typeof given !== 'object' || given === null || Array.isArray(given)) {
      return { problem: `the record has no object under headers_key (${this.headersKey})` };
    }
    const headers: [string, string][] = [];
    for (const [name, value] of Object.entries(given)) {
      if (typeof value !== 'string' || isReservedHeader(name)) continue;
      if (!isHeaderName(name)) return { problem: `${JSON.stringify(name)} is no name of a header` };
      if (!isHeaderValue(value))
        return { problem: `the header ${name} has a value that none can have` };
      headers.push([name, value]);
    }
    return { body: Buffer.from(body), headers };
  }
}

/** What is wrong with the two options. */
export function checkRecordRequests(options: HttpOutputOptions): OptionProblem[] {
  if (options.headers_key === undefined || options.body_key !== undefined) return [];
  return [{ path: ['headers_key'], message: 'headers_key needs body_key.' }];
}

function memberAt(record: Record<string, unknown>, { keys, literal }: Field): unknown {
  if (literal !== undefined && Object.hasOwn(record, literal)) return record[literal];
  let value: unknown = record;
  for (const key of keys) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    // An object, or a list with its numbers as keys.
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}
