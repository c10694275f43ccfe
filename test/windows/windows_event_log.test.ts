import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { schema } from '../../plugins/outputs/windows_event_log/config.ts';
import { eventType, openEventWriter } from '../../plugins/shared/windows_native/event_writer.ts';
import { plugin } from '../../plugins/outputs/windows_event_log/index.ts';
import { WindowsEventLogOutput } from '../../plugins/outputs/windows_event_log/windows_event_log_output.ts';
import { removeEventSource } from '../../plugins/shared/windows_native/event_source.ts';
import { loadKoffi } from '../../plugins/shared/windows_native/load_koffi.ts';
import { chunkOf, optionsOf, outputContext } from '../unit/shared/output_harness.ts';

const skip =
  process.platform === 'win32' ? false : 'runs in Node for Windows: npm run test:windows';
const source = { log: 'Application', name: `SluiceTest${process.pid}` };
const key = `HKLM\\SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\${source.name}`;

/** The test's side of the stand-in, whose log can be read. */
interface StandIn {
  count(): number;
  open(): number;
  type(at: number): number;
  id(at: number): number;
  text(at: number): string;
  source(): string;
  fault(code: number, times: number): void;
}

const libraryPath = join(process.cwd(), 'report_event.dll');

async function standIn(): Promise<StandIn> {
  const koffi = await loadKoffi();
  const library = koffi.load(libraryPath);
  const text = 'const char16_t *';
  return {
    count: library.func('StandInCount', 'int', []),
    open: library.func('StandInOpen', 'int', []),
    type: library.func('StandInType', 'int', ['int']),
    id: library.func('StandInId', 'int', ['int']),
    text: library.func('StandInText', text, ['int']),
    source: library.func('StandInSource', text, []),
    fault: library.func('StandInFault', 'void', ['uint32_t', 'int']),
  };
}

after(async () => {
  if (skip === false) removeEventSource(await loadKoffi(), source);
});

test('a source is registered once, with Windows own texts, and removed', { skip }, async () => {
  const first = await openEventWriter({ source, register: true });
  assert.equal(first.registration, 'made');
  const again = await openEventWriter({ source, register: true });
  assert.equal(again.registration, 'present');
  const values = execFileSync('reg', ['query', key], { encoding: 'utf8' });
  assert.match(
    values,
    /EventMessageFile\s+REG_EXPAND_SZ\s+%SystemRoot%\\System32\\EventCreate\.exe/i,
  );
  assert.match(values, /TypesSupported\s+REG_DWORD\s+0x7/i);
  assert.equal(removeEventSource(await loadKoffi(), source), 0);
  assert.equal(removeEventSource(await loadKoffi(), source), 0, 'gone already');
  assert.throws(() => execFileSync('reg', ['query', key], { stdio: 'pipe' }));
});

test('the library of Windows takes events of every type', { skip }, async () => {
  const writer = await openEventWriter({ source, register: false });
  for (const type of Object.values(eventType)) {
    assert.equal(await writer.write({ type, id: 1, text: `é€😀 ${type}` }), 0);
  }
  assert.equal(await writer.write({ type: 1, id: 1, text: 'x'.repeat(31_839) }), 0);
  writer.close();
  writer.close();
});

test('the output writes with the library of Windows', { skip }, async () => {
  const options = optionsOf<Parameters<typeof plugin.create>[0]>(schema, { source: source.name });
  const output = plugin.create(options, outputContext());
  await output.open?.();
  const chunk = chunkOf(output, [{ json: { level: 'error', message: 'm' } }]);
  const delivery = { signal: new AbortController().signal, attempt: 1 };
  assert.deepEqual(await output.deliver(chunk, delivery), { kind: 'accepted' });
  await output.close?.();
});

// The stand-in: Wine's library keeps nothing that could be read, and never refuses.
test('texts, ids and types come through the calls; a refused event is written again', {
  skip,
}, async () => {
  const log = await standIn();
  const given = { source: 'Maker', register_source: false, include_record: false, event_id: 42 };
  const output = new WindowsEventLogOutput(optionsOf(schema, given), outputContext(), (options) =>
    openEventWriter({ ...options, libraryPath }),
  );
  await output.open();
  const events = ['é€😀 %1', 'zwei', 'y'.repeat(31_839)];
  const chunk = chunkOf(
    output,
    events.map((message) => ({ json: { level: 'fatal', message } })),
  );
  const delivery = { signal: new AbortController().signal, attempt: 1 };
  log.fault(1722, 1);
  const refused = await output.deliver(chunk, delivery);
  assert.ok(refused.kind === 'partial');
  assert.match(refused.reason, /1722 \(the service Windows Event Log does not run\)/);
  assert.equal(log.open(), 0, 'the log is opened anew');
  assert.deepEqual(await output.deliver(chunk.subset(refused.retry), delivery), {
    kind: 'accepted',
  });
  assert.equal(log.count(), 3);
  assert.equal(log.source(), 'Maker');
  assert.deepEqual([log.type(0), log.id(0), log.text(0)], [1, 42, 'é€😀 % 1']);
  assert.equal(log.text(1), 'zwei');
  assert.equal(log.text(2).length, 8000);
  await output.close();
  assert.equal(log.open(), 0, 'every handle was closed');
});
