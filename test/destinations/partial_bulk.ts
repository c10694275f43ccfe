import type { Asked, ProxyFault } from './faulty_proxy.ts';
import { bytesOf } from './faulty_proxy.ts';

export interface BulkItem {
  readonly create: { readonly status: number; readonly error?: { readonly type: string } };
}

/** Types of errors, by the status that Elasticsearch gives them. */
const errorTypes: Readonly<Record<number, string>> = {
  400: 'document_parsing_exception',
  403: 'security_exception',
  408: 'timeout_exception',
  429: 'es_rejected_execution_exception',
  500: 'engine_exception',
  503: 'unavailable_shards_exception',
};

/** Stands before Elasticsearch and refuses single documents of bulk requests; only the others reach it.
 *  `statusOf` says with which status; undefined lets a document through. */
export class PartialBulk {
  /** Answers in which some documents were taken and some were not. */
  partialAnswers = 0;
  /** Documents that a status was given to, by the status. */
  readonly refusals: Record<number, number> = {};
  /** Documents that came although an answer had said what became of them, and they were not to be retried. */
  needless = 0;
  /** Documents that were refused for good, by their action lines. */
  readonly rejected = new Set<string>();
  readonly #statusOf: () => number | undefined;
  readonly #settled = new Set<string>();
  /** What an answer without results decided: the repeat that asks for them learns the same. */
  readonly #decided = new Map<string, number | undefined>();

  constructor(statusOf: () => number | undefined) {
    this.#statusOf = statusOf;
  }

  /** Documents of which an answer said that they were taken, or refused for good. */
  get settled(): number {
    return this.#settled.size;
  }

  readonly fault: ProxyFault = async (asked, socket, forward) => {
    const isAsked = asked.path.includes('items.*.status');
    const { actions, kept } = this.#sort(asked, isAsked);
    const busy = { type: 'none', headers: {}, items: [] as BulkItem[] };
    const answer =
      kept.length === 0
        ? busy
        : await forward({
            ...asked,
            path: asked.path.replace(
              /filter_path=[^&]*/,
              'filter_path=errors,items.*.status,items.*.error',
            ),
            body: Buffer.from(`${kept.join('\n')}\n`),
          }).then(({ headers, body }) => ({
            headers,
            ...(JSON.parse(body.toString()) as { items: BulkItem[] }),
          }));
    const items = actions.map(([action, status]): BulkItem => {
      const item = status === undefined ? answer.items.shift()! : refusal(status);
      const isFinal = [200, 201, 409, 400].includes(item.create.status);
      if (isAsked && isFinal) this.#settled.add(action);
      if (isAsked && item.create.status === 400) this.rejected.add(action);
      return item;
    });
    const failed = items.filter((item) => item.create.error !== undefined);
    if (failed.length > 0 && failed.length < items.length) this.partialAnswers++;
    const types = failed.map(({ create }) => ({ create: { error: { type: create.error!.type } } }));
    const shown = { errors: failed.length > 0, items: isAsked ? items : types };
    const body = Buffer.from(JSON.stringify(shown));
    socket.end(bytesOf({ status: 200, headers: { 'content-type': 'application/json' }, body }));
  };

  /** What becomes of each document, and the lines of those that go on. */
  #sort(asked: Asked, isAsked: boolean) {
    const lines = asked.body.toString().trimEnd().split('\n');
    const actions: [string, number | undefined][] = [];
    const kept: string[] = [];
    for (let at = 0; at < lines.length; at += 2) {
      const action = lines[at]!;
      if (this.#settled.has(action)) this.needless++;
      const status = this.#decided.has(action) ? this.#decided.get(action) : this.#statusOf();
      if (isAsked) this.#decided.delete(action);
      else this.#decided.set(action, status);
      if (status === undefined) kept.push(action, lines[at + 1]!);
      else this.refusals[status] = (this.refusals[status] ?? 0) + 1;
      actions.push([action, status]);
    }
    return { actions, kept };
  }
}

function refusal(status: number): BulkItem {
  return { create: { status, error: { type: errorTypes[status] ?? 'exception' } } };
}
