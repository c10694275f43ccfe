import { dataTemplate, eventRecordOf, logonRecord } from './evtx_events.ts';
import { instance, value } from './evtx_values.ts';
import type { FixtureRecord } from './evtx_writer.ts';

/** What pipelines/windows-security/tests holds as files; a test makes them anew and compares. */

const failedNames = ['TargetUserName', 'Status', 'LogonType', 'IpAddress'];
const failedTemplate = dataTemplate(failedNames, Buffer.alloc(16, 0x21));

/** A logon, one that failed from far away, one at the machine itself, and an id nobody knows. */
export function securityRecords(): FixtureRecord[] {
  const failed = (id: number, address: string): FixtureRecord =>
    eventRecordOf({
      id,
      eventId: 4625,
      task: 12_544,
      keywords: 0x8010000000000000n,
      body: value.xml(
        instance(failedTemplate, [
          value.string('administrator'),
          value.hex32(0xc000006d),
          value.uint32(3),
          value.string(address),
        ]),
      ),
    });
  return [
    logonRecord(1),
    failed(2, '203.0.113.9'),
    failed(3, '-'),
    eventRecordOf({ id: 4, eventId: 4999 }),
  ];
}

const processNames = ['RuleName', 'ProcessGuid', 'ProcessId', 'Image', 'CommandLine', 'User'];
const processTemplate = dataTemplate(processNames, Buffer.alloc(16, 0x22));
const connectionNames = [
  'RuleName',
  'Image',
  'Protocol',
  'SourceIp',
  'SourcePort',
  'DestinationIp',
];
const connectionTemplate = dataTemplate(connectionNames, Buffer.alloc(16, 0x23));

const sysmon = {
  provider: 'Microsoft-Windows-Sysmon',
  channel: 'Microsoft-Windows-Sysmon/Operational',
  level: 4,
  keywords: 0x8000000000000000n,
  user: value.sid(5, 18),
};

/** A process that begins, and what it connects to. */
export function sysmonRecords(): FixtureRecord[] {
  const image = 'C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe';
  const guid = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex');
  return [
    eventRecordOf({
      ...sysmon,
      id: 1,
      eventId: 1,
      task: 1,
      body: value.xml(
        instance(processTemplate, [
          value.string('-'),
          value.guid(guid),
          value.uint32(4711),
          value.string(image),
          value.string('powershell.exe -Command "Get-Date"'),
          value.string('EXAMPLE\\user1'),
        ]),
      ),
    }),
    eventRecordOf({
      ...sysmon,
      id: 2,
      eventId: 3,
      task: 3,
      body: value.xml(
        instance(connectionTemplate, [
          value.string('-'),
          value.string(image),
          value.string('tcp'),
          value.string('10.0.0.5'),
          value.uint16(50_123),
          value.string('203.0.113.80'),
        ]),
      ),
    }),
  ];
}
