import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClaimResult } from '../claims/claim.ts';
import type { Machine } from './machine.ts';

export interface ClaimReport extends ClaimResult {
  readonly machine: Machine;
  readonly measuredAt: string;
}

/** Writes a claim's JSON file, and the Markdown page of all claims in the directory. */
export function writeClaimReport(directory: string, report: ClaimReport): void {
  mkdirSync(directory, { recursive: true });
  const path = join(directory, `${report.id}.claim.json`);
  writeFileSync(path, `${JSON.stringify(report, undefined, 2)}\n`);
  const reports = readdirSync(directory)
    .filter((name) => name.endsWith('.claim.json'))
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
    // Written above, now or by an earlier run.
    .map((name) => JSON.parse(readFileSync(join(directory, name), 'utf8')) as ClaimReport);
  writeFileSync(join(directory, 'claims.md'), `${reports.map(section).join('\n')}`);
}

function section({ id, title, machine, measuredAt, figures }: ClaimReport): string {
  const lines = figures.map(({ what, wanted, measured, met }) => {
    const verdict = met === undefined ? '' : met ? 'yes' : 'no';
    return `| ${what} | ${wanted ?? ''} | ${measured} | ${verdict} |`;
  });
  return `## ${id}: ${title}

${machine.processor}, ${machine.cores} cores, Node ${machine.node}; ${measuredAt}.

| figure | wanted | measured | met |
| --- | --- | --- | --- |
${lines.join('\n')}
`;
}
