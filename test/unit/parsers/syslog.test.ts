import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fieldsOf, makeParser, timeOf } from './parsing_fixture.ts';

const auth = { facility: 4, facility_name: 'auth' };
const local7 = { facility: 23, facility_name: 'local7' };
const local4 = { facility: 20, facility_name: 'local4' };
const critical = { severity: 2, severity_name: 'crit' };
const notice = { severity: 5, severity_name: 'notice' };

describe('the syslog format', () => {
  const parser = makeParser('syslog');
  const cases: readonly {
    what: string;
    line: string;
    fields: Record<string, unknown>;
    time?: string;
  }[] = [
    {
      what: 'RFC 5424, example 1: no structured data',
      line: "<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - \uFEFF'su root' failed for lonvick on /dev/pts/8",
      fields: {
        pri: 34,
        ...auth,
        ...critical,
        host: 'mymachine.example.com',
        ident: 'su',
        msgid: 'ID47',
        message: "'su root' failed for lonvick on /dev/pts/8",
      },
      time: '2003-10-11T22:14:15.003000000Z',
    },
    {
      what: 'RFC 5424, example 2: an offset and microseconds',
      line: "<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - %% It's time to make the do-nuts.",
      fields: {
        pri: 165,
        ...local4,
        ...notice,
        host: '192.0.2.1',
        ident: 'myproc',
        pid: '8710',
        message: "%% It's time to make the do-nuts.",
      },
      time: '2003-08-24T12:14:15.000003000Z',
    },
    {
      what: 'RFC 5424, example 3: structured data',
      line: '<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 [exampleSDID@32473 iut="3" eventSource="Application" eventID="1011"] \uFEFFAn application event log entry...',
      fields: {
        pri: 165,
        ...local4,
        ...notice,
        host: 'mymachine.example.com',
        ident: 'evntslog',
        msgid: 'ID47',
        structured_data: {
          'exampleSDID@32473': { iut: '3', eventSource: 'Application', eventID: '1011' },
        },
        message: 'An application event log entry...',
      },
    },
    {
      what: 'RFC 5424, example 4: structured data alone',
      line: '<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 [exampleSDID@32473 iut="3"][examplePriority@32473 class="a\\"b\\]c\\\\"]',
      fields: {
        pri: 165,
        ...local4,
        ...notice,
        host: 'mymachine.example.com',
        ident: 'evntslog',
        msgid: 'ID47',
        structured_data: {
          'exampleSDID@32473': { iut: '3' },
          'examplePriority@32473': { class: 'a"b]c\\' },
        },
      },
    },
    {
      what: 'RFC 5424 with nothing but `-`',
      line: '<0>1 - - - - - -',
      fields: { pri: 0, facility: 0, facility_name: 'kern', severity: 0, severity_name: 'emerg' },
    },
    {
      what: 'RFC 3164, example 1',
      line: "<34>Oct 11 22:14:15 mymachine su: 'su root' failed for lonvick on /dev/pts/8",
      fields: {
        pri: 34,
        ...auth,
        ...critical,
        host: 'mymachine',
        ident: 'su',
        message: "'su root' failed for lonvick on /dev/pts/8",
      },
      time: '2023-10-11T22:14:15.000000000Z',
    },
    {
      what: 'RFC 3164, a message without anything else',
      line: '<13>Use the BFG!',
      fields: {
        pri: 13,
        facility: 1,
        facility_name: 'user',
        ...notice,
        message: 'Use the BFG!',
      },
    },
    {
      what: 'a file without a priority',
      line: 'Mar  9 11:59:59 web-1 CRON[4711]: (root) CMD (run-parts /etc/cron.hourly)',
      fields: {
        host: 'web-1',
        ident: 'CRON',
        pid: '4711',
        message: '(root) CMD (run-parts /etc/cron.hourly)',
      },
      time: '2024-03-09T11:59:59.000000000Z',
    },
    {
      what: 'a message without a host',
      line: '<13>Feb  5 17:32:18 su[12]: hello',
      fields: {
        pri: 13,
        facility: 1,
        facility_name: 'user',
        ...notice,
        ident: 'su',
        pid: '12',
        message: 'hello',
      },
    },
    {
      what: 'the times of rsyslog',
      line: '<13>2024-03-09T11:00:00.123456+01:00 db-2 postgres[88]: checkpoint starting',
      fields: {
        pri: 13,
        facility: 1,
        facility_name: 'user',
        ...notice,
        host: 'db-2',
        ident: 'postgres',
        pid: '88',
        message: 'checkpoint starting',
      },
      time: '2024-03-09T10:00:00.123456000Z',
    },
    {
      what: 'Cisco IOS with a counter and a fraction',
      line: '<189>29: *Mar  1 18:46:11.123: %SYS-5-CONFIG_I: Configured from console by vty2 (10.34.195.36)',
      fields: {
        pri: 189,
        ...local7,
        ...notice,
        sequence: 29,
        ident: '%SYS-5-CONFIG_I',
        message: 'Configured from console by vty2 (10.34.195.36)',
      },
      time: '2024-03-01T18:46:11.123000000Z',
    },
    {
      what: 'Cisco IOS with a device and a zone',
      line: '<189>237: router1: Mar  9 10:00:00 UTC: %LINEPROTO-5-UPDOWN: Line protocol changed',
      fields: {
        pri: 189,
        ...local7,
        ...notice,
        sequence: 237,
        host: 'router1',
        ident: '%LINEPROTO-5-UPDOWN',
        message: 'Line protocol changed',
      },
      time: '2024-03-09T10:00:00.000000000Z',
    },
    {
      what: 'Cisco NX-OS',
      line: '<189>: 2023 Oct 14 12:00:00 UTC: %ETHPORT-5-IF_UP: Interface Ethernet1/1 is up',
      fields: {
        pri: 189,
        ...local7,
        ...notice,
        ident: '%ETHPORT-5-IF_UP',
        message: 'Interface Ethernet1/1 is up',
      },
      time: '2023-10-14T12:00:00.000000000Z',
    },
    {
      what: 'Cisco ASA',
      line: '<166>Oct 12 2018 12:34:56 fw01 : %ASA-6-302013: Built outbound TCP connection',
      fields: {
        pri: 166,
        ...local4,
        severity: 6,
        severity_name: 'info',
        host: 'fw01',
        ident: '%ASA-6-302013',
        message: 'Built outbound TCP connection',
      },
      time: '2018-10-12T12:34:56.000000000Z',
    },
    {
      what: 'an IPv6 address as host',
      line: '<13>Mar  9 10:00:00 fe80::1 app: x',
      fields: {
        pri: 13,
        facility: 1,
        facility_name: 'user',
        ...notice,
        host: 'fe80::1',
        ident: 'app',
        message: 'x',
      },
    },
  ];
  for (const { what, line, fields, time } of cases) {
    it(`reads ${what}`, () => {
      assert.deepEqual(fieldsOf(parser, line), fields);
      if (time !== undefined) assert.equal(timeOf(parser, line), time);
    });
  }

  for (const line of [
    '',
    'hello',
    '<192>Oct 11 22:14:15 a b: c',
    '<>x',
    '<34',
    '<34>1 2003-10-11T22:14:15.003Z host app',
    '<34>1 2003-10-11T22:14:15.003Z host app - - [a b="c] x',
    '<34>1 2003-10-11T22:14:15.003Z host app - - [a]x',
  ]) {
    it(`does not take ${JSON.stringify(line)}`, () => {
      assert.equal(fieldsOf(parser, line), null);
    });
  }

  it('takes only the standard that it is told', () => {
    const old = "<34>Oct 11 22:14:15 mymachine su: 'su root' failed";
    assert.equal(fieldsOf(makeParser('syslog', { standard: 'rfc5424' }), old), null);
    const fields = fieldsOf(makeParser('syslog', { standard: 'rfc3164' }), '<34>1 - - - - - -');
    assert.equal((fields as Record<string, unknown>)['message'], '1 - - - - - -');
  });

  it('reads times without a zone in the zone of the definition', () => {
    const berlin = makeParser('syslog', { time_zone: 'Europe/Berlin' });
    const line = '<13>Mar  9 11:59:59 a b: c';
    assert.equal(timeOf(berlin, line), '2024-03-09T10:59:59.000000000Z');
  });

  it('keeps all values of a parameter that comes again', () => {
    const line = '<34>1 - - - - - [origin ip="a" ip="b" x="\\"" ip="c"] m';
    const fields = fieldsOf(parser, line) as Record<string, unknown>;
    assert.deepEqual(JSON.parse(JSON.stringify(fields['structured_data'])), {
      origin: { ip: ['a', 'b', 'c'], x: '"' },
    });
  });

  it('keeps the names of structured data that objects have of their own', () => {
    const line = '<34>1 - - - - - [__proto__ constructor="x"] m';
    const fields = fieldsOf(parser, line) as Record<string, unknown>;
    const data = fields['structured_data'] as object;
    assert.deepEqual(JSON.stringify(data), '{"__proto__":{"constructor":"x"}}');
  });
});
