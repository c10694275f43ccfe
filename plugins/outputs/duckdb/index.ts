import { defineOutput, type OptionProblem } from '../../../core/sdk/index.ts';
import { type DuckdbOptions, schema } from './config.ts';
import { DuckdbOutput } from './duckdb_output.ts';

/** Stores records in a DuckDB file. */
export const plugin = defineOutput<DuckdbOptions>({
  name: 'duckdb',
  summary: 'Stores records in a DuckDB file, to query with SQL on the spot.',
  description: `Every top-level field becomes a column, typed by its first value; later fields add columns. What has no
column, or does not fit its own, is kept in a JSON column. Rows and the name of their chunk are one transaction, so that a
chunk which comes again is stored once. DuckDB lets one process open a file: while the agent runs, \`sluice query\` asks the
agent.`,
  stability: 'beta',
  encodesApart: true,
  schema,
  batch: { bytes: 1024 * 1024, records: 20_000 },
  example: `pipeline:
  inputs:
    - name: dummy
      tag: demo
      samples: 3
  outputs:
    - name: duckdb
      match: '*'
      path: ./demo.duckdb
      table: logs
`,
  check,
  create: (options, context) => new DuckdbOutput(options, context),
});

function check(options: DuckdbOptions): OptionProblem[] {
  const problems: OptionProblem[] = [];
  const names = new Map<string, string>();
  const fields = new Set<string>();
  const take = (name: string, path: readonly string[]) => {
    const taken = names.get(name.toLowerCase());
    if (taken !== undefined) {
      problems.push({ path, message: `The column "${name}" is there twice (see ${taken}).` });
    }
    names.set(name.toLowerCase(), path.join('.'));
  };
  for (const key of ['time_column', 'extra_column', 'id_column'] as const) {
    const name = options[key];
    if (name !== undefined) take(name, [key]);
  }
  for (const [index, { name, field }] of (options.columns ?? []).entries()) {
    const path = ['columns', String(index)];
    take(name, [...path, 'name']);
    const source = (field ?? name).toLowerCase();
    if (fields.has(source)) {
      problems.push({ path, message: `The field "${field ?? name}" fills a column already.` });
    }
    fields.add(source);
  }
  return problems;
}
