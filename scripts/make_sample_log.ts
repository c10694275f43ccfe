import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from './project_root.ts';

/** Writes `pipelines/quickstart/sample/access.log`: one day of a web server that does not exist,
 *  the same bytes every time. Networks belong to registries, universities and providers, so that
 *  they have countries; the hosts in them are made up. */
const lineCount = 3000;
/** 2026-05-12 00:00:00 UTC. */
const dayStartSeconds = 1_778_544_000;

const networks = [
  '131.188',
  '18.10',
  '133.11',
  '129.132',
  '143.107',
  '128.100',
  '150.203',
  '130.237',
  '193.0.6',
  '147.83',
  '130.89',
  '202.12.29',
  '143.248',
  '140.112',
  '196.216.2',
  '152.66',
  '193.136',
  '147.32',
];
const networksSix = [
  '2001:67c:2e8',
  '2001:638:a000',
  '2001:620:8',
  '2001:200:167',
  '2001:388:1000',
];
const browsers = [
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/136.0.0.0 Safari/537.36',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.4 Mobile/15E148 Safari/604.1',
  'Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/136.0.0.0 Mobile Safari/537.36',
  'Mozilla/5.0 (X11; Linux x86_64; rv:138.0) Gecko/20100101 Firefox/138.0',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.4 Safari/605.1.15',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:138.0) Gecko/20100101 Firefox/138.0',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/136.0.0.0 Safari/537.36 Edg/136.0.0.0',
];
const bots: readonly (readonly [string, string])[] = [
  ['66.249.66', 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)'],
  ['157.55.39', 'Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)'],
  ['51.222.253', 'Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)'],
];
const probeAgents = ['-', 'python-requests/2.31.0', 'Mozilla/5.0 zgrab/0.x', 'curl/8.5.0'];
const pages = [
  '/',
  '/products',
  '/products/espresso-machine',
  '/products/grinder',
  '/blog/better-coffee',
  '/products/kettle',
  '/about',
  '/blog/water-and-taste',
  '/cart',
  '/contact',
  '/blog/latte-art',
];
const assets = [
  '/assets/app.3f9c1.js',
  '/assets/site.88a0b.css',
  '/assets/logo.svg',
  '/assets/hero.webp',
  '/favicon.ico',
  '/assets/fonts/inter.woff2',
];
const probePaths = [
  '/wp-login.php',
  '/.env',
  '/phpmyadmin/index.php',
  '/.git/config',
  '/cgi-bin/luci',
];
const words = ['coffee', 'grinder', 'beans', 'filter', 'espresso', 'milk', 'kettle', 'scale'];

const random = generator(20_260_512);
const clients = makeClients();
const lines = requestTimes().map((seconds) => lineAt(seconds));
addOddLines(lines);
writeFileSync(
  join(projectRoot(), 'pipelines', 'quickstart', 'sample', 'access.log'),
  `${lines.join('\n')}\n`,
);

/** Quiet at night, busiest in the afternoon, with a short burst in the evening. */
function requestTimes(): number[] {
  const times: number[] = [];
  while (times.length < lineCount) {
    const second = Math.floor(random() * 86_400);
    const hour = second / 3600;
    const curve = 0.15 + 0.85 * Math.max(0, Math.sin(((hour - 5) / 18) * Math.PI));
    const isBurst = hour > 20.2 && hour < 20.35;
    if (random() < curve || isBurst) times.push(dayStartSeconds + second);
  }
  return times.sort((a, b) => a - b);
}

interface Client {
  readonly address: string;
  readonly agent: string;
  readonly kind: 'person' | 'bot' | 'probe' | 'monitor';
}

function lineAt(seconds: number): string {
  const client = pick(clients);
  const { method, path, status, bytes } = requestOf(client);
  const referrer = refererOf(client, path);
  const user = path.startsWith('/admin') && status === 200 ? 'maria' : '-';
  const request = `${method} ${path} HTTP/${random() < 0.7 ? '2.0' : '1.1'}`;
  const size = status === 304 || status === 204 ? '-' : String(bytes);
  return `${client.address} - ${user} [${accessTime(seconds)}] "${request}" ${status} ${size} "${referrer}" "${client.agent}"`;
}

/** Clients come back: a few hundred make all requests. Those at the front come most. */
function makeClients(): readonly Client[] {
  return Array.from({ length: 400 }, (_, index): Client => {
    if (index % 40 === 7) {
      return { address: '192.0.2.10', agent: 'Prometheus-Blackbox/0.25', kind: 'monitor' };
    }
    if (index % 12 === 5) {
      const [network, agent] = pick(bots);
      return { address: host(network), agent, kind: 'bot' };
    }
    if (index % 25 === 3)
      return { address: host(pick(networks)), agent: pick(probeAgents), kind: 'probe' };
    const isSix = random() < 0.18;
    return {
      address: isSix ? hostSix(pick(networksSix)) : host(pick(networks)),
      agent: pick(browsers),
      kind: 'person',
    };
  });
}

interface Request {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly bytes: number;
}

function requestOf(client: Client): Request {
  const bytes = Math.floor(400 + random() ** 3 * 180_000);
  if (client.kind === 'monitor') return { method: 'GET', path: '/healthz', status: 200, bytes: 2 };
  if (client.kind === 'probe') {
    return { method: 'GET', path: pick(probePaths), status: 404, bytes: 162 };
  }
  if (random() < 0.008)
    return { method: 'GET', path: pick(pages), status: pick([500, 502, 503]), bytes: 559 };
  if (random() < 0.03) {
    return { method: 'GET', path: `/blog/${pick(words)}-${pick(words)}`, status: 404, bytes: 1245 };
  }
  if (client.kind === 'bot')
    return { method: 'GET', path: pick(pages), status: pick([200, 200, 200, 304]), bytes };
  const kind = random();
  if (kind < 0.06) {
    const path = `/search?q=${pick(words)}%20${pick(words)}&page=${Math.ceil(random() * 4)}`;
    return { method: 'GET', path, status: 200, bytes };
  }
  if (kind < 0.1) {
    return { method: 'POST', path: '/api/cart', status: pick([201, 201, 201, 422]), bytes: 312 };
  }
  if (kind < 0.12) {
    return { method: 'POST', path: '/login', status: pick([302, 302, 401]), bytes: 0 };
  }
  if (kind < 0.13)
    return { method: 'GET', path: '/admin/orders', status: pick([200, 403]), bytes: 8123 };
  if (kind < 0.45) {
    return { method: 'GET', path: pick(assets), status: random() < 0.4 ? 304 : 200, bytes };
  }
  return { method: 'GET', path: pick(pages), status: random() < 0.05 ? 301 : 200, bytes };
}

function refererOf(client: Client, path: string): string {
  if (client.kind !== 'person' || random() < 0.35) return '-';
  if (path.startsWith('/assets')) return `https://shop.example${pick(pages)}`;
  return random() < 0.6
    ? `https://shop.example${pick(pages)}`
    : pick(['https://www.google.com/', 'https://duckduckgo.com/', 'https://news.ycombinator.com/']);
}

/** What every real log has: lines that no pattern takes, and requests that were no HTTP. */
function addOddLines(all: string[]): void {
  const stamp = accessTime(dayStartSeconds + 43_200);
  const odd = [
    `${host('198.20.69')} - - [${stamp}] "\\x16\\x03\\x01\\x00\\xEE\\x01" 400 157 "-" "-"`,
    `${host('80.82.77')} - - [${stamp}] "-" 408 0 "-" "-"`,
    '2026/05/12 03:12:44 [error] 1187#1187: *20311 connect() failed (111: Connection refused)',
    `${host('131.188.3')} - - [${stamp}] "GET /blog/caf\u00e9 HTTP/1.1" 200 5120 "-" "Mozilla/5.0 (\u7f51\u9875) \u{1f980}"`,
    'nginx: worker process exited on signal 9',
    `${host('129.132.1')} - - [12/May/2026:09:`,
    '',
    `${host('133.11.9')} - - [${stamp}] "GET /search?q=%22quoted%22 HTTP/1.1" 200 991 "-" "curl/8.5.0 \\"quoted\\""`,
  ];
  for (const [index, line] of odd.entries()) {
    all.splice(Math.floor(((index + 0.5) / odd.length) * all.length), 0, line);
  }
}

function accessTime(seconds: number): string {
  const [, day, month, year, time] = /, (\d+) (\w+) (\d+) ([\d:]+)/.exec(
    new Date(seconds * 1000).toUTCString(),
  )!;
  return `${day}/${month}/${year}:${time} +0000`;
}

function host(network: string): string {
  let address = network;
  while (address.split('.').length < 4) address += `.${Math.floor(1 + random() * 253)}`;
  return address;
}

function hostSix(network: string): string {
  const group = () => Math.floor(random() * 0xffff).toString(16);
  return `${network}:${group()}::${group()}`;
}

/** Favours the front of a list, as popularity does. */
function pick<T>(list: readonly T[]): T {
  return list[Math.floor(random() ** 1.7 * list.length)]!;
}

/** Mulberry32: small, and the same on every machine. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
