import { closeSync, openSync, writeSync } from 'node:fs';

/** Writes `lines` lines of a deterministic access log (3 % IPv6, a few host names, 0.5 %
 *  malformed) or of an NDJSON application log (nested objects, escapes, 2 % non-ASCII). */
export function generateLog(kind: 'access' | 'json', path: string, lines: number): void {
  const random = xorshift(12345);
  const line = kind === 'access' ? accessLine : jsonLine;
  const file = openSync(path, 'w', 0o600);
  let block = '';
  for (let index = 0; index < lines; index++) {
    block += `${line(index, random)}\n`;
    if (block.length > 1 << 20) {
      writeSync(file, block);
      block = '';
    }
  }
  writeSync(file, block);
  closeSync(file);
}

type Random = (below: number) => number;

function accessLine(index: number, random: Random): string {
  if (random(200) === 0) return `malformed line ${index} without the shape of a request`;
  const time = new Date(firstMs + index * 7);
  const day = String(time.getUTCDate()).padStart(2, '0');
  const stamp = `${day}/${months[time.getUTCMonth()]}/${time.getUTCFullYear()}:${time.toISOString().slice(11, 19)} +0000`;
  const bytes = random(20) === 0 ? '-' : String(random(60_000));
  const user = random(5) === 0 ? `user${random(500)}` : '-';
  const request = `${pick(methods, random)} ${pick(paths, random)}${index} HTTP/1.1`;
  return `${client(random)} - ${user} [${stamp}] "${request}" ${pick(statuses, random)} ${bytes} "${pick(referrers, random)}" "${pick(agents, random)}"`;
}

function client(random: Random): string {
  const kind = random(100);
  if (kind < 3) return `2001:db8:${random(65_536).toString(16)}::${random(4096).toString(16)}`;
  if (kind === 3) return `host-${random(1000)}.example.com`;
  return `${1 + random(223)}.${random(256)}.${random(256)}.${random(256)}`;
}

function jsonLine(index: number, random: Random): string {
  const message = pick(messages, random) + (random(50) === 0 ? ' für Zoë €' : '') + index;
  return JSON.stringify({
    time: new Date(firstMs + index * 3).toISOString(),
    level: random(5) === 0 ? 'debug' : pick(levels, random),
    service: pick(services, random),
    msg: message,
    trace_id: hex(32, random),
    span_id: hex(16, random),
    user_id: random(1_000_000),
    duration_ms: random(100_000) / 100,
    http: {
      method: pick(methods, random),
      path: pick(paths, random),
      status: pick(statuses, random),
      bytes: random(100_000),
    },
    host: `node-${random(20)}`,
  });
}

const firstMs = Date.UTC(2026, 9, 10, 13);
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const methods = ['GET', 'GET', 'GET', 'GET', 'POST', 'PUT', 'DELETE', 'HEAD'];
const paths = ['/', '/index.html?n=', '/api/v1/orders/', '/api/v1/users/', '/search?q=', '/cart/'];
const statuses = [200, 200, 200, 200, 304, 301, 404, 500, 503];
const levels = ['info', 'info', 'info', 'warn', 'error'];
const services = ['checkout', 'payments', 'catalog', 'auth', 'shipping'];
const messages = [
  'request completed ',
  'cache miss for key user:',
  'could not parse "amount" field in payload ',
  'session refreshed ',
];
const referrers = [
  '-',
  'https://www.example.com/',
  'https://www.example.org/search?q=widgets',
  'https://shop.example.com/products/list?page=2&sort=price',
];
const agents = [
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36',
  'Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0',
  'curl/8.5.0',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148',
  'odd agent (\\"quoted\\") with \\\\ escapes',
];

function pick<T>(from: readonly T[], random: Random): T {
  return from[random(from.length)]!;
}

function hex(digits: number, random: Random): string {
  let text = '';
  for (let i = 0; i < digits; i++) text += '0123456789abcdef'[random(16)];
  return text;
}

function xorshift(seed: number): Random {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return Math.floor(((state >>> 0) / 4294967296) * below);
  };
}
