import { messageOf } from '../../core/errors/sluice_error.ts';
import type { Command, CommandCall } from '../command.ts';
import { countOf, countText } from '../counts.ts';
import { exitCode } from '../exit_codes.ts';
import { answerQuery, type QueryAnswer } from '../query_source.ts';
import { TextOutput } from '../text_output.ts';
import { textTable } from '../text_table.ts';
import { textOption, usageError } from '../usage_error.ts';

const formats = ['table', 'json', 'csv'] as const;
type Format = (typeof formats)[number];

/** `sluice query`: SQL over what a duckdb output stored. */
export const query: Command = {
  name: 'query',
  summary: 'Runs SQL over what a duckdb output stored; asks the agent while it runs.',
  usage:
    'sluice query [--file DATABASE | --agent URL --token TOKEN | FILE...] [--format table|json|csv] "SQL"',
  options: {
    file: { type: 'string', help: "Database file; the quickstart's when nothing is named." },
    agent: { type: 'string', help: 'Address of a running agent, as http://127.0.0.1:2020.' },
    token: { type: 'string', help: 'Its service.http_token; or set SLUICE_TOKEN.' },
    output: { type: 'string', help: 'Which duckdb output of the pipeline, by its name.' },
    format: { type: 'string', help: 'Form of the answer: table (default), json or csv.' },
  },
  async run(call) {
    const format = formatOf(textOption(call, 'format') ?? 'table');
    if (format === undefined) return usageError(call, query, `--format is ${formats.join(', ')}`);
    const sql = call.positionals.at(-1);
    if (sql === undefined) return usageError(call, query, 'give a query, in quotes');
    try {
      const answer = await answerQuery(
        {
          files: call.positionals.slice(0, -1),
          database: textOption(call, 'file'),
          agent: textOption(call, 'agent'),
          token: textOption(call, 'token') ?? process.env['SLUICE_TOKEN'],
          output: textOption(call, 'output'),
        },
        sql,
      );
      await print(call, answer, format);
      return exitCode.ok;
    } catch (error) {
      call.stderr.write(`error: ${messageOf(error)}\n`);
      const isConfig = (error as { code?: unknown }).code === 'SLUICE_CONFIG_INVALID';
      return isConfig ? exitCode.configuration : exitCode.failure;
    }
  },
};

function formatOf(text: string): Format | undefined {
  return formats.find((format) => format === text);
}

async function print(call: CommandCall, answer: QueryAnswer, format: Format): Promise<void> {
  const out = new TextOutput(call.stdout);
  const { columns, rows } = answer;
  if (format === 'json') await out.write(jsonText(answer));
  else if (format === 'csv') await out.write(csvText(answer));
  else {
    const widthMax = call.stdout.isTTY === true ? (process.stdout.columns ?? 0) : 0;
    await out.write(`${textTable({ columns, rows, widthMax })}\n${countOf(rows.length, 'row')}\n`);
  }
  await out.finish();
  if (answer.isCut === true) {
    call.stderr.write(`There are more rows: only the first ${countText(rows.length)} are shown.\n`);
  }
}

/** An array of objects, one a line. */
function jsonText({ columns, rows }: QueryAnswer): string {
  if (rows.length === 0) return '[]\n';
  const lines = rows.map((row) =>
    JSON.stringify(Object.fromEntries(columns.map((name, index) => [name, row[index]]))),
  );
  return `[\n${lines.join(',\n')}\n]\n`;
}

/** RFC 4180, with LF. */
function csvText({ columns, rows }: QueryAnswer): string {
  return [columns, ...rows].map((row) => `${row.map(csvCell).join(',')}\n`).join('');
}

function csvCell(value: unknown): string {
  if (value === null || value === undefined) return '';
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
