import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { messageOf } from '../../core/errors/sluice_error.ts';
import { loadDuckdb } from '../../plugins/outputs/duckdb/database.ts';
import { quickstartPipelineDirectory } from '../../cli/quickstart_place.ts';
import { cli, workplace } from './run_cli.ts';

const skip = await loadDuckdb().then(
  () => false as const,
  (error) => `duckdb: ${messageOf(error)}`,
);
const line = (path: string) =>
  `131.188.1.2 - - [12/May/2026:10:00:00 +0000] "GET ${path} HTTP/1.1" 200 512 "-" "curl/8.5.0"\n`;

test('the quickstart reads the sample and says what is in it, and again', { skip }, async (t) => {
  const cwd = workplace(t);
  for (const first of [true, false]) {
    const { code, out, err } = await cli(['quickstart'], { cwd });
    assert.deepEqual([code, err], [0, '']);
    assert.equal(out.includes('Starting anew'), !first);
    assert.match(out, /3,008 records from .*access\.log/);
    assert.match(out, /4 lines were no access log lines/);
    assert.match(out, /They are in .*quickstart-data\/logs\.duckdb, table "logs"/);
    assert.match(out, /path +requests +bytes\n[\s\S]*\/products/);
    assert.match(out, /country +requests +clients\n[\s\S]*Germany +441/);
    assert.match(out, /status +requests\n.*\n +200 +2218/);
    assert.match(out, /npx --no sluice query "SELECT/);
  }
  const query = ['query', '--format', 'csv'];
  const whole = await cli([...query, 'SELECT count(*), count(DISTINCT time) > 2000 FROM logs'], {
    cwd,
  });
  assert.equal(whole.out.split('\n')[1], '3008,true');
  const day = await cli([...query, 'SELECT min(time)::DATE FROM logs WHERE response > 0'], { cwd });
  assert.equal(day.out.split('\n')[1], '2026-05-12');
});

test("a file of one's own is read where it is, and --keep reads only what is new", {
  skip,
}, async (t) => {
  const cwd = workplace(t, { 'mine.log': line('/a').repeat(3) + line('/b') });
  const output = ['--output', 'results'];
  const first = await cli(['quickstart', ...output, 'mine.log'], { cwd });
  assert.equal(first.code, 0, first.err);
  assert.match(first.out, /4 records from .*mine\.log/);
  assert.match(first.out, /Every line was an access log line/);
  appendFileSync(join(cwd, 'mine.log'), line('/c'));
  const more = await cli(['quickstart', ...output, '--keep', 'mine.log'], { cwd });
  assert.match(more.out, /1 records? from .*mine\.log/);
  assert.match(more.out, /The database holds 5 records by now/);
  const again = await cli(['quickstart', ...output, '--keep', 'mine.log'], { cwd });
  assert.match(again.out, /nothing new/);
});

test('a file that is no access log is kept whole, with the way to look at it', {
  skip,
}, async (t) => {
  const cwd = workplace(t, { 'other.log': 'one\ntwo\n' });
  const { code, out } = await cli(['quickstart', 'other.log'], { cwd });
  assert.equal(code, 0);
  assert.match(out, /No line looked like an access log/);
  assert.match(out, /SELECT time, log FROM logs/);
  writeFileSync(join(cwd, 'other.log'), '');
  const empty = await cli(['quickstart', 'other.log'], { cwd });
  assert.deepEqual([empty.code, empty.err], [0, '']);
});

test('a file that is not there is one plain sentence', { skip }, async (t) => {
  const { code, err } = await cli(['quickstart', 'missing.log'], { cwd: workplace(t) });
  assert.notEqual(code, 0);
  assert.match(err, /^error: There is no file .*missing\.log\.\n$/);
});

test('one line sends the same to Elasticsearch', async (t) => {
  const text = readFileSync(join(quickstartPipelineDirectory(), 'pipeline.yaml'), 'utf8');
  const changed = text
    .split('\n')
    .filter((one) => !one.includes('name: duckdb'))
    .map((one) => one.replace('# - {name: elasticsearch', '- {name: elasticsearch'))
    // The changed file stands elsewhere; its database stays where it is.
    .map((one) => one.replace(':-../../', `:-${quickstartPipelineDirectory()}/../../`));
  const cwd = workplace(t, { 'pipeline.yaml': changed.join('\n') });
  const { code, out, err } = await cli(['check', 'pipeline.yaml'], { cwd });
  assert.deepEqual([code, err], [0, ''], out);
});
