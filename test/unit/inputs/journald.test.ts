import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { waitUntil } from '../../../core/testing/index.ts';
import { systemClock } from '../../../core/time/clock.ts';
import { readMark } from '../../../plugins/inputs/journald/journal_mark.ts';
import { entryRecord } from '../../../plugins/inputs/journald/entry_record.ts';
import {
  ExportParser,
  type ExportLimits,
  type JournalEntry,
} from '../../../plugins/inputs/journald/export_parser.ts';
import { plugin } from '../../../plugins/inputs/journald/index.ts';
import { entryOf, type ExportFields, exported } from './journal_export.ts';
import { type InputRig, inputRig } from './metric_rig.ts';

const wide: ExportLimits = { fieldBytesMax: 1e6, fieldsMax: 1000, entryBytesMax: 1e7 };

function parsed(bytes: Buffer, limits = wide, pieceBytes = bytes.length): JournalEntry[] {
  const entries: JournalEntry[] = [];
  const parser = new ExportParser(limits, (entry) => entries.push(entry));
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    parser.push(Buffer.from(bytes.subarray(at, at + pieceBytes)));
  }
  return entries;
}

const textsOf = (entries: readonly JournalEntry[]) =>
  entries.map(({ fields }) => fields.map(({ name, value }) => [name, value.toString('latin1')]));

test('entries are read whatever their values and however they are cut in pieces', () => {
  const name = fc.stringMatching(/^[A-Z_][A-Z0-9_]{0,10}$/);
  const value = fc.oneof(
    fc.string(),
    fc.uint8Array({ maxLength: 50 }).map((a) => Buffer.from(a)),
  );
  const field = fc.tuple(name, value);
  fc.assert(
    fc.property(
      fc.array(fc.array(field, { minLength: 1, maxLength: 5 }), { maxLength: 4 }),
      fc.integer({ min: 1, max: 40 }),
      (entries, pieceBytes) => {
        const expected = entries.map((fields) =>
          fields.map(([key, bytes]) => [key, Buffer.from(bytes).toString('latin1')]),
        );
        assert.deepEqual(textsOf(parsed(exported(entries), wide, pieceBytes)), expected);
      },
    ),
  );
});

test('a value of field_bytes_max stays whole; one byte more is cut, at a character', () => {
  const limits = { ...wide, fieldBytesMax: 6 };
  for (const form of [(text: string) => text, (text: string) => Buffer.from(text)]) {
    const bytes = exported([
      [
        ['A', form('123456')],
        ['B', form('12345ü')],
        ['C', form('x')],
      ],
    ]);
    for (const pieceBytes of [1, 7, 1000]) {
      const [entry] = parsed(bytes, limits, pieceBytes);
      assert.deepEqual(
        entry!.fields.map(({ name, value, cutBytes }) => [name, value.toString(), cutBytes]),
        [
          ['A', '123456', 0],
          ['B', '12345', 2],
          ['C', 'x', 0],
        ],
      );
    }
  }
});

test('a huge value is cut while it is read', () => {
  const limits = { ...wide, fieldBytesMax: 100 };
  const bytes = exported([
    [
      ['BIG', Buffer.alloc(3_000_000, 'x')],
      ['A', 'b'],
    ],
  ]);
  const [entry] = parsed(bytes, limits, 65_536);
  assert.equal(entry!.fields[0]!.value.length, 100);
  assert.equal(entry!.fields[0]!.cutBytes, 2_999_900);
  assert.equal(entry!.fields[1]!.value.toString(), 'b');
});

test('fields beyond max_fields are dropped, and values beyond the entry’s bytes cut', () => {
  const fields: ExportFields = [
    ['A', '12345'],
    ['B', '12345'],
    ['C', '12345'],
  ];
  const [few] = parsed(exported([fields]), { ...wide, fieldsMax: 2 });
  assert.equal(few!.fields.length, 2);
  assert.equal(few!.droppedFields, 1);
  const [short] = parsed(exported([fields]), { ...wide, entryBytesMax: 8 });
  assert.deepEqual(
    short!.fields.map(({ value }) => value.toString()),
    ['12345', '123', ''],
  );
});

test('no bytes make the reader do anything but say so', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        parsed(Buffer.from(bytes));
      } catch (error) {
        assert.ok(error instanceof RangeError);
      }
    }),
  );
});

test('fields become texts, or lists; addresses are left out; names are changed when asked', () => {
  const entry = parsed(
    exported([
      entryOf(1_700_000_000_000_001, 'a.service', [
        ['MESSAGE', Buffer.from([0x61, 0xff])],
        ['_PID', '1'],
        ['PID', '2'],
      ]),
    ]),
  )[0]!;
  const record = entryRecord(entry, { lowercase: true, stripUnderscores: true });
  assert.deepEqual(JSON.parse(record.json.toString()), {
    boot_id: '00112233445566778899aabbccddeeff',
    machine_id: '00112233445566778899aabbccddeef0',
    systemd_unit: 'a.service',
    message: 'a\ufffd',
    pid: ['1', '2'],
  });
  assert.equal(record.invalidFields, 1);
  assert.equal(record.realtimeMicros, 1_700_000_000_000_001);
});

test('what stands in a checkpoint is taken only if it is a mark', () => {
  assert.deepEqual(readMark({ cursor: 'c', position: 5 }), { cursor: 'c', position: 5 });
  assert.deepEqual(readMark({ position: 5 }), { position: 5 });
  for (const wrong of [undefined, null, 'c', {}, { position: '5' }, { position: 0.5 }]) {
    assert.equal(readMark(wrong), undefined);
  }
});

// ── faults that a real journal does not show when asked to ─────────────────────────────────

const posix = process.platform === 'win32' ? 'scripts with a shebang' : false;

/** A journalctl that does, at each start, what its script says; `$N` counts the starts. It stands
 *  for: dying in the middle, refusing a cursor, writing garbage. */
async function fakeJournalctl(
  t: TestContext,
  script: string,
  files: Readonly<Record<string, Buffer>> = {},
): Promise<{ path: string; starts(): Promise<string[]> }> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-journal-'));
  afterwards(t, () => rm(directory, { recursive: true, force: true }));
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(directory, name), bytes);
  const path = join(directory, 'journalctl');
  await writeFile(
    path,
    `#!/bin/sh\ncd ${directory}\necho "$@" >> starts\nN=$(wc -l < starts)\n${script}\n`,
  );
  await chmod(path, 0o755);
  return {
    path,
    starts: async () =>
      (await readFile(join(directory, 'starts'), 'utf8').catch(() => '')).split('\n').slice(0, -1),
  };
}

const cleanups = new WeakMap<TestContext, (() => Promise<unknown>)[]>();

/** Cleans up when the test is over, what was begun last first: a directory goes when nobody writes
 *  into it any more. */
function afterwards(t: TestContext, work: () => Promise<unknown>): void {
  const known = cleanups.get(t);
  if (known !== undefined) {
    known.unshift(work);
    return;
  }
  const list = [work];
  cleanups.set(t, list);
  t.after(async () => {
    for (const one of list) await one();
  });
}

const second = (n: number, message: string) =>
  entryOf(1_700_000_000_000_000 + n * 1_000_000, 'u', [['MESSAGE', message]], `cursor${n}`);

async function followed(
  t: TestContext,
  journalctl: string,
  options: Record<string, unknown> = {},
): Promise<InputRig> {
  // Waits between restarts are cut short; the schedule of waits is not what these tests are about.
  const clock = {
    ...systemClock,
    after: (delayMs: number, work: () => void) => systemClock.after(Math.min(delayMs, 5), work),
  };
  const rig = inputRig(plugin, { journalctl, ...options }, { clock });
  await rig.start();
  afterwards(t, () => rig.stop());
  return rig;
}

const messages = (rig: InputRig) => rig.emitter.seen.map(({ record }) => record['MESSAGE']);

test('a journalctl that dies in the middle of an entry is started again behind the last one', {
  skip: posix,
}, async (t) => {
  const whole = exported([second(1, 'one'), second(2, 'two')]);
  const fake = await fakeJournalctl(
    t,
    'case $N in 1) head -c 320 first; kill -9 $$;; 2) cat rest; sleep 1000;; esac',
    {
      first: Buffer.concat([whole, exported([second(3, 'cut')])]),
      rest: exported([second(2, 'two'), second(3, 'three')]),
    },
  );
  const rig = await followed(t, fake.path);
  await waitUntil('the rest', () => messages(rig).includes('three'));
  assert.deepEqual(messages(rig), ['one', 'two', 'three']);
  const starts = await fake.starts();
  assert.doesNotMatch(starts[0]!, /cursor/);
  assert.match(starts[1]!, /--after-cursor=cursor1(?:\s|$)/);
  assert.equal(rig.count('sluice_journald_restarts_total'), 1);
  assert.match(rig.log.join(), /journalctl ended by a signal/);
  const offsets = rig.emitter.seen.map(({ offset }) => offset);
  assert.deepEqual(
    offsets,
    [1, 2, 3].map((n) => 1_700_000_000_000_000 + n * 1_000_000),
  );
});

test('a cursor that the journal does not take: reading goes on by time, counted', {
  skip: posix,
}, async (t) => {
  const fake = await fakeJournalctl(
    t,
    `case $N in
      1) cat one;;
      2) echo "Failed to seek to cursor: Invalid argument" >&2; exit 1;;
      3) cat two; sleep 1000;;
    esac`,
    { one: exported([second(1, 'one')]), two: exported([second(2, 'two')]) },
  );
  const rig = await followed(t, fake.path);
  await waitUntil('the next entry', () => messages(rig).includes('two'));
  const starts = await fake.starts();
  assert.match(starts[2]!, /--since=@1700000001(?:\s|$)/);
  assert.equal(rig.count('sluice_journald_cursors_lost_total'), 1);
});

test('a program that is not there, and one that writes garbage, are tried again', {
  skip: posix,
}, async (t) => {
  const missing = await followed(t, '/no/such/journalctl');
  await waitUntil('restarts', () => missing.count('sluice_journald_restarts_total') >= 2);
  assert.match(missing.log.join(), /cannot be used.*ENOENT/);
  const fake = await fakeJournalctl(
    t,
    'printf "NAME\\n\\377\\377\\377\\377\\377\\377\\377\\377"; sleep 1000',
  );
  const rig = await followed(t, fake.path);
  await waitUntil('restarts', () => rig.count('sluice_journald_restarts_total') >= 2);
  assert.match(rig.log.join(), /cannot be used.*value has 18446744073709551615 bytes/);
});

test('full outputs make journalctl wait: memory stays bounded', { skip: posix }, async (t) => {
  const fake = await fakeJournalctl(t, 'while :; do cat many; echo x >> rounds; done', {
    many: exported(Array.from({ length: 200 }, (_, n) => second(n, 'x'.repeat(5000)))),
  });
  const rig = inputRig(plugin, { journalctl: fake.path });
  let open = (): void => undefined;
  rig.emitter.gate = new Promise((resolve) => {
    open = resolve;
  });
  await rig.start();
  afterwards(t, () => {
    open();
    return rig.stop();
  });
  const rounds = async () =>
    (await readFile(join(fake.path, '..', 'rounds'), 'utf8').catch(() => '')).length;
  // A megabyte a round: the pipe is full before the first is over.
  await waitUntil('the start', async () => (await fake.starts()).length === 1);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(await rounds(), 0);
  open();
  rig.emitter.gate = undefined;
  await waitUntil('it goes on', async () => (await rounds()) > 0);
});

test('filters are alternatives, or all hold', { skip: posix }, async (t) => {
  const fake = await fakeJournalctl(t, 'sleep 1000');
  const filters = ['A=1', 'B=2'];
  await followed(t, fake.path, { systemd_filter: filters });
  await waitUntil('a start', async () => (await fake.starts()).length === 1);
  await followed(t, fake.path, { systemd_filter: filters, systemd_filter_type: 'And' });
  await waitUntil('a start', async () => (await fake.starts()).length === 2);
  const starts = await fake.starts();
  assert.match(starts[0]!, / A=1 \+ B=2$/);
  assert.match(starts[1]!, / A=1 B=2$/);
});
