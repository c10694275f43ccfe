import assert from 'node:assert/strict';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readDeadLetters } from '../../core/dead_letter/dead_letter_reader.ts';
import {
  scriptedInput,
  scriptedOutput,
  startPipeline,
  waitUntil,
} from '../../core/testing/index.ts';

const yaml = (storage: string) => `
service: {flush: 10ms, scheduler.base: 5ms, grace: 200ms}
pipeline:
  inputs: [{name: scripted, tag: test}]
  outputs: [{name: scripted, alias: out, match: '*', storage.type: ${storage}}]
`;

/** Runs an agent that has records numbered `from` to `to` refused, so that their origins can be
 *  read among its dead letters. */
async function live(directory: string, storage: string, from: number, to: number): Promise<void> {
  const input = scriptedInput();
  const output = scriptedOutput();
  output.answer = () => ({ kind: 'rejected', reason: 'to see its origin' });
  const plugins = [input.plugin, output.plugin];
  const pipeline = await startPipeline({ yaml: yaml(storage), directory, plugins });
  await input.emit(Array.from({ length: to - from }, (_, k) => ({ n: from + k })));
  await waitUntil('all is settled', () => input.settled() === to);
  await waitUntil('all is delivered', () => pipeline.agent.outputs[0]!.stage.isIdle);
  await pipeline.stop({ keep: true });
}

/** Origins of the dead letters, as an id is made of them. */
async function origins(directory: string): Promise<string[]> {
  const found: string[] = [];
  const letters = join(directory, 'data', 'dead_letters', 'out');
  for await (const entry of readDeadLetters(letters, { salvage: false })) {
    if (entry.kind !== 'letter') continue;
    const { generation, offset, part } = entry.letter.origin;
    found.push(`${generation} ${offset} ${part}`);
  }
  return found;
}

for (const storage of ['memory', 'filesystem']) {
  test(`a copy of an agent's storage gives no id that the original gives, with a ${storage} buffer`, async () => {
    const place = await mkdtemp(join(tmpdir(), 'sluice-test-'));
    const [original, copy] = [join(place, 'original'), join(place, 'copy')];
    try {
      await live(original, storage, 0, 20);
      await cp(original, copy, { recursive: true });
      await live(original, storage, 20, 40);
      await live(copy, storage, 20, 40);
      const [known, copied] = [await origins(original), await origins(copy)];
      assert.equal(new Set(known).size, 40);
      assert.equal(new Set(known.map((id) => id.split(' ')[0])).size, 1, 'the original goes on');
      assert.deepEqual(copied.slice(0, 20), known.slice(0, 20));
      assert.equal(new Set([...known, ...copied]).size, 60, 'records share an id');
    } finally {
      await rm(place, { recursive: true, force: true });
    }
  });
}
