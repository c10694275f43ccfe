import { markSlot, stampSlots } from './line_template.ts';
import { hexDigits, pick, type Random } from './random.ts';

/** Lines of an application's log as NDJSON, 325 bytes on average: nested objects, escapes in every
 *  fourth message, 2 % with text beyond ASCII, a fifth at level debug. */
export function applicationLines(count: number, random: Random): string[] {
  return Array.from({ length: count }, () => applicationLine(random));
}

/** Whether a line is one that S2 drops. */
export function isDebugLine(line: string): boolean {
  return line.includes('"level":"debug"');
}

function applicationLine(random: Random): string {
  const foreign = random(50) === 0 ? ` ${pick(foreignTexts, random)}` : '';
  return JSON.stringify({
    time: `${stampSlots.iso_millis}Z`,
    level: random(5) === 0 ? 'debug' : pick(levels, random),
    service: pick(services, random),
    msg: `${pick(messages, random)}${foreign} ${markSlot}`,
    trace_id: hexDigits(32, random),
    span_id: hexDigits(16, random),
    user_id: random(1_000_000),
    duration_ms: random(100_000) / 100,
    http: {
      method: pick(methods, random),
      path: `${pick(paths, random)}${random(10_000)}`,
      status: pick(statuses, random),
      bytes: random(100_000),
    },
    host: `node-${random(20)}`,
  });
}

const methods = ['GET', 'GET', 'GET', 'POST', 'PUT'];
const paths = ['/api/v1/orders/', '/api/v1/users/', '/cart/'];
const statuses = [200, 200, 200, 304, 404, 500];
const levels = ['info', 'info', 'info', 'warn', 'error'];
const services = ['checkout', 'payments', 'catalog', 'auth', 'shipping'];
const messages = [
  'request completed',
  'cache miss for key user:profile',
  'could not parse "amount" field in payload',
  'session refreshed',
  'read C:\\data\\orders\n\tat the second line',
  'upstream answered late',
  'retrying the call to inventory',
];
const foreignTexts = ['für Zoë €', '注文が完了しました', 'готово ✓', '😀 emoji'];
