import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { assertConservation, waitUntil } from '../../core/testing/index.ts';
import { loadPipeline } from '../../cli/pipeline_config.ts';
import { plugin as evtx } from '../../plugins/inputs/evtx/index.ts';
import { loadKoffi } from '../../plugins/shared/windows_native/load_koffi.ts';
import { startCase } from '../case/case_runner.ts';
import { inputRig } from '../unit/inputs/metric_rig.ts';

const skip =
  process.platform === 'win32' ? false : 'runs in Node for Windows: npm run test:windows';
const home = join(process.cwd(), 'pipelines', 'windows-security');
const folder = join(home, 'tests', 'windows_security');

// The stand-in of the Event Log: it is loaded before the input asks for a library of its name.
test('windows-security makes the same of channels as of their files', { skip }, async (t) => {
  const koffi = await loadKoffi();
  const library = koffi.load(join(process.cwd(), 'wevtapi.dll'));
  const text = 'const char16_t *';
  const append = library.func('StandInAppend', 'void', [text, text]);
  for (const xml of await eventTexts()) append(/<Channel>(.*?)</.exec(xml)?.[1], xml);

  const directory = mkdtempSync(join(tmpdir(), 'sluice-security-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const loaded = await loadPipeline([join(home, 'pipeline.yaml')], { TABLES: home });
  assert.ok(loaded.ok, loaded.ok ? '' : loaded.text);
  const { agent, collected } = await startCase(loaded.pipeline, directory, { withKernel: true });
  const seen = collected.get('search')!;
  const expected = readFileSync(join(folder, 'expected.search.ndjson'), 'utf8');
  const wanted = expected.split('\n').filter((line) => line !== '');
  try {
    await waitUntil('all events', () => seen.length >= wanted.length);
  } finally {
    await agent.stop();
  }
  assertConservation(agent.metrics, { drained: true });
  // Channels are read side by side.
  const withoutTime = (line: string) => line.replace(/,"@timestamp":"[^"]*"\}$/, '}');
  assert.deepEqual(seen.map(withoutTime).sort(), wanted.map(withoutTime).sort());
});

/** The events of the case's files as Windows would render them. */
async function eventTexts(): Promise<string[]> {
  const path = ['Security.evtx', 'Sysmon.evtx'].map((name) => join(folder, name));
  const rig = inputRig(evtx, { path, exit_on_eof: true, render_xml: true });
  await rig.start();
  await waitUntil('the events of the files', () => rig.emitter.seen.length >= 6);
  await rig.stop();
  return rig.emitter.seen.map(({ record }) => String(record['Xml']));
}
