/** An answer as the real server gives it. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const elastic = { 'content-type': 'application/json', 'x-elastic-product': 'Elasticsearch' };
const root = JSON.stringify({
  name: 'sink',
  cluster_name: 'sink',
  cluster_uuid: 'c2lua3NpbmtzaW5rc2luaw',
  version: { number: '8.19.2', build_flavor: 'default', lucene_version: '9.12.2' },
  tagline: 'You Know, for Search',
});
/** One item of a full `_bulk` answer, as Elasticsearch 9.5 sends it. */
const fullItem =
  '{"create":{"_index":"bench","_id":"AAAAAAAAAAAAAAAAAAAA","_version":1,"result":"created","_shards":{"total":2,"successful":1,"failed":0},"_seq_no":100000,"_primary_term":1,"status":201}}';

/** Whether an answer has an entry for each record: their number is then needed. */
export function isItemised(url: string): boolean {
  if (!url.includes('_bulk')) return false;
  return !url.includes('filter_path=') || url.includes('status');
}

/** What the server behind a path says to a request with so many records: Elasticsearch, Loki and
 *  ClickHouse are told apart by it. */
export function answerTo(method: string, url: string, records: number): Answer {
  if (url.includes('_bulk')) return { status: 200, headers: elastic, body: bulkBody(url, records) };
  if (url.includes('/loki/api/v1/push')) return { status: 204, headers: {}, body: '' };
  if (method === 'GET' || method === 'HEAD') {
    const isRoot = url === '/' || url.startsWith('/?');
    if (url.startsWith('/ping')) return { status: 200, headers: {}, body: 'Ok.\n' };
    return { status: 200, headers: elastic, body: isRoot ? root : '{}' };
  }
  return {
    status: 200,
    headers: { 'content-type': 'text/plain', 'x-clickhouse-summary': '{}' },
    body: '',
  };
}

function bulkBody(url: string, records: number): string {
  const filter = decodeURIComponent(/[?&]filter_path=([^&]*)/.exec(url)?.[1] ?? '');
  if (filter === '') {
    const items = repeated(fullItem, records);
    return `{"errors":false,"took":30,"items":[${items}]}`;
  }
  const errors = /(?:^|,)errors/.test(filter) ? '"errors":false' : '';
  if (!filter.includes('items')) return `{${errors}}`;
  const item = filter.includes('status') ? '{"create":{"status":201}}' : '{}';
  // A filter that finds nothing in an item leaves the item out.
  const items = item === '{}' ? '' : `"items":[${repeated(item, records)}]`;
  return `{${[errors, items].filter((part) => part !== '').join(',')}}`;
}

function repeated(item: string, count: number): string {
  if (count === 0) return '';
  return `${`${item},`.repeat(count - 1)}${item}`;
}
