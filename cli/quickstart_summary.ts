import { openDatabase, type Database } from '../plugins/outputs/duckdb/database.ts';
import { runQuery } from '../plugins/outputs/duckdb/query.ts';
import { bytesText, countOf, countText, secondsText } from './counts.ts';
import { textTable } from './text_table.ts';

export interface QuickstartRun {
  /** The file that was read. */
  readonly source: string;
  readonly bytes: number;
  readonly database: string;
  readonly pipeline: string;
  readonly seconds: number;
  readonly records: number;
  /** Records that the database refused. */
  readonly refused: number;
  /** How a person calls the program here. */
  readonly program: string;
}

const limits = { rowsMax: 100, timeoutMs: 60_000 };

/** What became of a quickstart, as a person wants to read it; everything about the records comes
 *  from queries over the database. */
export async function quickstartSummary(run: QuickstartRun): Promise<string> {
  const database = await openDatabase({
    path: run.database,
    memoryBytes: 256_000_000,
    threads: 2,
    isReadOnly: true,
  });
  try {
    return await summaryText(database, run);
  } finally {
    database.close();
  }
}

async function summaryText(database: Database, run: QuickstartRun): Promise<string> {
  const columns = new Set((await rows(database, 'DESCRIBE logs')).map(([name]) => String(name)));
  const total = Number((await rows(database, 'SELECT count(*) FROM logs'))[0]![0]);
  const parsed = columns.has('clientip')
    ? Number((await rows(database, 'SELECT count(clientip) FROM logs'))[0]![0])
    : 0;
  const parts = [
    `\n${readText(run)}`,
    total === run.records ? '' : `The database holds ${countText(total)} records by now.`,
    unparsedText(total, parsed),
    run.refused > 0
      ? `${countText(run.refused)} records were refused by the database; "${run.program} dlq show ${run.pipeline}" has them and why.\n`
      : '',
    `They are in ${run.database}, table "logs".\n`,
    ...(await tables(database, columns)),
    nextText(run, parsed > 0),
  ];
  return parts.filter((part) => part !== '').join('\n');
}

function readText({ records, source, bytes, seconds }: QuickstartRun): string {
  if (records === 0) return `Nothing to read: ${source} has nothing new.`;
  const rate = countText(seconds > 0 ? records / seconds : 0);
  return `${countOf(records, 'record')} from ${source} (${bytesText(bytes)}) in ${secondsText(seconds)}: ${rate} records/s.`;
}

function unparsedText(total: number, parsed: number): string {
  if (total === 0) return '';
  if (parsed === total) return 'Every line was an access log line.';
  if (parsed > 0) {
    return `${countText(total - parsed)} lines were no access log lines; they are kept whole, tagged _grokparsefailure.`;
  }
  return 'No line looked like an access log (Apache or nginx, common or combined): all are kept whole in the column "log".';
}

async function tables(database: Database, columns: ReadonlySet<string>): Promise<string[]> {
  const wanted: [string, readonly string[], string][] = [
    [
      'The five paths that were asked for most',
      ['request', 'bytes'],
      `SELECT split_part(request, '?', 1) AS path, count(*) AS requests, sum(bytes)::BIGINT AS bytes
       FROM logs WHERE request IS NOT NULL GROUP BY path ORDER BY requests DESC, path LIMIT 5`,
    ],
    [
      'Where the requests came from',
      ['geo', 'clientip'],
      `SELECT coalesce(geo->>'country_name', 'unknown') AS country, count(*) AS requests,
         count(DISTINCT clientip) AS clients
       FROM logs WHERE clientip IS NOT NULL GROUP BY country ORDER BY requests DESC, country LIMIT 5`,
    ],
    [
      'How they were answered',
      ['response'],
      `SELECT response AS status, count(*) AS requests FROM logs WHERE response IS NOT NULL
       GROUP BY status ORDER BY requests DESC, status LIMIT 8`,
    ],
  ];
  const texts: string[] = [];
  for (const [title, needed, sql] of wanted) {
    if (!needed.every((name) => columns.has(name))) continue;
    const result = await runQuery(database, sql, limits);
    if (result.rows.length === 0) continue;
    texts.push(`${title}:\n\n${textTable(result).replace(/^/gm, '  ').trimEnd()}\n`);
  }
  return texts;
}

async function rows(database: Database, sql: string): Promise<readonly (readonly unknown[])[]> {
  return (await runQuery(database, sql, limits)).rows;
}

function nextText(run: QuickstartRun, hasParsed: boolean): string {
  const sql = hasParsed
    ? 'SELECT request, response, clientip FROM logs WHERE response >= 500'
    : 'SELECT time, log FROM logs LIMIT 10';
  return `Next, ask it something yourself:

  ${run.program} query "${sql}"

The pipeline is ${run.pipeline}; it explains each of its lines.
To send the same records to Elasticsearch, change the line of its output into the one that stands
below it as a comment, and run it:

  ${run.program} run ${run.pipeline}
`;
}
