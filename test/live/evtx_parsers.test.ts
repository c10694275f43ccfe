import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { messageOf } from '../../core/errors/sluice_error.ts';
import type { XmlElement } from '../../plugins/shared/windows_event/xml_element.ts';
import { parseXml } from '../../plugins/shared/windows_event/xml_text.ts';
import { bodyTemplate, eventRecordOf, logonRecords } from '../event_log/evtx_events.ts';
import {
  element,
  type FixtureValue,
  fileTimeOf,
  hole,
  instance,
  value,
} from '../event_log/evtx_values.ts';
import { chunksOf, evtxFile, type FixtureRecord } from '../event_log/evtx_writer.ts';
import { installEntry } from '../servers/install_cache.ts';
import { requireProgram } from '../servers/machine_tools.ts';
import { evtxRun } from '../unit/inputs/evtx_harness.ts';
import { MemoryCheckpoints } from '../unit/inputs/tail_harness.ts';

/** Other people's parsers, in Rust and in Python, and a log that a real Windows wrote, which the
 *  third package has in its tests. */
const packages = ['evtx==0.14.0', 'python-evtx==0.8.1'];
const samplePackage = 'dissect-eventlog==3.11';
const run = promisify(execFile);
const longEnough = { timeout: 240_000 };

const parserScript = `
import json, sys
if sys.argv[1] == 'rust':
    from evtx import PyEvtxParser
    for record in PyEvtxParser(sys.argv[2]).records():
        print(json.dumps(record['data']))
else:
    import Evtx.Evtx
    with Evtx.Evtx.Evtx(sys.argv[2]) as log:
        for record in log.records():
            print(json.dumps(record.xml()))
`;

const parsers = await installParsers().then(
  (directory) => ({ directory, skip: false as const }),
  (error) => ({ directory: '', skip: `python parsers: ${messageOf(error)}` }),
);

async function installParsers(): Promise<string> {
  const python = await requireProgram('python3');
  return installEntry(
    {
      name: 'evtx-parsers',
      version: '1',
      recipe: [...packages, samplePackage],
      build: async (directory) => {
        const pip = ['-m', 'pip', '--quiet', '--disable-pip-version-check'];
        await run(python, [...pip, 'install', '--target', directory, ...packages], longEnough);
        const sample = ['download', '--no-deps', '--no-binary', ':all:', '-d', directory];
        await run(python, [...pip, ...sample, samplePackage], longEnough);
      },
    },
    () => undefined,
  );
}

/** What a parser says of each record: paths and texts, in a form that forgets how each writes
 *  GUIDs, leading zeros, fractions of seconds and things that are empty. */
async function recordsBy(parser: 'rust' | 'python', file: string): Promise<string[][]> {
  const { stdout } = await run('python3', ['-c', parserScript, parser, file], {
    ...longEnough,
    maxBuffer: 64e6,
    env: { ...process.env, PYTHONPATH: parsers.directory, PYTHONDONTWRITEBYTECODE: '1' },
  });
  const lines = stdout.split('\n').slice(0, -1);
  return lines.map((line) => flat(parseXml(JSON.parse(line) as string)));
}

async function recordsByUs(directory: string): Promise<string[][]> {
  const ours = evtxRun(directory, new MemoryCheckpoints(), { exit_on_eof: true, render_xml: true });
  await ours.ended();
  assert.deepEqual(ours.warnings, []);
  return ours.sent.map(({ record }) => flat(parseXml(String(record['Xml']))));
}

function flat(root: XmlElement): string[] {
  const facts: string[] = [];
  const visit = (one: XmlElement, path: string): void => {
    const name = one.attribute('Name');
    const own = `${path}/${one.name}${one.name === 'Data' && name !== undefined ? `[${name}]` : ''}`;
    for (const attribute of one.attributes) {
      if (attribute.name === 'xmlns' || attribute.value === '') continue;
      facts.push(`${own}@${attribute.name}=${plain(attribute.value)}`);
    }
    for (const child of one.children) if (typeof child !== 'string') visit(child, own);
    const text = plain(one.text().trim());
    if (text !== '') facts.push(`${own}=${text}`);
  };
  visit(root, '');
  return facts;
}

function plain(text: string): string {
  // One of them shows arrays as markup inside the text.
  const bare = text.replaceAll(/<\/?string>/g, '').trim();
  if (/^\{?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\}?$/i.test(bare)) {
    return bare.replaceAll(/[{}]/g, '').toUpperCase();
  }
  const hex = /^0x([0-9a-f]+)$/i.exec(bare);
  if (hex !== null) return `0x${hex[1]!.replace(/^0+(?=.)/, '').toLowerCase()}`;
  const time = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d+))?(?:Z|\+00:00)?$/.exec(bare);
  if (time === null) return bare;
  return `${time[1]}T${time[2]}.${(time[3] ?? '').padEnd(6, '0').slice(0, 6)}`;
}

/** Values that all three are to write alike. */
const alike: Readonly<Record<string, FixtureValue>> = {
  text: value.string('plain text'),
  unicode: value.string('\u4e2d\u6587 \u00e9\u{1f600}'),
  markup: value.string('a<b & "c">'),
  int8: value.int8(-5),
  uint8: value.uint8(200),
  int16: value.int16(-300),
  uint16: value.uint16(60_000),
  int32: value.int32(-70_000),
  uint32: value.uint32(4_000_000_000),
  int64: value.int64(-5_000_000_000n),
  uint64: value.uint64(18_000_000_000_000_000_000n),
  guid: value.guid(Buffer.from('2596845478549449a5ba3e3b0328c30d', 'hex')),
  time: value.fileTime(fileTimeOf(Date.UTC(2023, 1, 3, 4, 5, 6), 1_234_567)),
  sid: value.sid(5, 21, 1, 2, 3, 500),
  hex32: value.hex32(0xc000006d),
  hex64: value.hex64(0xdeadbeef12345n),
};

function fixture(): FixtureRecord[] {
  const names = Object.keys(alike);
  const root = element('EventData', {}, [
    ...names.map((name, index) => element('Data', { Name: name }, [hole(index)])),
    element('Data', { Name: 'constant' }, ['fixed']),
  ]);
  const template = bodyTemplate(root, Buffer.alloc(16, 0x42));
  const body = value.xml(instance(template, Object.values(alike)));
  const user = element('UserData', {}, [
    element('Event_NS', {}, [element('Param1', {}, [hole(0)]), element('Param2', {}, [hole(1)])]),
  ]);
  const userBody = value.xml(
    instance(bodyTemplate(user, Buffer.alloc(16, 0x43)), [value.string('one'), value.uint32(2)]),
  );
  return [
    ...logonRecords(200),
    ...Array.from({ length: 30 }, (_, index) => eventRecordOf({ id: 201 + index, body })),
    ...Array.from({ length: 30 }, (_, index) => eventRecordOf({ id: 231 + index, body: userBody })),
  ];
}

function directoryOf(t: TestContext, bytes: Buffer): string {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-evtx-parsers-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  writeFileSync(join(directory, 'log.evtx'), bytes);
  return directory;
}

function compare(parser: string, ours: string[][], theirs: string[][]): void {
  if (parser === 'rust') assert.deepEqual(ours, theirs);
  else assert.deepEqual(asPythonSays(ours), asPythonSays(theirs));
}

/** The Python parser keeps times as doubles, which are off by some microseconds, and shows bytes
 *  in base64. */
function asPythonSays(records: string[][]): string[][] {
  return records.map((facts) =>
    facts.map((fact) => {
      const bytes = /^(.*\/Binary=)([0-9A-F]+)$/.exec(fact);
      if (bytes !== null) return bytes[1]! + Buffer.from(bytes[2]!, 'hex').toString('base64');
      return fact.replace(/(=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.\d{6}$/, '$1');
    }),
  );
}

for (const parser of ['rust', 'python'] as const) {
  test(`the ${parser} parser reads our files as we do`, { skip: parsers.skip }, async (t) => {
    const directory = directoryOf(t, evtxFile(chunksOf(fixture())));
    const ours = await recordsByUs(directory);
    assert.equal(ours.length, 260);
    compare(parser, ours, await recordsBy(parser, join(directory, 'log.evtx')));
  });

  test(`we read a log of a real Windows as the ${parser} parser does`, {
    skip: parsers.skip,
  }, async (t) => {
    const archive = readdirSync(parsers.directory).find((name) =>
      /^dissect.*\.tar\.gz$/.test(name),
    );
    const { stdout } = await promisify(execFile)(
      'tar',
      ['-xzOf', join(parsers.directory, archive!), '--wildcards', '*/TestLogX.evtx'],
      { encoding: 'buffer', maxBuffer: 8e6 },
    );
    const directory = directoryOf(t, stdout);
    const ours = await recordsByUs(directory);
    assert.equal(ours.length, 5);
    compare(parser, ours, await recordsBy(parser, join(directory, 'log.evtx')));
    assert.equal(readFileSync(join(directory, 'log.evtx')).length, stdout.length);
  });
}
