import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { cli, jsonLines, start, workplace } from './run_cli.ts';

test('when the reader of standard output goes away, the agent says so and ends in its time', async (t) => {
  const directory = workplace(t, {
    'pipeline.yaml': `
service: {flush: 50ms, log_level: warn, storage.path: data}
pipeline:
  inputs: [{name: dummy, tag: a, samples: 20000}]
  outputs: [{name: stdout, match: '*'}]
`,
  });
  const child = start(['run', 'pipeline.yaml'], { cwd: directory });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  await once(child.stdout, 'data');
  child.stdout.destroy();
  const [code] = (await once(child, 'close')) as [number | null];
  assert.equal(code, 0, said);
  assert.match(said, /Nobody reads standard output any more/);
});

test('standard input goes through its parser, whose headers are dropped', async (t) => {
  const directory = workplace(t, {
    'pipeline.yaml': `
service: {log_level: error, storage.path: data}
parsers: [{name: table, format: csv, columns: 'n, what', skip_header: true, types: 'n:integer'}]
pipeline:
  inputs: [{name: stdin, tag: a, parser: table}]
  outputs: [{name: stdout, match: '*', format: json_lines}]
`,
  });
  const input = 'n,what\n1,"a,b"\n"open\n2,c';
  const { code, out } = await cli(['run', 'pipeline.yaml'], { cwd: directory, input });
  assert.equal(code, 0);
  assert.deepEqual(jsonLines(out), [{ n: 1, what: 'a,b' }, { log: '"open' }, { n: 2, what: 'c' }]);
});
