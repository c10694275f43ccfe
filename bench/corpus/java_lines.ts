import { markSlot, stampSlots } from './line_template.ts';
import { pick, type Random, token } from './random.ts';

/** Lines of a Java application's log: every fifth record is a stack trace of 6 to 30 lines. Each
 *  line has a number of its own. */
export function javaLines(count: number, random: Random): string[] {
  const lines: string[] = [];
  while (lines.length < count) {
    const record = random(5) === 0 ? trace(random) : [plainLine(random)];
    // A record that the next copy of the template would continue.
    if (lines.length + record.length > count) record.length = 0;
    lines.push(...(record.length === 0 ? [plainLine(random)] : record));
  }
  return lines;
}

/** Whether a line begins a record. */
export function beginsJavaRecord(line: string): boolean {
  return !/^(?:\s|Caused by)/.test(line);
}

/** The lines of a container's log file as the kubelet writes them (CRI): time, stream, `F` for a
 *  whole line or `P` for a part, text. One line in 40 comes in two parts. */
export function criLines(count: number, random: Random): string[] {
  const lines: string[] = [];
  while (lines.length < count) {
    const stream = random(4) === 0 ? 'stderr' : 'stdout';
    const isSplit = random(40) === 0 && lines.length + 2 <= count;
    if (isSplit) lines.push(criLine(stream, 'P', `${plainText(random)} `));
    lines.push(criLine(stream, 'F', plainText(random)));
  }
  return lines;
}

/** Whether a CRI line ends a record. */
export function endsCriRecord(line: string): boolean {
  return / std(?:out|err) F /.test(line);
}

function criLine(stream: string, part: string, text: string): string {
  return `${stampSlots.iso_nanos}Z ${stream} ${part} ${text}${markSlot}`;
}

function plainText(random: Random): string {
  return `${pick(levels, random)} [${pick(threads, random)}-${random(32)}] ${pick(classes, random)} - ${pick(texts, random)} ${token(12, random)} `;
}

function plainLine(random: Random): string {
  return `${stampSlots.iso_millis} ${plainText(random)}${markSlot}`;
}

function trace(random: Random): string[] {
  const head = `${stampSlots.iso_millis} ERROR [${pick(threads, random)}-${random(32)}] ${pick(classes, random)} - failed ${markSlot}`;
  const lines = [
    head.replace('failed', `failed ${pick(exceptions, random)}: ${pick(texts, random)}`),
  ];
  const frames = 3 + random(12);
  for (let i = 0; i < frames; i++) lines.push(frame(random));
  if (random(2) === 0) {
    lines.push(`Caused by: ${pick(exceptions, random)}: ${pick(texts, random)} ${markSlot}`);
    for (let i = 0; i < 2 + random(8); i++) lines.push(frame(random));
    lines.push(`\t... ${frames} more ${markSlot}`);
  }
  return lines;
}

function frame(random: Random): string {
  return `\tat ${pick(classes, random)}.${pick(methods, random)}(Source.java:${markSlot})`;
}

const levels = ['INFO', 'INFO', 'INFO', 'WARN', 'DEBUG'];
const threads = ['http-nio-8080-exec', 'scheduler', 'kafka-consumer'];
const classes = [
  'com.example.shop.OrderService',
  'com.example.shop.payment.PaymentGateway',
  'org.example.web.servlet.DispatcherServlet',
  'com.example.inventory.StockRepository',
];
const methods = ['process', 'doFilterInternal', 'lambda$handle$3', 'invoke', 'executeQuery'];
const texts = ['order accepted', 'stock "low" for item', 'connection refused', 'took 12 ms'];
const exceptions = [
  'java.lang.IllegalStateException',
  'java.sql.SQLTransientConnectionException',
  'java.util.concurrent.TimeoutException',
];
