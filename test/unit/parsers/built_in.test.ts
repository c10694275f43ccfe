import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { builtIn, fieldsOf, timeOf } from './parsing_fixture.ts';

describe('built-in parsers', () => {
  const cases: readonly {
    parser: string;
    what: string;
    line: string;
    fields: Record<string, unknown> | null;
    time?: string;
  }[] = [
    {
      parser: 'apache2',
      what: 'the combined format',
      line: '127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326 "http://www.example.com/start.html" "Mozilla/4.08 [en] (Win98; I ;Nav)"',
      fields: {
        host: '127.0.0.1',
        user: 'frank',
        method: 'GET',
        path: '/apache_pb.gif',
        code: '200',
        size: '2326',
        referer: 'http://www.example.com/start.html',
        agent: 'Mozilla/4.08 [en] (Win98; I ;Nav)',
      },
      time: '2000-10-10T20:55:36.000000000Z',
    },
    {
      parser: 'apache2',
      what: 'the common format',
      line: '::1 - - [09/Mar/2024:10:00:00 +0000] "OPTIONS * HTTP/1.0" 200 -',
      fields: { host: '::1', user: '-', method: 'OPTIONS', path: '*', code: '200', size: '-' },
      time: '2024-03-09T10:00:00.000000000Z',
    },
    {
      parser: 'apache2',
      what: 'a request without a path',
      line: '10.0.0.1 - - [09/Mar/2024:10:00:00 +0000] "-" 408 - "-" "-"',
      fields: {
        host: '10.0.0.1',
        user: '-',
        method: '-',
        code: '408',
        size: '-',
        referer: '-',
        agent: '-',
      },
    },
    ...[
      ['a path with blanks', '"GET /a b  c HTTP/1.1"', 'GET', '/a b  c'],
      [
        'a path with blanks, escapes and quotes',
        '"GET /a \\"b\\" c HTTP/1.1"',
        'GET',
        '/a \\"b\\" c',
      ],
      ['a request without a protocol', '"GET /a"', 'GET', '/a'],
      ['a protocol of nothing', '"GET /a "', 'GET', '/a'],
      ['more than one blank', '"GET  /a  HTTP/1.0"', 'GET', '/a'],
    ].flatMap(([what, request, method, path]) =>
      ['apache2', 'nginx'].map((parser) => ({
        parser,
        what: what!,
        line: `::1 - - [09/Mar/2024:10:00:00 +0000] ${request} 200 7`,
        fields: {
          ...(parser === 'nginx' ? { remote: '::1', host: '-' } : { host: '::1' }),
          user: '-',
          method,
          path,
          code: '200',
          size: '7',
        },
      })),
    ),
    { parser: 'apache2', what: 'no text of another kind', line: 'hello world', fields: null },
    {
      parser: 'nginx',
      what: 'the combined format',
      line: '93.180.71.3 - - [17/May/2015:08:05:32 +0000] "GET /downloads/product_1 HTTP/1.1" 304 0 "-" "Debian APT-HTTP/1.3 (0.8.16~exp12ubuntu10.21)"',
      fields: {
        remote: '93.180.71.3',
        host: '-',
        user: '-',
        method: 'GET',
        path: '/downloads/product_1',
        code: '304',
        size: '0',
        referer: '-',
        agent: 'Debian APT-HTTP/1.3 (0.8.16~exp12ubuntu10.21)',
      },
      time: '2015-05-17T08:05:32.000000000Z',
    },
    {
      parser: 'nginx',
      what: 'what the main format adds at the end',
      line: '10.1.2.3 - bob [09/Mar/2024:10:00:00 +0100] "POST /a?b=c HTTP/2.0" 201 12 "https://x/" "curl/8.5.0" "203.0.113.7"',
      fields: {
        remote: '10.1.2.3',
        host: '-',
        user: 'bob',
        method: 'POST',
        path: '/a?b=c',
        code: '201',
        size: '12',
        referer: 'https://x/',
        agent: 'curl/8.5.0',
      },
      time: '2024-03-09T09:00:00.000000000Z',
    },
    {
      parser: 'nginx',
      what: 'bytes that are no request',
      line: '10.1.2.3 - - [09/Mar/2024:10:00:00 +0000] "\\x16\\x03\\x01\\x00\\xCA" 400 150 "-" "-"',
      fields: {
        remote: '10.1.2.3',
        host: '-',
        user: '-',
        method: '\\x16\\x03\\x01\\x00\\xCA',
        code: '400',
        size: '150',
        referer: '-',
        agent: '-',
      },
    },
    {
      parser: 'docker',
      what: 'a line of the json-file driver',
      line: '{"log":"hello\\n","stream":"stdout","time":"2024-03-09T10:00:00.123456789Z"}',
      fields: { log: 'hello\n', stream: 'stdout', time: '2024-03-09T10:00:00.123456789Z' },
      time: '2024-03-09T10:00:00.123456789Z',
    },
    {
      parser: 'docker',
      what: 'a time whose fraction is zero',
      line: '{"log":"x","stream":"stderr","time":"2024-03-09T10:00:00Z"}',
      fields: { log: 'x', stream: 'stderr', time: '2024-03-09T10:00:00Z' },
      time: '2024-03-09T10:00:00.000000000Z',
    },
    {
      parser: 'cri',
      what: 'a full line',
      line: '2016-10-06T00:17:09.669794202Z stdout F log content 1',
      fields: {
        time: '2016-10-06T00:17:09.669794202Z',
        stream: 'stdout',
        logtag: 'F',
        message: 'log content 1',
      },
      time: '2016-10-06T00:17:09.669794202Z',
    },
    {
      parser: 'cri',
      what: 'a partial line with an offset',
      line: '2024-03-09T10:00:00.5+01:00 stderr P {"a":1',
      fields: {
        time: '2024-03-09T10:00:00.5+01:00',
        stream: 'stderr',
        logtag: 'P',
        message: '{"a":1',
      },
      time: '2024-03-09T09:00:00.500000000Z',
    },
    {
      parser: 'cri',
      what: 'joined lines as one message',
      line: '2024-03-09T10:00:00Z stdout F first\n  at second\n',
      fields: {
        time: '2024-03-09T10:00:00Z',
        stream: 'stdout',
        logtag: 'F',
        message: 'first\n  at second\n',
      },
    },
    {
      parser: 'syslog-rfc3164',
      what: 'the example of the RFC',
      line: "<34>Oct 11 22:14:15 mymachine su: 'su root' failed for lonvick on /dev/pts/8",
      fields: {
        pri: '34',
        time: 'Oct 11 22:14:15',
        host: 'mymachine',
        ident: 'su',
        message: "'su root' failed for lonvick on /dev/pts/8",
      },
      // The nearest 11 October to 9 March 2024 is that of 2023.
      time: '2023-10-11T22:14:15.000000000Z',
    },
    {
      parser: 'syslog-rfc3164',
      what: 'a process id and a day of one digit',
      line: '<30>Mar  9 06:52:01 web-1 systemd[1]: Started Session 5 of user root.',
      fields: {
        pri: '30',
        time: 'Mar  9 06:52:01',
        host: 'web-1',
        ident: 'systemd',
        pid: '1',
        message: 'Started Session 5 of user root.',
      },
      time: '2024-03-09T06:52:01.000000000Z',
    },
    {
      parser: 'syslog-rfc5424',
      what: 'the first example of the RFC',
      line: "<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - 'su root' failed for lonvick on /dev/pts/8",
      fields: {
        pri: '34',
        time: '2003-10-11T22:14:15.003Z',
        host: 'mymachine.example.com',
        ident: 'su',
        pid: '-',
        msgid: 'ID47',
        extradata: '-',
        message: "'su root' failed for lonvick on /dev/pts/8",
      },
      time: '2003-10-11T22:14:15.003000000Z',
    },
    {
      parser: 'syslog-rfc5424',
      what: 'structured data with brackets in it, and no message',
      line: '<165>1 2003-10-11T22:14:15.003Z host evntslog 12 ID47 [a@1 k="x]y"][b@1 l="\\""]',
      fields: {
        pri: '165',
        time: '2003-10-11T22:14:15.003Z',
        host: 'host',
        ident: 'evntslog',
        pid: '12',
        msgid: 'ID47',
        extradata: '[a@1 k="x]y"][b@1 l="\\""]',
      },
    },
    {
      parser: 'logfmt',
      what: 'pairs',
      line: 'at=info method=GET path=/ host=herokuapp.com',
      fields: { at: 'info', method: 'GET', path: '/', host: 'herokuapp.com' },
    },
    {
      parser: 'ltsv',
      what: 'labels',
      line: 'host:127.0.0.1\tident:-\ttime:[10/Oct/2000:13:55:36 -0700]',
      fields: { host: '127.0.0.1', ident: '-', time: '[10/Oct/2000:13:55:36 -0700]' },
    },
    {
      parser: 'json',
      what: 'an object',
      line: '{"a":1.0,"time":"x"}',
      fields: { a: 1, time: 'x' },
    },
    { parser: 'json', what: 'no array', line: '[1,2]', fields: null },
  ];
  it('take no longer for many blanks than for many letters', () => {
    const line = `::1 - - [09/Mar/2024:10:00:00 +0000] "GET ${'a '.repeat(100_000)}${' '.repeat(100_000)}`;
    for (const parser of ['apache2', 'nginx']) assert.equal(fieldsOf(builtIn(parser), line), null);
  });
  for (const { parser, what, line, fields, time } of cases) {
    it(`${parser} takes ${what}`, () => {
      assert.deepEqual(fieldsOf(builtIn(parser), line), fields);
      if (time !== undefined) assert.equal(timeOf(builtIn(parser), line), time);
    });
  }
});
