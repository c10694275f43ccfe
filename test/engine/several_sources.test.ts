import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { ownPlugins } from '../../cli/plugin_set.ts';
import {
  type ScriptedOutput,
  scriptedOutput,
  startPipeline,
  waitUntil,
} from '../../core/testing/index.ts';

const own = await ownPlugins();
const fileCount = 24;

/** Files that bring a few lines each, whose lines say where they stand. */
class Files {
  readonly directory: string;
  readonly lines: number[] = Array.from({ length: fileCount }, () => 0);
  private readonly ends: number[] = Array.from({ length: fileCount }, () => 0);

  constructor(t: TestContext) {
    this.directory = mkdtempSync(join(tmpdir(), 'sluice-several-'));
    t.after(() => rmSync(this.directory, { recursive: true, force: true }));
    for (let file = 0; file < fileCount; file++) writeFileSync(this.at(file), '');
  }

  at(file: number): string {
    return join(this.directory, `${file}.log`);
  }

  append(): void {
    for (let file = 0; file < fileCount; file++) {
      let text = '';
      for (let i = 0; i < 1 + (file % 4); i++) {
        text += `${file} ${this.lines[file]!++} ${this.ends[file]! + text.length}\n`;
      }
      this.ends[file]! += text.length;
      appendFileSync(this.at(file), text);
    }
  }

  get written(): number {
    return this.lines.reduce((sum, count) => sum + count, 0);
  }

  /** Each line came once, in its file's order. */
  check(texts: readonly string[]): void {
    const seen = this.lines.map((): number[] => []);
    for (const text of texts) {
      const [file, line] = String((JSON.parse(text) as { log: string }).log).split(' ');
      seen[Number(file)]!.push(Number(line));
    }
    this.lines.forEach((count, file) => {
      assert.deepEqual(
        seen[file],
        Array.from({ length: count }, (_, line) => line),
        `of file ${file}`,
      );
    });
  }
}

function yaml(files: Files, filters: string, outputs: readonly string[]): string {
  return `
service: {flush: 20ms, grace: 500ms, scheduler.base: 5ms, scheduler.cap: 20ms}
pipeline:
  inputs: [{name: tail, path: '${files.directory}/*.log', read_from_head: true, tag: 'file.*'}]
  filters: [${filters}]
  outputs: [${outputs.map((name) => `{name: ${name}, match: '*'}`).join(', ')}]
`;
}

/** Notes what chunks say of the records' origins, and that it is what the lines say. */
function originsOf(output: ScriptedOutput): { wrong: string[]; sources: Set<string> } {
  const found = { wrong: [] as string[], sources: new Set<string>() };
  const { answer } = output;
  output.answer = (chunk, delivery) => {
    for (let i = 0; i < chunk.count; i++) {
      const { source, offset, tag } = chunk.originAt(i);
      const { log } = JSON.parse(chunk.recordAt(i).toString()) as { log: string };
      const [file, , at] = log.split(' ');
      found.sources.add(chunk.originAt(i).generation);
      const isRight = basename(source) === `${file}.log` && tag.endsWith(`.${file}.log`);
      if (!isRight || Number(at) !== offset) found.wrong.push(`${source} ${tag} ${offset}: ${log}`);
    }
    return answer(chunk, delivery);
  };
  return found;
}

const settled = (one: ScriptedOutput, files: Files) => () => one.texts.length >= files.written;

test('lines of many files that grow a little come once, in order, with their own origins', async (t) => {
  const files = new Files(t);
  const output = scriptedOutput();
  const found = originsOf(output);
  const pipeline = await startPipeline({
    yaml: yaml(files, "{name: modify, match: '*', add: 'a b'}", ['scripted']),
    plugins: [output.plugin, ...own.plugins],
  });
  for (let round = 0; round < 6; round++) {
    files.append();
    await waitUntil('the round came', settled(output, files));
  }
  const labels = { component: 'tail.0', kind: 'input' };
  const batches = pipeline.agent.metrics.value('sluice_input_batches_total', labels);
  await pipeline.stop();
  files.check(output.texts);
  assert.deepEqual(found.wrong, []);
  assert.equal(found.sources.size, fileCount);
  // The first round has a batch a file; later ones share.
  assert.ok(batches > 0 && batches < 3 * fileCount, `${batches} batches`);
});

test('a filter that wants one source a batch can come and go', async (t) => {
  const files = new Files(t);
  const output = scriptedOutput();
  const found = originsOf(output);
  const filters = [
    '',
    "{name: sample, match: '*', percentage: 100}",
    "{name: modify, match: '*', add: 'a b'}",
  ];
  const pipeline = await startPipeline({
    yaml: yaml(files, '', ['scripted']),
    plugins: [output.plugin, ...own.plugins],
  });
  for (let round = 0; round < 6; round++) {
    files.append();
    const text = yaml(files, filters[round % filters.length]!, ['scripted']);
    assert.equal((await pipeline.agent.reload(pipeline.load(text))).ok, true);
    files.append();
    await waitUntil('the round came', settled(output, files));
  }
  await pipeline.stop();
  files.check(output.texts);
  assert.deepEqual(found.wrong, []);
});

test('container lines are the same records with the kernel and without', async (t) => {
  const files = new Files(t);
  const stamp = (i: number) => `2024-05-01T10:00:${10 + (i % 40)}.${i}Z`;
  const line = (i: number) => {
    if (i % 7 === 3) return `${stamp(i)} stderr P a part of \n${stamp(i)} stderr F line ${i}\n`;
    if (i % 11 === 5) return `no container's line ${i}\n`;
    return `${stamp(i)} ${i % 3 === 0 ? 'stdout' : 'stderr'} F line ${i}\n`;
  };
  const text = Array.from({ length: 900 }, (_, i) => line(i)).join('');
  writeFileSync(files.at(0), text);
  const results: string[][] = [];
  for (const kernel of [true, false]) {
    const output = scriptedOutput('scripted', { timeKey: 'when' });
    const pipeline = await startPipeline({
      yaml: `
service: {flush: 20ms, grace: 500ms}
pipeline:
  inputs:
    - {name: tail, path: '${files.at(0)}', read_from_head: true, tag: a, multiline.parser: cri, offset_key: at}
  outputs: [{name: scripted, match: '*'}]
`,
      plugins: [output.plugin, ...own.plugins],
      builtInMultilineNames: ['cri'],
      kernel,
    });
    await waitUntil('all came', () => output.texts.length >= 900);
    await pipeline.stop();
    // Those that are no container's bear the time of their reading.
    results.push(output.texts.filter((one) => !one.includes('no container')));
  }
  assert.equal(results[0]!.length, 830);
  assert.deepEqual(results[0], results[1]);
});

test('an output that was behind gets what it lacks of each file after a restart, the other nothing twice', async (t) => {
  const files = new Files(t);
  const ahead = scriptedOutput('ahead');
  const behind = scriptedOutput('behind');
  const setup = {
    yaml: yaml(files, '', ['ahead', 'behind']),
    plugins: [ahead.plugin, behind.plugin, ...own.plugins],
  };
  const first = await startPipeline(setup);
  files.append();
  await waitUntil('both have it', () => settled(ahead, files)() && settled(behind, files)());
  behind.answer = () => ({ kind: 'retry', reason: 'not now' });
  for (let round = 0; round < 3; round++) {
    files.append();
    await waitUntil('the round came', settled(ahead, files));
  }
  await first.stop({ drained: false, keep: true });
  behind.answer = () => ({ kind: 'accepted' });
  files.append();
  const second = await startPipeline({ ...setup, directory: first.directory });
  await waitUntil('both have it', () => settled(ahead, files)() && settled(behind, files)());
  await second.stop();
  files.check(ahead.texts);
  files.check(behind.texts);
});
