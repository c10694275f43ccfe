import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { eventRecord, recordJson } from '../../../plugins/shared/windows_event/event_record.ts';
import {
  keywordNames,
  levelName,
  opcodeName,
  taskName,
} from '../../../plugins/shared/windows_event/standard_names.ts';
import {
  fileTimeText,
  guidText,
  parseSystemTime,
  sidText,
} from '../../../plugins/shared/windows_event/value_text.ts';
import { XmlElement } from '../../../plugins/shared/windows_event/xml_element.ts';
import { parseXml, writeXml, XmlError } from '../../../plugins/shared/windows_event/xml_text.ts';

const event = (
  body: string,
) => `<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'>
  <System>
    <Provider Name='Service Control Manager' Guid='{555908d1-a6d7-4695-8e1e-26931d2012f4}' EventSourceName='Service Control Manager'/>
    <EventID Qualifiers='16384'>7036</EventID>
    <Version>0</Version><Level>4</Level><Task>0</Task><Opcode>0</Opcode>
    <Keywords>0x8080000000000000</Keywords>
    <TimeCreated SystemTime='2024-01-31T12:00:00.1234567Z'/>
    <EventRecordID>12</EventRecordID>
    <Correlation/><Execution ProcessID='4' ThreadID='8'/>
    <Channel>System</Channel><Computer>host</Computer><Security UserID='S-1-5-18'/>
  </System>${body}</Event>`;

const recordOf = (xml: string, options = {}) =>
  JSON.parse(
    recordJson(eventRecord(parseXml(xml), { stringInserts: false, ...options }).members),
  ) as Record<string, unknown>;

describe('the record of an event', () => {
  test('has the fields of System by the names that Fluent Bit uses', () => {
    assert.deepEqual(recordOf(event('')), {
      ProviderName: 'Service Control Manager',
      ProviderGuid: '{555908d1-a6d7-4695-8e1e-26931d2012f4}',
      EventSourceName: 'Service Control Manager',
      Qualifiers: 16384,
      EventID: 7036,
      Version: 0,
      Level: 4,
      LevelName: 'Information',
      Task: 0,
      Opcode: 0,
      OpcodeName: 'Info',
      Keywords: '0x8080000000000000',
      KeywordNames: ['Classic'],
      TimeCreated: '2024-01-31T12:00:00.1234567Z',
      EventRecordID: 12,
      ProcessID: 4,
      ThreadID: 8,
      Channel: 'System',
      Computer: 'host',
      UserID: 'S-1-5-18',
      message_source: 'none',
    });
  });

  test('has the time to the nanosecond', () => {
    const { time } = eventRecord(parseXml(event('')), { stringInserts: false });
    assert.deepEqual(time, { seconds: Date.UTC(2024, 0, 31, 12) / 1000, nanos: 123_456_700 });
  });

  test('has EventData by name, and values in order on request', () => {
    const xml = event(
      '<EventData><Data Name="param1">a &lt;b&gt;</Data><Data Name="param2"/><Binary>00FF</Binary></EventData>',
    );
    const record = recordOf(xml, { stringInserts: true });
    assert.deepEqual(record['EventData'], { param1: 'a <b>', param2: '', Binary: '00FF' });
    assert.deepEqual(record['StringInserts'], ['a <b>', '']);
  });

  test("takes the publisher's names and message before all others", () => {
    const info = '<RenderingInfo><Message>forwarded</Message><Task>T</Task></RenderingInfo>';
    const rendered = { message: 'rendered', level: 'Informatie', keywords: ['Klassiek'] };
    const record = recordOf(event(info), { rendered });
    assert.equal(record['Message'], 'rendered');
    assert.equal(record['message_source'], 'publisher');
    assert.equal(record['LevelName'], 'Informatie');
    assert.equal(record['TaskName'], 'T');
    assert.deepEqual(record['KeywordNames'], ['Klassiek']);
    assert.equal(recordOf(event(info))['message_source'], 'rendering_info');
  });

  test('keeps what it does not know under its own name', () => {
    const record = recordOf(event('<DebugData a="1"><b>2</b></DebugData><Level>x</Level>'));
    assert.deepEqual(record['DebugData'], { '@a': '1', b: '2' });
    assert.deepEqual([record['Level'], record['Event.Level']], [4, 'x']);
    assert.deepEqual(recordOf('<Other>text</Other>'), { Other: 'text' });
  });
});

test('names that Windows defines', () => {
  assert.deepEqual([0, 1, 2, 3, 4, 5, 6].map(levelName), [
    'Information',
    'Critical',
    'Error',
    'Warning',
    'Information',
    'Verbose',
    undefined,
  ]);
  assert.equal(opcodeName(1), 'Start');
  assert.equal(opcodeName(99), undefined);
  assert.equal(taskName('Microsoft-Windows-Security-Auditing', 12544), 'Logon');
  assert.equal(taskName('Other', 12544), undefined);
  assert.deepEqual(keywordNames(0x80100000), ['Audit Failure']);
  assert.deepEqual(keywordNames(0), []);
});

test('texts of values', () => {
  assert.equal(fileTimeText(133_511_904_001_234_567n), '2024-01-31T16:00:00.1234567Z');
  assert.equal(fileTimeText(2n ** 64n - 1n), '60056-05-28T05:36:10.9551615Z');
  assert.equal(guidText(Buffer.alloc(16, 1), 0), '{01010101-0101-0101-0101-010101010101}');
  assert.equal(sidText(Buffer.from('010100000000000512000000', 'hex'), 0, 12), 'S-1-5-18');
  assert.equal(sidText(Buffer.from('0102000000000005', 'hex'), 0, 8), undefined);
  assert.equal(parseSystemTime('yesterday'), undefined);
  assert.equal(parseSystemTime('2024-13-01T00:00:00Z'), undefined);
});

test('times are those of the calendar, with any number of decimals, and nothing else is one', () => {
  const digit = fc.nat(9);
  fc.assert(
    fc.property(
      fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }),
      fc.array(digit, { minLength: 1, maxLength: 9 }),
      (date, decimals) => {
        const whole = date.toISOString().slice(0, 19);
        const nanos = Number(decimals.join('').padEnd(9, '0'));
        assert.deepEqual(parseSystemTime(`${whole}.${decimals.join('')}Z`), {
          seconds: Math.floor(date.getTime() / 1000),
          nanos,
        });
      },
    ),
  );
  const others = [
    '2024-00-01',
    '2024-01-00',
    '2024-01-32',
    '2O24-01-01',
    '2024-01-1 ',
    '2024/01/01',
  ];
  for (const day of others) assert.equal(parseSystemTime(`${day}T00:00:00.1Z`), undefined, day);
  for (const time of ['24:00:01', '00:60:00', '00:00:61', '0:000:00', '00.00.00']) {
    assert.equal(parseSystemTime(`2024-01-01T${time}.1Z`), undefined, time);
  }
  assert.equal(parseSystemTime('2024-01-01T00:00:00.1234567890Z'), undefined);
});

test('every text is the same in JSON as JSON says it', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string(), (wide, plain) => {
      for (const text of [wide.replace(/[\ud800-\udfff]/g, ''), plain]) {
        const element = new XmlElement('Other');
        element.children.push(text);
        const { members } = eventRecord(element, { stringInserts: false });
        assert.equal(recordJson(members), JSON.stringify({ Other: text }));
      }
    }),
  );
});

describe('XML text', () => {
  for (const [text, problem] of [
    ['', /There is no element/],
    ['text', /There is no element/],
    ['<a>', /has no end/],
    ['<a></b>', /wrong end/],
    ['<a b></a>', /has no value/],
    ['<a b=c></a>', /not quoted/],
    ['<a/><b/>', /something behind/],
    ['<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', /Declarations are not read/],
    ['<a>'.repeat(100), /nested too deep/],
    [`<a>${'<b/>'.repeat(30_000)}</a>`, /too many elements/],
  ] as const) {
    test(`refuses ${text.slice(0, 30)}`, () => {
      assert.throws(
        () => parseXml(text),
        (error) => error instanceof XmlError && problem.test(error.message),
      );
    });
  }

  test('reads references, CDATA, comments and instructions', () => {
    const text =
      '<?xml version="1.0"?><!-- c --><a b="&quot;&#65;">x<![CDATA[<&>]]><!-- y -->&amp;&#x1F600;</a>';
    const root = parseXml(text);
    assert.equal(root.attribute('b'), '"A');
    assert.equal(root.text(), 'x<&>&\u{1f600}');
  });

  const name = fc.constantFrom('a', 'Data', 'Event', 'x-y', '\u00e9l');
  const text = fc.string({ unit: 'grapheme' }).filter((one) => !/[\0-\x1f\ufffe\uffff]/.test(one));
  const element = fc.letrec<{ element: XmlElement }>((tie) => ({
    element: fc
      .record({
        name,
        attributes: fc.uniqueArray(fc.record({ name, value: text }), {
          selector: (one) => one.name,
        }),
        children: fc.array(fc.oneof({ depthSize: 'small' }, text, tie('element')), {
          maxLength: 4,
        }),
      })
      .map((one) => {
        const made = new XmlElement(one.name);
        made.attributes.push(...one.attributes.map((attribute) => ({ ...attribute })));
        for (const child of one.children) {
          const last = made.children.at(-1);
          if (child === '') continue;
          if (typeof child === 'string' && typeof last === 'string') continue;
          made.children.push(child);
        }
        return made;
      }),
  })).element;

  test('what is written is read back', () => {
    fc.assert(
      fc.property(element, (root) => {
        assert.deepEqual(parseXml(writeXml(root)), root);
      }),
    );
  });

  test('any text is read or refused', () => {
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.constantFrom('<', '>', 'a', '/', '=', '"', '&', ';', '!', '-', '[', ' '),
        }),
        (one) => {
          try {
            parseXml(one);
          } catch (error) {
            assert.ok(error instanceof XmlError);
          }
        },
      ),
    );
  });
});
