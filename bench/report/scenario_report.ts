import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Row } from '../measure/comparison.ts';
import type { Machine } from './machine.ts';

/** What is known of a scenario: one file `ID.json` of a report's directory. */
export interface ScenarioReport {
  readonly id: string;
  readonly title: string;
  readonly machine: Machine;
  readonly measuredAt: string;
  readonly bar?: number;
  readonly eventsPerSecondBar?: number;
  readonly rows: readonly Row[];
  /** Agents that were asked for and are not there, with the reason. */
  readonly absent: readonly { readonly agent: string; readonly why: string }[];
}

/** Writes a scenario's JSON file, and the Markdown page of all scenarios in the directory. */
export function writeScenarioReport(directory: string, report: ScenarioReport): void {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, `${report.id}.json`), `${JSON.stringify(report, undefined, 2)}\n`);
  const reports = readdirSync(directory)
    .filter((name) => /^S\d[\w.]*\.json$/.test(name) && !name.endsWith('.claim.json'))
    .map(
      (name) =>
        // Written above, now or by an earlier run.
        JSON.parse(readFileSync(join(directory, name), 'utf8')) as ScenarioReport,
    )
    .sort((a, b) => a.id.localeCompare(b.id, 'en', { numeric: true }));
  writeFileSync(join(directory, 'report.md'), markdownOf(reports));
}

/** A page with a table for each scenario. */
export function markdownOf(reports: readonly ScenarioReport[]): string {
  const parts = [
    '# Measured side by side',
    '',
    'CPU-seconds are user and system time of the whole process tree, per GB (10⁹ bytes) of input;',
    '*steady* leaves out what a run over a hundred lines uses. Medians; agents take turns. *Exact*:',
    'every record arrived once. *Ratio*: steady cost beside that of Sluice over an input of the same size.',
    '',
  ];
  for (const report of reports) parts.push(...scenarioLines(report));
  return `${parts.join('\n')}\n`;
}

function scenarioLines(report: ScenarioReport): string[] {
  const { id, title, machine, rows, absent } = report;
  const lines = [
    `## ${id}: ${title}`,
    '',
    `${machine.processor}, ${machine.cores} cores, Node ${machine.node}; ${report.measuredAt}.${barText(report)}`,
    '',
    '| agent | input MB | CPU-s/GB | steady | range | ratio | events/s | peak RSS MB | start-up CPU-s | start → first ms | exact |',
    '| --- | ---: | ---: | ---: | --- | ---: | ---: | ---: | ---: | ---: | --- |',
    ...rows.map((row) => rowLine(row, rows)),
    '',
  ];
  for (const { agent, why } of absent) lines.push(`- ${agent}: ${why}`);
  for (const row of rows) {
    if (row.problem !== undefined) lines.push(`- ${row.agent}: ${row.problem}`);
  }
  if (lines.at(-1) !== '') lines.push('');
  return lines;
}

function barText({ bar, eventsPerSecondBar }: ScenarioReport): string {
  const parts: string[] = [];
  if (bar !== undefined) parts.push(`steady ≤ ${bar} CPU-s/GB`);
  if (eventsPerSecondBar !== undefined) parts.push(`≥ ${grouped(eventsPerSecondBar)} events/s`);
  return parts.length === 0 ? '' : ` Wanted: ${parts.join(', ')}.`;
}

function rowLine(row: Row, rows: readonly Row[]): string {
  const own = rows.find(
    ({ agent, inputBytes }) => agent === 'sluice' && inputBytes === row.inputBytes,
  );
  const ratio = own === undefined ? NaN : row.steadyCpuSecondsPerGb / own.steadyCpuSecondsPerGb;
  const cells = [
    `${row.agent} ${row.version}`,
    (row.inputBytes / 1e6).toFixed(0),
    row.cpuSecondsPerGb.toFixed(2),
    row.steadyCpuSecondsPerGb.toFixed(2),
    `${row.range[0].toFixed(2)}–${row.range[1].toFixed(2)} (${row.runs})`,
    Number.isNaN(ratio) ? '' : `${ratio.toFixed(1)} ×`,
    grouped(Math.round(row.eventsPerSecond)),
    row.peakRssMb.toFixed(0),
    row.startupCpuSeconds.toFixed(2),
    row.startToFirstMs.toFixed(0),
    row.exact ? 'yes' : 'no',
  ];
  return `| ${cells.join(' | ')} |`;
}

function grouped(value: number): string {
  return value.toLocaleString('en-US');
}
