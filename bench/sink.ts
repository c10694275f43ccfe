import { createServer } from 'node:http';

/** A destination that costs almost nothing: answers every `_bulk` request with success and counts
 *  newlines. Its port is the first line it prints; `GET /count` answers `{requests, bytes, lines}`. */
const totals = { requests: 0, bytes: 0, lines: 0 };
const answer = Buffer.from('{"errors":false,"took":1}');

const server = createServer((request, response) => {
  if (request.url === '/count') {
    response.end(JSON.stringify(totals));
    return;
  }
  request.on('data', (part: Buffer) => {
    totals.bytes += part.length;
    for (let at = part.indexOf(10); at >= 0; at = part.indexOf(10, at + 1)) totals.lines++;
  });
  request.on('end', () => {
    totals.requests++;
    response.writeHead(200, {
      'content-type': 'application/json',
      'content-length': answer.length,
      'x-elastic-product': 'Elasticsearch',
    });
    response.end(answer);
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (typeof address === 'object' && address !== null) console.log(address.port);
});
