import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import type { DeliveryOutcome } from '../../../core/sdk/contracts.ts';
import { type FileOptions, schema } from '../../../plugins/outputs/file/config.ts';
import { plugin } from '../../../plugins/outputs/file/index.ts';
import { chunkOf, optionsOf, outputContext, type TestEvent } from '../shared/output_harness.ts';

interface Rig {
  readonly directory: string;
  deliver(...events: TestEvent[]): Promise<DeliveryOutcome>;
  /** Names of all files below the directory, and the lines of one of them. */
  names(): Promise<string[]>;
  lines(name: string): Promise<string[]>;
}

async function rig(t: TestContext, given: Partial<FileOptions> = {}): Promise<Rig> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-file-'));
  const options = optionsOf<FileOptions>(schema, { path: 'out', sync: false, ...given });
  const output = plugin.create(options, outputContext({ baseDirectory: directory }));
  t.after(async () => {
    await output.close?.();
    await rm(directory, { recursive: true });
  });
  const delivery = { signal: new AbortController().signal, attempt: 1 };
  const below = join(directory, options.path);
  return {
    directory: below,
    deliver: (...events) => output.deliver(chunkOf(output, events), delivery),
    names: async () => {
      const entries = await readdir(directory, { withFileTypes: true, recursive: true });
      return entries
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(below.length + 1))
        .sort();
    },
    lines: async (name) => {
      const text = await readFile(join(below, name), 'utf8');
      return text.split('\n').slice(0, -1);
    },
  };
}

const record = (json: unknown): TestEvent => ({ json });
const accepted = { kind: 'accepted' };

test('a field may stand in the name more than once', async (t) => {
  const { deliver, names } = await rig(t, { file: '%{app}/%{app}.log' });
  assert.deepEqual(await deliver(record({ app: 'web' })), accepted);
  assert.deepEqual(await names(), ['web/web.log']);
});

const unfit: [string, string, unknown, string][] = [
  ['an empty value', 'logs/%{app}', '', 'logs/unnamed'],
  ['no value', 'logs/%{app}', undefined, 'logs/unnamed'],
  ['a way upwards', '%{app}/x', '../../etc', '__.._etc/x'],
  ['half a character', '%{app}', '\ud800', '_'],
  ['long values', '%{app}%{app}', 'é'.repeat(300), 'é'.repeat(120)],
];

for (const [what, file, app, expected] of unfit) {
  test(`${what} gives a name that a file can have`, async (t) => {
    const { deliver, names } = await rig(t, { file });
    assert.deepEqual(await deliver(record({ app })), accepted);
    assert.deepEqual(await names(), [expected]);
  });
}

test('whatever a record holds, its file is below the directory and takes it', async (t) => {
  const { deliver, names, directory } = await rig(t, {
    file: 'of-%{a}/%{b}%{a}.log',
    files_max: 4,
  });
  const value = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.string({ unit: fc.constantFrom(...'./\\:*?\0é '), maxLength: 8 }),
  );
  let delivered = 0;
  await fc.assert(
    fc.asyncProperty(value, value, async (a, b) => {
      assert.deepEqual(await deliver(record({ a, b })), accepted);
      delivered++;
    }),
    { numRuns: 100 },
  );
  const found = await names();
  let lines = 0;
  for (const name of found) {
    assert.match(name, /^of-/);
    lines += (await readFile(join(directory, name), 'utf8')).split('\n').length - 1;
  }
  assert.equal(lines, delivered);
});

test('a record whose name a directory has is refused alone, with the reason', async (t) => {
  const { deliver, directory, lines } = await rig(t, { file: '%{app}' });
  await mkdir(join(directory, 'taken'), { recursive: true });
  const outcome = await deliver(
    record({ app: 'a' }),
    record({ app: 'taken' }),
    record({ app: 'b' }),
  );
  assert.equal(outcome.kind, 'partial');
  if (outcome.kind !== 'partial') return;
  assert.deepEqual([outcome.retry, outcome.rejected.map(({ index }) => index)], [[], [1]]);
  assert.match(outcome.rejected[0]!.reason, /EISDIR/);
  assert.deepEqual([await lines('a'), await lines('b')], [['{"app":"a"}'], ['{"app":"b"}']]);
});

test('where the pipeline file is to blame, records wait', async (t) => {
  const one = await rig(t, { file: 'taken' });
  await mkdir(join(one.directory, 'taken'), { recursive: true });
  assert.equal((await one.deliver(record({}))).kind, 'retry');
  const none = await rig(t, { file: '%{app}' });
  await writeFile(none.directory, 'no directory');
  assert.equal((await none.deliver(record({ app: 'a' }))).kind, 'retry');
});

test('a file is renamed between lines before it is larger than its limit', async (t) => {
  const { deliver, names, lines, directory } = await rig(t, {
    file: 'x.log',
    rotate_size: 40,
    rotate_keep: 3,
  });
  // Four lines of 10 bytes fill a file; a chunk is cut where a file ends.
  const numbered = Array.from({ length: 10 }, (_, k) => record({ n: k + 100 }));
  assert.deepEqual(await deliver(...numbered), accepted);
  assert.deepEqual(await names(), ['x.log', 'x.log.1', 'x.log.2']);
  const inOrder = ['x.log.2', 'x.log.1', 'x.log'];
  const all = (await Promise.all(inOrder.map(lines))).flat();
  assert.deepEqual(
    all.map((line) => (JSON.parse(line) as { n: number }).n),
    numbered.map((_, k) => k + 100),
  );
  assert.equal((await stat(join(directory, 'x.log.1'))).size, 40);
  // A line that is larger than any file has one of its own, and the oldest goes.
  await deliver(record({ long: 'x'.repeat(100) }), record({ n: 200 }));
  assert.deepEqual(await names(), ['x.log', 'x.log.1', 'x.log.2', 'x.log.3']);
  assert.deepEqual(await lines('x.log'), ['{"n":200}']);
  assert.equal((await stat(join(directory, 'x.log.1'))).size, 112);
});

test('a torn record is cut off, and text that somebody else wrote stays', async (t) => {
  const torn = await rig(t, { file: 'x.log' });
  await mkdir(torn.directory);
  await writeFile(join(torn.directory, 'x.log'), '{"n":1}\n{"n":');
  await torn.deliver(record({ n: 2 }));
  assert.deepEqual(await torn.lines('x.log'), ['{"n":1}', '{"n":2}']);
  // The line end that it gets counts: both lines fill the file.
  const notes = await rig(t, { file: 'notes', rotate_size: 16 });
  await mkdir(notes.directory);
  await writeFile(join(notes.directory, 'notes'), 'keep me');
  await notes.deliver(record({ n: 2 }));
  assert.deepEqual(await notes.lines('notes'), ['keep me', '{"n":2}']);
});

test('files and directories are for their owner alone', async (t) => {
  const { deliver, directory } = await rig(t, { file: 'a/x.log' });
  await deliver(record({}));
  assert.equal((await stat(join(directory, 'a'))).mode & 0o777, 0o700);
  assert.equal((await stat(join(directory, 'a/x.log'))).mode & 0o777, 0o600);
});

test('a file that somebody moved away is made anew', async (t) => {
  const { deliver, directory, lines } = await rig(t, { file: 'x.log' });
  await deliver(record({ n: 1 }));
  await rm(join(directory, 'x.log'));
  await deliver(record({ n: 2 }));
  assert.deepEqual(await lines('x.log'), ['{"n":2}']);
});

test('a device takes records although no disk stands behind it', {
  skip: process.platform === 'win32' && 'there is no /dev/null',
}, async (t) => {
  const { deliver } = await rig(t, { path: '/dev', file: 'null', sync: true });
  assert.deepEqual(await deliver(record({ n: 1 })), accepted);
});
