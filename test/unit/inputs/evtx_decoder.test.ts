import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  bodyTemplate,
  dataTemplate,
  eventRecordOf,
  eventTemplate,
  logonRecord,
} from '../../event_log/evtx_events.ts';
import {
  element,
  type FixtureElement,
  type FixtureNode,
  type FixtureTemplate,
  type FixtureValue,
  fileTimeOf,
  hole,
  instance,
  value,
} from '../../event_log/evtx_values.ts';
import { ChunkWriter } from '../../event_log/evtx_writer.ts';
import { chunkOf, countPlanned, decodeChunk, newDecoder } from './evtx_harness.ts';

const withBody = (body: FixtureValue, id = 7) => eventRecordOf({ id, body });
const inTemplate = (root: FixtureElement, values: FixtureValue[]) =>
  value.xml(instance(bodyTemplate(root), values));

function decodeOne(body: FixtureValue): Record<string, unknown> {
  const chunk = chunkOf([withBody(body)]);
  const [planned] = decodeChunk(chunk, 'plan');
  const [tree] = decodeChunk(chunk, 'tree');
  assert.deepEqual(planned, tree, 'both ways say the same');
  return JSON.parse(planned!.json) as Record<string, unknown>;
}

test('a logon becomes a record with the fields of System, names, and EventData', () => {
  const chunk = chunkOf([logonRecord(41)]);
  const [record] = decodeChunk(chunk, 'plan');
  assert.deepEqual(JSON.parse(record!.json), {
    ProviderName: 'Microsoft-Windows-Security-Auditing',
    ProviderGuid: '{54849625-5478-4994-A5BA-3E3B0328C30D}',
    EventID: 4624,
    Version: 2,
    Level: 0,
    LevelName: 'Information',
    Task: 12544,
    TaskName: 'Logon',
    Opcode: 0,
    OpcodeName: 'Info',
    Keywords: '0x8020000000000000',
    KeywordNames: ['Audit Success'],
    TimeCreated: '2024-01-31T12:00:00.0000041Z',
    EventRecordID: 41,
    ProcessID: 688,
    ThreadID: 4012,
    Channel: 'Security',
    Computer: 'WS01.example.test',
    message_source: 'none',
    EventData: {
      SubjectUserSid: 'S-1-5-18',
      SubjectUserName: 'WS01$',
      SubjectDomainName: 'EXAMPLE',
      SubjectLogonId: '0x3e7',
      TargetUserSid: 'S-1-5-21-1004336348-1177238915-682003330-1041',
      TargetUserName: 'user41',
      TargetDomainName: 'EXAMPLE',
      TargetLogonId: '0x1000029',
      LogonType: '3',
      LogonProcessName: 'Kerberos',
      AuthenticationPackageName: 'Kerberos',
      WorkstationName: '-',
      LogonGuid: '{33221100-5544-7766-8899-AABBCCDDEEFF}',
      ProcessId: '0x2b0',
      ProcessName: 'C:\\Windows\\System32\\lsass.exe',
      IpAddress: '10.0.41.7',
      IpPort: '49193',
    },
  });
  assert.equal(record!.seconds, Date.UTC(2024, 0, 31, 12) / 1000);
  assert.equal(record!.nanos, 4100);
  assert.equal(countPlanned(chunk), 1);
  assert.deepEqual(decodeChunk(chunk, 'tree'), [record]);
});

describe('values of every type', () => {
  const cases: [string, FixtureValue, unknown][] = [
    ['null', value.nothing, ''],
    ['a string', value.string('a"b\\c\u00e9\u4e2d\u{1f600}\n'), 'a"b\\c\u00e9\u4e2d\u{1f600}\n'],
    ['a string with its terminator', value.string('end\0'), 'end'],
    ['half a surrogate pair', value.string('x\ud800y'), 'x\ufffdy'],
    ['control characters', value.string('\x01\x7f'), '\x01\x7f'],
    ['an ANSI string', value.ansi('caf\u00e9\0'), 'caf\u00e9'],
    ['int8', value.int8(-128), '-128'],
    ['uint8', value.uint8(255), '255'],
    ['int16', value.int16(-32768), '-32768'],
    ['uint16', value.uint16(65535), '65535'],
    ['int32', value.int32(-2147483648), '-2147483648'],
    ['uint32', value.uint32(4294967295), '4294967295'],
    ['int64', value.int64(-9223372036854775808n), '-9223372036854775808'],
    ['uint64', value.uint64(18446744073709551615n), '18446744073709551615'],
    ['a small uint64', value.uint64(9007199254740991n), '9007199254740991'],
    ['real32', value.real32(1.1), '1.1'],
    ['real64', value.real64(-2.5e-7), '-2.5e-7'],
    ['true', value.bool(true), 'true'],
    ['false', value.bool(false), 'false'],
    ['binary', value.binary(Buffer.from('00ff7e', 'hex')), '00FF7E'],
    ['no bytes', value.binary(Buffer.alloc(0)), ''],
    [
      'a GUID',
      value.guid(Buffer.from('2596845478549449a5ba3e3b0328c30d', 'hex')),
      '{54849625-5478-4994-A5BA-3E3B0328C30D}',
    ],
    ['a 32-bit size', value.size32(0xffff), '0xffff'],
    ['a 64-bit size', value.size64(0xffff_ffff_ffff_ffffn), '0xffffffffffffffff'],
    [
      'a FILETIME',
      value.fileTime(fileTimeOf(Date.UTC(2024, 1, 29), 1)),
      '2024-02-29T00:00:00.0000001Z',
    ],
    ['the first FILETIME', value.fileTime(0n), '1601-01-01T00:00:00.0000000Z'],
    ['a SYSTEMTIME', value.systemTime([2024, 2, 4, 29, 23, 59, 58, 7]), '2024-02-29T23:59:58.007Z'],
    ['a SID', value.sid(5, 21, 4294967295, 2, 3, 500), 'S-1-5-21-4294967295-2-3-500'],
    ['a SID of a great authority', value.sid(0x100000001, 7), 'S-1-0x000100000001-7'],
    ['HexInt32', value.hex32(0xc000006d), '0xc000006d'],
    ['HexInt64', value.hex64(0n), '0x0'],
    ['a string array', value.strings('one', '', 'three'), ['one', '', 'three']],
    ['an array of one string', value.strings('only'), 'only'],
    ['an empty array', value.strings(), ''],
    ['an array of numbers', value.array(value.uint32(1), value.uint32(2)), ['1', '2']],
    [
      'an array of SIDs',
      value.array(value.sid(5, 18), value.sid(5, 32, 544)),
      ['S-1-5-18', 'S-1-5-32-544'],
    ],
    [
      'an array of GUIDs',
      value.array(value.guid(Buffer.alloc(16)), value.guid(Buffer.alloc(16, 255))),
      ['{00000000-0000-0000-0000-000000000000}', '{FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF}'],
    ],
  ];
  for (const [name, one, expected] of cases) {
    test(name, () => {
      const root = element('EventData', {}, [element('Data', { Name: 'it' }, [hole(0)])]);
      assert.deepEqual(decodeOne(inTemplate(root, [one]))['EventData'], { it: expected });
    });
  }
});

describe('substitutions', () => {
  const three = element('EventData', {}, [
    element('Data', { Name: 'normal' }, [hole(0)]),
    element('Data', { Name: 'optional' }, [hole(1, true)]),
    element('Data', { Name: 'dependent' }, ['constant'], 2),
    element('Other', { Kept: hole(0), Gone: hole(1, true) }, ['text']),
  ]);

  test('a value that is missing leaves a normal one empty and takes an optional one along', () => {
    const body = inTemplate(three, [value.nothing, value.nothing, value.nothing]);
    assert.deepEqual(decodeOne(body)['EventData'], {
      normal: '',
      Other: { '@Kept': '', '#text': 'text' },
    });
  });

  test('values that are there appear', () => {
    const body = inTemplate(three, [value.uint8(1), value.string('b'), value.uint8(3)]);
    assert.deepEqual(decodeOne(body)['EventData'], {
      normal: '1',
      optional: 'b',
      dependent: 'constant',
      Other: { '@Kept': '1', '@Gone': 'b', '#text': 'text' },
    });
  });

  test('a hole beyond the values is one without a value', () => {
    assert.deepEqual(decodeOne(inTemplate(three, []))['EventData'], {
      normal: '',
      Other: { '@Kept': '', '#text': 'text' },
    });
  });

  test('text, CDATA, references and instructions make one text', () => {
    const children: FixtureNode[] = [
      'a',
      { kind: 'cdata', text: '<b>' },
      { kind: 'character', code: 0x43 },
      { kind: 'entity', name: 'amp' },
      { kind: 'instruction', target: 'pi', data: 'ignored' },
      hole(0),
    ];
    const root = element('EventData', {}, [element('Data', { Name: 'it' }, children)]);
    assert.deepEqual(decodeOne(inTemplate(root, [value.uint8(9)]))['EventData'], {
      it: 'a<b>C&9',
    });
  });
});

describe('shapes of the body', () => {
  test('data without names are a list', () => {
    const root = element('EventData', {}, [
      element('Data', {}, [hole(0)]),
      element('Binary', {}, [hole(1)]),
    ]);
    const body = inTemplate(root, [
      value.strings('first', 'second'),
      value.binary(Buffer.from([1, 2])),
    ]);
    assert.deepEqual(decodeOne(body)['EventData'], { Data: ['first', 'second'], Binary: '0102' });
  });

  test('UserData keeps its elements and attributes', () => {
    const root = element('UserData', {}, [
      element('LogFileCleared', { xmlns: 'http://example.test/' }, [
        element('SubjectUserName', {}, [hole(0)]),
        element('Item', { id: '1' }, []),
        element('Item', { id: '2' }, ['two']),
      ]),
    ]);
    assert.deepEqual(decodeOne(inTemplate(root, [value.string('admin')]))['UserData'], {
      LogFileCleared: {
        SubjectUserName: 'admin',
        Item: [{ '@id': '1' }, { '@id': '2', '#text': 'two' }],
      },
    });
  });

  test('an element without a template, directly in the value, is read', () => {
    const body = value.xml(element('EventData', {}, [element('Data', { Name: 'a' }, ['b'])]));
    assert.deepEqual(decodeOne(body)['EventData'], { a: 'b' });
  });

  test('binary XML inside UserData is read', () => {
    const inner = inTemplate(element('Inner', {}, [hole(0)]), [value.string('deep')]);
    const root = element('UserData', {}, [hole(0)]);
    assert.deepEqual(decodeOne(inTemplate(root, [inner]))['UserData'], { Inner: 'deep' });
  });

  test('an event without a body has none', () => {
    const record = decodeOne(value.nothing);
    assert.equal(Object.keys(record).at(-1), 'message_source');
  });

  test('a forwarded event has its message and names', () => {
    const event = element('Event', {}, [
      ...eventTemplate.root.children,
      element('RenderingInfo', { Culture: 'en-US' }, [
        element('Message', {}, ['An account was logged on.']),
        element('Level', {}, ['Info']),
        element('Task', {}, ['Sign-in']),
        element('Opcode', {}, ['Nothing']),
        element('Keywords', {}, [element('Keyword', {}, ['Success'])]),
      ]),
    ]);
    const template: FixtureTemplate = { guid: Buffer.alloc(16, 3), root: event };
    const base = logonRecord(5);
    const values = base.xml.kind === 'instance' ? base.xml.values : [];
    const chunk = chunkOf([{ ...base, xml: instance(template, values) }]);
    const record = JSON.parse(decodeChunk(chunk, 'plan')[0]!.json) as Record<string, unknown>;
    assert.equal(record['Message'], 'An account was logged on.');
    assert.equal(record['message_source'], 'rendering_info');
    assert.equal(record['TaskName'], 'Sign-in');
    assert.equal(record['LevelName'], 'Info');
    assert.deepEqual(record['KeywordNames'], ['Success']);
  });

  test('raw XML and string inserts are there on request', () => {
    const chunk = chunkOf([
      withBody(
        value.xml(instance(dataTemplate(['a', 'b']), [value.string('<x>'), value.uint8(2)])),
      ),
    ]);
    const [one] = decodeChunk(chunk, 'plan', { renderXml: true, stringInserts: true });
    const record = JSON.parse(one!.json) as Record<string, unknown>;
    assert.deepEqual(record['StringInserts'], ['<x>', '2']);
    assert.match(
      String(record['Xml']),
      /^<Event xmlns="http:[^"]+"><System>.*<EventData><Data Name="a">&lt;x&gt;<\/Data><Data Name="b">2<\/Data><\/EventData><\/Event>$/,
    );
  });
});

describe('endless things', () => {
  test('a template that contains itself ends as damage', () => {
    const guid = Buffer.alloc(16, 9);
    const loop: FixtureTemplate = { guid, root: element('EventData', {}, []) };
    const children: FixtureNode[] = [];
    const again: FixtureTemplate = { guid, root: element('EventData', {}, children) };
    children.push(instance(loop, []));
    const writer = new ChunkWriter();
    assert.ok(writer.add(withBody(value.xml(instance(again, [])))));
    assert.throws(
      () => decodeChunk(writer.finish(), 'plan'),
      /nested too deep|too many|outside|early/,
    );
  });

  test('elements nested without end are damage', () => {
    let node = element('Deep', {}, []);
    for (let depth = 0; depth < 80; depth++) node = element('Deep', {}, [node]);
    const chunk = chunkOf([withBody(inTemplate(element('UserData', {}, [node]), []))]);
    assert.throws(() => decodeChunk(chunk, 'plan'), /nested too deep/);
  });

  test('a value that is repeated until it is huge is too large', () => {
    const holes = Array.from({ length: 2000 }, () => hole(0));
    const root = element('EventData', {}, [element('Data', { Name: 'x' }, holes)]);
    const chunk = chunkOf([withBody(inTemplate(root, [value.string('x'.repeat(20_000))]))]);
    assert.throws(() => decodeChunk(chunk, 'tree'), /too much text/);
  });
});

// ── whatever a template is made of, both ways say the same ────────────────────────────────────

const anyValue: fc.Arbitrary<FixtureValue> = fc.oneof(
  fc.constant(value.nothing),
  fc.string({ unit: 'binary', maxLength: 12 }).map(value.string),
  fc.string({ maxLength: 8 }).map(value.ansi),
  fc.integer({ min: 0, max: 255 }).map(value.uint8),
  fc.integer({ min: 0, max: 65535 }).map(value.uint16),
  fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }).map(value.int32),
  fc.integer({ min: 0, max: 2 ** 32 - 1 }).map(value.uint32),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(value.int64),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(value.uint64),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(value.hex64),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(value.fileTime),
  fc.float().map(value.real32),
  fc.double().map(value.real64),
  fc.boolean().map(value.bool),
  fc.uint8Array({ maxLength: 20 }).map((bytes) => value.binary(Buffer.from(bytes))),
  fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => value.guid(Buffer.from(bytes))),
  fc.array(fc.nat(), { maxLength: 15 }).map((parts) => value.sid(5, ...parts)),
  fc.array(fc.string({ maxLength: 5 }), { maxLength: 4 }).map((all) => value.strings(...all)),
  fc.array(fc.nat(), { maxLength: 4 }).map((all) => value.array(...all.map(value.uint32))),
);

const name = fc.constantFrom(
  'Data',
  'Item',
  'Name',
  'a',
  'Binary',
  'xmlns',
  'ComplexData',
  'Value',
);
const anyHole = fc.record({ index: fc.nat(7), isOptional: fc.boolean() });
const content: fc.Arbitrary<FixtureNode> = fc.oneof(
  fc.constantFrom('', ' ', 'text', '\u00e9"\\'),
  anyHole.map(({ index, isOptional }) => hole(index, isOptional)),
);

const anyElement: fc.Arbitrary<FixtureElement> = fc.letrec<{ element: FixtureElement }>((tie) => ({
  element: fc
    .record({
      name,
      attributes: fc.dictionary(name, content, { maxKeys: 2 }),
      children: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        fc.array(content, { maxLength: 2 }),
        fc.array(fc.oneof(content, tie('element')), { maxLength: 4 }),
      ),
      dependency: fc.oneof(
        { weight: 4, arbitrary: fc.constant(0xffff) },
        { weight: 1, arbitrary: fc.nat(7) },
      ),
    })
    .map((one) => element(one.name, one.attributes, one.children, one.dependency)),
})).element;

test('a compiled template writes what the tree does, for any template and values', () => {
  let planned = 0;
  fc.assert(
    fc.property(
      fc.constantFrom('EventData', 'UserData'),
      fc.array(anyElement, { maxLength: 4 }),
      fc.array(anyValue, { maxLength: 8 }),
      fc.boolean(),
      (root, children, values, stringInserts) => {
        const record = withBody(inTemplate(element(root, {}, children), values));
        const chunk = chunkOf([record]);
        const tree = decodeChunk(chunk, 'tree', { stringInserts });
        const plan = decodeChunk(chunk, 'plan', { stringInserts });
        // The order is that of the template in one, of what is there in the other.
        assert.deepEqual(JSON.parse(plan[0]!.json), JSON.parse(tree[0]!.json));
        assert.equal(plan[0]!.json.length, tree[0]!.json.length, 'no key stands twice');
        planned += countPlanned(chunk);
      },
    ),
    { numRuns: 500 },
  );
  // Otherwise nothing would have been compared.
  assert.ok(planned > 100, `${planned} were compiled`);
});

test('the fields of System are the same both ways, for any values', () => {
  fc.assert(
    fc.property(fc.array(anyValue, { maxLength: 19 }), (values) => {
      const chunk = chunkOf([
        { id: 3, written: fileTimeOf(1_700_000_000_000), xml: instance(eventTemplate, values) },
      ]);
      assert.deepEqual(decodeChunk(chunk, 'plan'), decodeChunk(chunk, 'tree'));
    }),
    { numRuns: 500 },
  );
});

test('a template is known again in another chunk, and never taken for another one', () => {
  // Alike on purpose: one identifier, one size, names of one length, here or said before.
  const guids = [Buffer.alloc(16, 1), Buffer.alloc(16, 1).fill(2, 15)];
  const record = fc.record({
    guid: fc.constantFrom(...guids),
    before: fc.constantFrom('Aa', 'Ab', 'Ba'),
    names: fc.array(fc.constantFrom('Aa', 'Ab', 'Ba'), { minLength: 1, maxLength: 3 }),
    text: fc.constantFrom('x', 'y'),
  });
  const decoder = newDecoder({ stringInserts: true });
  let read = 0;
  const counted = decoder as unknown as { readTemplate(offset: number): unknown };
  const readTemplate = counted.readTemplate.bind(decoder);
  counted.readTemplate = (offset) => {
    read++;
    return readTemplate(offset);
  };
  let records = 0;
  fc.assert(
    fc.property(fc.array(record, { minLength: 1, maxLength: 4 }), (all) => {
      const chunk = chunkOf(
        all.map(({ guid, before, names, text }, at) => {
          const inner = names.map((one) => element(one, { [before]: text }, [hole(0)]));
          const root = element('EventData', {}, [...inner, element('Data', {}, [hole(1)])]);
          const values = [value.string(`v${at}`), value.uint32(at)];
          return withBody(value.xml(instance(bodyTemplate(root, guid), values)), at + 1);
        }),
      );
      records += all.length;
      const options = { stringInserts: true };
      assert.deepEqual(
        decodeChunk(chunk, 'plan', options, decoder),
        decodeChunk(chunk, 'plan', options),
      );
    }),
    { numRuns: 300 },
  );
  assert.ok(read < records, `${read} templates were read for ${records} records`);
});
