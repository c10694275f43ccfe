import { type Certificate, makeCertificate } from '../engine/certificates.ts';
import {
  bulk,
  empty,
  type Misdeed,
  raw,
  type ServerFault,
  silence,
  status,
  text,
} from './faulty_server.ts';

/** A destination that is well, has a fault for a while, and is well again. */
export interface PassingFault {
  readonly name: string;
  readonly plugin: 'http' | 'elasticsearch' | 'loki';
  readonly fault: ServerFault;
  /** What `/readyz` must say about it. */
  readonly reason: RegExp;
  readonly isTls?: boolean;
}

/** An output whose destination never was well. */
export interface LastingFault {
  readonly name: string;
  /** Options of the output; `PORT` stands for the port of the server. */
  readonly options: string;
  readonly answer: Misdeed;
  readonly reason: RegExp;
}

export const authority = makeCertificate('the authority');
export const serverCertificate = makeCertificate('the server', authority);

const half = 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"took"';
const statusFaults = [401, 403, 404, 407, 408, 429, 500, 502, 503, 504];

export const passingFaults: readonly PassingFault[] = [
  http('nobody listens', { isGone: true }, /ECONNREFUSED/),
  http('hangs up on everybody', { meet: (socket) => socket.destroy() }, /closed before/),
  http('resets every connection', { meet: (socket) => socket.resetAndDestroy() }, /closed before/),
  http('takes requests and says nothing', { misdeed: silence }, /not answered for \d+ s/),
  http('hangs up after the request', { misdeed: raw('') }, /closed before/),
  http('half of a head', { misdeed: raw('HTTP/1.1 200 OK\r\ncontent-le') }, /closed before|HTTP/),
  http('half of a body, then the end', { misdeed: raw(half) }, /closed before/),
  http('half of a body, then a reset', { misdeed: raw(half, 'reset') }, /closed before/),
  http('half of a body, then nothing', { misdeed: raw(half, 'silence') }, /not answered for/),
  http('garbage', { misdeed: raw('\x00\x01 garbage \r\n\r\n') }, /is not HTTP/),
  http(
    'a head without end',
    { misdeed: raw(`HTTP/1.1 200 OK\r\na: ${'x'.repeat(200_000)}\r\n\r\n`) },
    /is not HTTP|overflow/i,
  ),
  ...statusFaults.map((code) =>
    http(`status ${code}`, { misdeed: status(code) }, new RegExp(`status ${code}`)),
  ),
  http('busy for two seconds', { misdeed: status(503, { 'retry-after': '2' }) }, /status 503/),
  http('moved', { misdeed: status(301, { location: 'http://127.0.0.2/' }) }, /redirect to http/),
  http('moved for good', { misdeed: status(308, { location: '/there' }) }, /redirect to \/there/),
  tls('a certificate that expired', makeCertificate('late', authority, { isExpired: true })),
  tls('a certificate of itself', makeCertificate('the server')),
  tls('a certificate of elsewhere', makeCertificate('else', authority, { isElsewhere: true })),
  elasticsearch('an answer that is no JSON', text('<html>hello</html>')),
  elasticsearch('an answer without items', text('{"took":1}')),
  elasticsearch('an answer with an item too few', bulk(201, 1)),
  elasticsearch('every item is refused for now', bulk(429)),
  elasticsearch('every shard is missing', bulk(503)),
  elasticsearch('half of an answer', raw(half)),
  { name: 'Loki is too busy', plugin: 'loki', fault: { misdeed: status(429) }, reason: /429/ },
  { name: 'Loki is starting', plugin: 'loki', fault: { misdeed: status(503) }, reason: /503/ },
];

export const lastingFaults: readonly LastingFault[] = [
  {
    name: 'a name that does not resolve',
    options: 'name: http, host: nothing.invalid, port: 80',
    answer: empty,
    reason: /ENOTFOUND|EAI_AGAIN/,
  },
  {
    name: 'a server without TLS',
    options: 'name: http, host: 127.0.0.1, port: PORT, tls: on',
    answer: empty,
    reason: /TLS failed/,
  },
  {
    name: 'a ClickHouse without the table',
    options: 'name: clickhouse, host: 127.0.0.1, port: PORT, table: t',
    answer: clickHouse(404, 60, 'Table default.t does not exist. (UNKNOWN_TABLE)'),
    reason: /does not exist|UNKNOWN_TABLE/,
  },
  {
    name: 'a ClickHouse that does not know us',
    options: 'name: clickhouse, host: 127.0.0.1, port: PORT, table: t',
    answer: clickHouse(403, 516, 'Authentication failed. (AUTHENTICATION_FAILED)'),
    reason: /Authentication failed|AUTHENTICATION_FAILED/,
  },
  {
    name: 'a ClickHouse without memory',
    options: 'name: clickhouse, host: 127.0.0.1, port: PORT, table: t',
    answer: clickHouse(500, 241, 'Memory limit (total) exceeded. (MEMORY_LIMIT_EXCEEDED)'),
    reason: /Memory limit|MEMORY_LIMIT/,
  },
  {
    name: 'a directory that is a file',
    options: 'name: file, path: pipeline.yaml, file: out',
    answer: empty,
    reason: /is a file, not a directory/,
  },
  {
    name: 'records that wait too long',
    options: 'name: http, host: 127.0.0.1, port: PORT, batch: {records: 1}',
    answer: (_request, response) => {
      setTimeout(() => response.writeHead(200).end(), 1500);
    },
    reason: /oldest unacknowledged record is \d+ s old/,
  },
];

function http(name: string, fault: ServerFault, reason: RegExp): PassingFault {
  return { name, plugin: 'http', fault, reason };
}

function tls(name: string, certificate: Certificate): PassingFault {
  return { name, plugin: 'http', fault: { certificate }, reason: /TLS failed/, isTls: true };
}

function elasticsearch(name: string, misdeed: Misdeed): PassingFault {
  return { name, plugin: 'elasticsearch', fault: { misdeed }, reason: /./ };
}

function clickHouse(code: number, exception: number, message: string): Misdeed {
  return (_request, response) => {
    response.writeHead(code, { 'x-clickhouse-exception-code': `${exception}` });
    response.end(`Code: ${exception}. DB::Exception: ${message}\n`);
  };
}
