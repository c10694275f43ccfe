import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AnyPlugin } from '../../core/sdk/index.ts';
import { scriptedInput, startPipeline } from '../../core/testing/index.ts';
import { plugin as exporter } from '../../plugins/outputs/prometheus_exporter/index.ts';
import { freePort } from '../chaos/sink.ts';

async function start() {
  const ports = [await freePort(), await freePort()] as const;
  const plugins = [scriptedInput().plugin, exporter] as AnyPlugin[];
  const pages = (pairs: readonly (readonly [string, number])[], more = '') => `
pipeline:
  inputs: [{name: scripted}]
  outputs:
${pairs.map(([alias, port]) => `    - {name: prometheus_exporter, alias: ${alias}, match: x, port: ${port}${more}}`).join('\n')}
`;
  const pipeline = await startPipeline({
    yaml: pages([
      ['a', ports[0]],
      ['b', ports[1]],
    ]),
    plugins,
  });
  return { ports, pages, pipeline };
}

async function answers(port: number): Promise<boolean> {
  const response = await fetch(`http://127.0.0.1:${port}/metrics`, {
    headers: { connection: 'close' },
  });
  return response.status === 200;
}

test('a page of metrics keeps its port when its options change', async () => {
  const { ports, pages, pipeline } = await start();
  const next = pages(
    [
      ['a', ports[0]],
      ['b', ports[1]],
    ],
    ', add_label: [x y]',
  );
  const result = await pipeline.agent.reload(pipeline.load(next));
  assert.equal(result.ok, true, result.message);
  for (const port of ports) assert.ok(await answers(port));
  await pipeline.stop();
});

test('two pages swap their ports in one reload', async () => {
  const { ports, pages, pipeline } = await start();
  const next = pages([
    ['a', ports[1]],
    ['b', ports[0]],
  ]);
  const result = await pipeline.agent.reload(pipeline.load(next));
  assert.equal(result.ok, true, result.message);
  for (const port of ports) assert.ok(await answers(port));
  await pipeline.stop();
});

test('a reload that fails leaves the pages where they were', async () => {
  const { ports, pages, pipeline } = await start();
  const next = pages([
    ['a', ports[1]],
    ['b', ports[0]],
    ['c', ports[0]],
  ]);
  assert.equal((await pipeline.agent.reload(pipeline.load(next))).ok, false);
  for (const port of ports) assert.ok(await answers(port));
  await pipeline.stop();
});
