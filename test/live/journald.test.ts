import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { scriptedOutput, startPipeline, waitUntil } from '../../core/testing/index.ts';
import { plugin } from '../../plugins/inputs/journald/index.ts';
import { canWriteJournals, writeJournal } from '../servers/journal_writer.ts';
import { entryOf, exported } from '../unit/inputs/journal_export.ts';

// A journal file of systemd's own making, read by the real journalctl.

const verdict = await canWriteJournals();
const skip = verdict.ok ? false : `journald: ${verdict.why}`;

const base = 1_700_000_000_000_000;
const entry = (n: number, message: string | Buffer, unit = 'web.service') =>
  entryOf(base + n * 1_000_000, unit, [['MESSAGE', message]]);

interface Rig {
  readonly directory: string;
  readonly file: string;
  write(...entries: ReturnType<typeof entry>[]): Promise<void>;
}

async function rigOf(t: TestContext): Promise<Rig> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-journald-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const file = join(directory, 'test.journal');
  return {
    directory,
    file,
    write: (...entries) => writeJournal(file, exported(entries)),
  };
}

const yaml = (file: string, more = '') => `
service: {flush: 100ms}
pipeline:
  inputs:
    - {name: systemd, alias: journal, tag: 'j.*', path: '${file}'${more}}
  outputs:
    - {name: scripted, match: '*'}
`;

test('entries are followed: text, lines, bytes, units, times', { skip }, async (t) => {
  const rig = await rigOf(t);
  const out = scriptedOutput('scripted', { timeKey: 'time' });
  await rig.write(entry(1, 'one'), entry(2, 'line one\nline two'));
  const pipeline = await startPipeline({
    yaml: yaml(rig.file, ', lowercase: true, strip_underscores: true'),
    plugins: [plugin, out.plugin],
  });
  try {
    await waitUntil('what is there', () => out.accepted.length === 2);
    await rig.write(entry(3, Buffer.from([0x62, 0x00, 0xff])), entry(4, 'x'.repeat(100_000)));
    await waitUntil('what is added', () => out.accepted.length === 4);
  } finally {
    await pipeline.stop();
  }
  assert.deepEqual(
    out.accepted.map(({ message }) => message),
    ['one', 'line one\nline two', 'b\u0000\ufffd', 'x'.repeat(64_000)],
  );
  assert.deepEqual(
    out.accepted.map(({ time }) => time),
    [1, 2, 3, 4].map((n) => `2023-11-14T22:13:2${n}.000000000Z`),
  );
  assert.equal(out.accepted[0]!['systemd_unit'], 'web.service');
  assert.ok(!Object.keys(out.accepted[0]!).some((key) => /cursor|timestamp/.test(key)));
});

test('after a restart reading goes on behind what was delivered: none lost, none twice', {
  skip,
}, async (t) => {
  const rig = await rigOf(t);
  const out = scriptedOutput();
  const setup = { yaml: yaml(rig.file), plugins: [plugin, out.plugin], directory: rig.directory };
  await rig.write(...Array.from({ length: 300 }, (_, n) => entry(n, `m${n}`)));
  const first = await startPipeline(setup);
  await waitUntil('the first', () => out.accepted.length === 300);
  await first.stop({ keep: true });
  await rig.write(...Array.from({ length: 200 }, (_, n) => entry(300 + n, `m${300 + n}`)));
  const second = await startPipeline(setup);
  await waitUntil('the second', () => out.accepted.length >= 500);
  await second.stop({ keep: true });
  assert.deepEqual(
    out.accepted.map(({ MESSAGE }) => MESSAGE),
    Array.from({ length: 500 }, (_, n) => `m${n}`),
  );
});

test('what no output has acknowledged is read again', { skip }, async (t) => {
  const rig = await rigOf(t);
  const out = scriptedOutput();
  const setup = { yaml: yaml(rig.file), plugins: [plugin, out.plugin], directory: rig.directory };
  await rig.write(...Array.from({ length: 100 }, (_, n) => entry(n, `m${n}`)));
  out.answer = () => ({ kind: 'retry', reason: 'down' });
  const first = await startPipeline(setup);
  await waitUntil('a try', () => out.tries.length > 0);
  await first.stop({ drained: false, keep: true });
  assert.equal(out.accepted.length, 0);
  out.answer = () => ({ kind: 'accepted' });
  const second = await startPipeline(setup);
  await waitUntil('all', () => out.accepted.length >= 100);
  await second.stop({ keep: true });
  assert.deepEqual(
    out.accepted.map(({ MESSAGE }) => MESSAGE),
    Array.from({ length: 100 }, (_, n) => `m${n}`),
  );
});

test('filters and read_from_tail leave out the rest; the tag has the unit', { skip }, async (t) => {
  const rig = await rigOf(t);
  const out = scriptedOutput();
  await rig.write(entry(1, 'old', 'a.service'));
  const pipeline = await startPipeline({
    yaml: `
service: {flush: 100ms}
pipeline:
  inputs:
    - name: journald
      tag: j.*
      path: ${rig.file}
      read_from_tail: true
      systemd_filter: [_SYSTEMD_UNIT=a.service, _SYSTEMD_UNIT=b.service]
  outputs:
    - {name: scripted, match: j.b.service}
`,
    plugins: [plugin, out.plugin],
  });
  try {
    await waitUntil('the journal is followed', async () => {
      await rig.write(entry(2, 'other', 'c.service'), entry(3, 'a', 'a.service'));
      await rig.write(entry(4, 'new', 'b.service'));
      return out.accepted.length > 0;
    });
  } finally {
    await pipeline.stop({ drained: false });
  }
  assert.ok(out.accepted.every(({ MESSAGE }) => MESSAGE === 'new'));
});
