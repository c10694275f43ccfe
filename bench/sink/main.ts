import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { answerTo, isItemised } from './answers.ts';
import { type SinkPlan, SinkRun } from './sink_run.ts';

/** The destination of measured runs, a process of its own: `_bulk`, Loki pushes and ClickHouse
 *  inserts on one port of the loopback, which is the first line it prints.
 *
 *  `POST /_sink/plan` begins a run, `GET /_sink/progress` says how many records came,
 *  `GET /_sink/report` ends it, `GET /_sink/arrivals` has the times as doubles. */
let run = new SinkRun({ lines: 0 });

const server = createServer((request, response) => {
  const url = request.url ?? '/';
  if (url.startsWith('/_sink/')) control(url, request, response);
  else take(url, request, response);
});
// Agents keep connections for as long as they like.
server.keepAliveTimeout = 0;
server.requestTimeout = 0;
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (typeof address === 'object' && address !== null) console.log(address.port);
});
process.stdin.on('end', () => process.exit(0));
process.stdin.resume();

// hot path
function take(url: string, request: IncomingMessage, response: ServerResponse): void {
  const current = run;
  const isPush = url.includes('/loki/api/v1/push');
  const type = request.headers['content-type'] ?? '';
  const body = current.begin(isPush && type.includes('protobuf'));
  const countsLineFeeds = current.plan.countsLineFeeds === true || isItemised(url);
  request.on('data', (part: Buffer) => body.part(part, countsLineFeeds));
  request.on('end', () => {
    body.end(url);
    const answer = answerTo(request.method ?? 'GET', url, body.lineFeeds >> 1);
    const send = (): void => {
      response.writeHead(answer.status, {
        ...answer.headers,
        'content-length': Buffer.byteLength(answer.body),
      });
      response.end(answer.body);
    };
    const delayMs = current.delayMs(body.marks);
    if (delayMs > 1) setTimeout(send, delayMs);
    else send();
  });
  request.on('error', () => undefined);
}

function control(url: string, request: IncomingMessage, response: ServerResponse): void {
  if (url === '/_sink/plan') {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      // Sent by this project's own client.
      run = new SinkRun(JSON.parse(Buffer.concat(parts).toString()) as SinkPlan);
      response.end('{}');
    });
    return;
  }
  if (url === '/_sink/arrivals') {
    const { arrivals } = run;
    response.end(arrivals === undefined ? '' : Buffer.from(arrivals.buffer));
    return;
  }
  if (url === '/_sink/progress') {
    const { arrived, expectedCount: expected } = run.records;
    const { bytes, firstMs, lastMs } = run;
    response.end(JSON.stringify({ arrived, expected, bytes, firstMs, lastMs }));
    return;
  }
  response.end(JSON.stringify(run.report()));
}
