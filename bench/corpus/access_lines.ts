import { markSlot, stampSlots } from './line_template.ts';
import { pick, type Random, token } from './random.ts';

/** Lines of a combined access log, 190 bytes on average: 3 % of the clients are IPv6, 1 % host
 *  names, 4 % of the user agents are odd, and one line in 200 is malformed. */
export function accessLines(count: number, random: Random): string[] {
  return Array.from({ length: count }, () =>
    random(200) === 0 ? malformedLine(random) : accessLine(random),
  );
}

function accessLine(random: Random): string {
  const bytes = random(20) === 0 ? '-' : String(random(60_000));
  const user = random(5) === 0 ? `user${random(500)}` : '-';
  const request = `${pick(methods, random)} ${path(random)} HTTP/1.1`;
  const stamp = `[${stampSlots.apache} +0000]`;
  return `${client(random)} - ${user} ${stamp} "${request}" ${pick(statuses, random)} ${bytes} "${pick(referrers, random)}" "${agent(random)}"`;
}

function path(random: Random): string {
  const base = pick(paths, random);
  const separator = base.includes('?') ? '&' : '?';
  const query = random(3) === 0 ? `${separator}session=${token(8, random)}&r=` : `${separator}r=`;
  return `${base}${query}${markSlot}`;
}

function client(random: Random): string {
  const kind = random(100);
  if (kind < 3) return ipv6(random);
  if (kind === 3) return `host-${random(1000)}.example.com`;
  return `${1 + random(223)}.${random(256)}.${random(256)}.${random(256)}`;
}

function ipv6(random: Random): string {
  const group = (): string => random(65_536).toString(16);
  if (random(3) === 0) return `2001:db8::${group()}`;
  if (random(3) === 0) return `2001:db8:${group()}:${group()}::${group()}:${group()}`;
  return `2001:db8:${group()}:${group()}:${group()}:${group()}:${group()}:${group()}`;
}

function agent(random: Random): string {
  if (random(25) === 0) return pick(oddAgents, random);
  const version = `${90 + random(60)}.0.${random(7000)}.${random(200)}`;
  const kind = random(10);
  if (kind < 4) return `Mozilla/5.0 (${pick(systems, random)}) Chrome/${version}`;
  if (kind < 6) return `Mozilla/5.0 (X11; Linux x86_64; rv:${version}) Gecko/20100101`;
  if (kind < 8) return `curl/8.${random(12)}.${random(3)}`;
  return pick(phones, random);
}

function malformedLine(random: Random): string {
  const kind = random(4);
  if (kind === 0) return `connection reset by peer while reading ${markSlot}`;
  if (kind === 1)
    return `${client(random)} - - [${stampSlots.apache} +0000] "GET /cut?r=${markSlot}`;
  if (kind === 2) return `${markSlot}`;
  return `"" 400 0 "-" "-" ${client(random)} ${token(60, random)} ${markSlot}`;
}

const methods = ['GET', 'GET', 'GET', 'GET', 'GET', 'POST', 'PUT', 'DELETE', 'HEAD'];
const paths = [
  '/',
  '/index.html',
  '/api/v1/orders/1842',
  '/api/v1/users/77/sessions',
  '/search?q=blue+widgets',
  '/cart/items',
  '/static/js/app.4f0c2a.js',
  '/images/logo%20small.png',
];
const statuses = [200, 200, 200, 200, 200, 304, 301, 404, 500, 503];
const referrers = [
  '-',
  '-',
  'https://www.example.com/',
  'https://www.example.org/search?q=widgets',
  'https://shop.example.com/products/list?page=2&sort=price',
];
const systems = [
  'Windows NT 10.0; Win64; x64',
  'Macintosh; Intel Mac OS X 10_15_7',
  'X11; Linux x86_64',
];
const phones = [
  'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148',
  'Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/126.0.0.0 Mobile',
];
const oddAgents = [
  '-',
  'odd agent (\\"quoted\\") with \\\\ escapes',
  '',
  'Mozilla/5.0 () { :; }; /bin/true',
  'sqlmap/1.8 (https://sqlmap.example) %00%27',
  'ünïcode-bot/1.0 (+https://bot.example/münchen)',
  'python-requests/2.32.3\\tx',
];
