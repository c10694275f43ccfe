import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import type { compiledForms, load } from '../cli/bundle_loader.ts';
import { CompiledForms } from '../cli/compiled_forms.ts';
import { projectRoot } from './project_root.ts';

/** Writes `dist/bundle/compiled.v8`: runs the agent of the bundle in this process over a few lines, then
 *  takes V8's form of what ran. A start with it neither parses nor compiles that again. */
async function main(): Promise<void> {
  const folder = join(projectRoot(), 'dist', 'bundle');
  const directory = mkdtempSync(join(tmpdir(), 'sluice-compile-'));
  const sink = createServer((request, response) => {
    request.resume().on('end', () => {
      response.writeHead(200, {
        'content-type': 'application/json',
        'x-elastic-product': 'Elasticsearch',
      });
      response.end('{"errors":false,"took":1}');
    });
  });
  const arrived = once(sink, 'request');
  try {
    await new Promise<void>((listening) => sink.listen(0, '127.0.0.1', listening));
    writeFileSync(join(directory, 'access.log'), `${accessLine}\n${accessLine}\n`);
    writeFileSync(join(directory, 'events.log'), '{"level":"info","msg":"started","n":1}\n');
    const pipeline = join(directory, 'pipeline.yaml');
    writeFileSync(pipeline, pipelineText(directory, (sink.address() as AddressInfo).port));
    // The build has written it.
    const loader = (await import(pathToFileURL(join(folder, 'loader.js')).href)) as {
      load: typeof load;
      compiledForms: typeof compiledForms;
    };
    process.argv = [process.execPath, join(folder, 'sluice.js'), 'run', pipeline];
    loader.load('sluice');
    await Promise.race([arrived, wait(60_000).then(() => Promise.reject(new Error(silent)))]);
    // What comes behind the first record: answers, checkpoints.
    await wait(settleMs);
    writeFileSync(join(folder, 'compiled.v8'), CompiledForms.fileOf(loader.compiledForms()));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const settleMs = 1500;
const silent = 'No record came out of the bundle.';
const accessLine =
  '192.0.2.7 - - [10/Oct/2024:13:55:36 +0000] "GET /a?b=c HTTP/1.1" 200 2326 "https://example.org/" "Mozilla/5.0"';

/** What most pipelines have. */
function pipelineText(directory: string, port: number): string {
  return `
service: {log_level: warn, flush: 10ms, storage.path: '${join(directory, 'data')}'}
pipeline:
  inputs:
    - {name: tail, path: '${join(directory, 'access.log')}', read_from_head: true, tag: access}
    - {name: tail, path: '${join(directory, 'events.log')}', read_from_head: true, tag: events}
  filters:
    - {name: grok, match: access, pattern: '%{COMBINEDAPACHELOG}', remove_field: [log]}
    - {name: date, match: access, key: timestamp, formats: ['dd/MMM/yyyy:HH:mm:ss Z']}
    - {name: parser, match: events, key_name: log, parser: json}
    - {name: modify, match: events, add: 'env prod'}
  outputs:
    - {name: elasticsearch, match: '*', host: 127.0.0.1, port: ${port}, index: a}
`;
}

await main();
// The agent would go on.
process.exit(0);
