import type { Batch } from '../batch/batch.ts';
import { BatchPool } from '../batch/batch_pool.ts';
import { ByteWriter } from '../batch/byte_writer.ts';
import { fieldOf } from '../batch/field.ts';
import { JsonEventEncoder } from '../batch/json_encode.ts';
import { valueKind } from '../batch/value_kind.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { scratchSource } from './scratch_sources.ts';

/** Numbers from 0 to 1 that a seed fixes (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export interface RandomBatchOptions {
  readonly seed: number;
  readonly count: number;
  /** Tags, given in turn. */
  readonly tags: readonly string[];
  /** Names that fields get besides the usual ones. */
  readonly keys?: readonly string[];
  readonly kernel?: Kernel | undefined;
}

const usualKeys = ['log', 'message', 'level', 'time', 'status', 'host', 'tags', 'a', 'b.c', ''];
const texts = [
  '',
  ' ',
  'plain words',
  'line\none',
  '\u0000 zero',
  'grüße 日本 🎉',
  '{"a":1,"b":[{"c":null}]}',
  '{"a":',
  'key=value other="two words" flag',
  '2024-03-09T12:00:00.123456789Z',
  '1709985600',
  '-12.50e3',
  'ERROR',
  '10.0.0.1 - - [09/Mar/2024:12:00:00 +0000] "GET /x?y=1 HTTP/1.1" 200 512 "-" "curl/8"',
  '<34>1 2024-03-09T12:00:00Z host app 1 - - text',
  'x'.repeat(5000),
  '\ufffd\\"\\\\',
];

/** A batch of events of all sorts: raw lines, records, records with edits over them, empty ones.
 *  The same options give the same batch. */
export function randomBatch(options: RandomBatchOptions): Batch {
  const { count, tags, kernel } = options;
  const random = randomNumbers(options.seed);
  // A pool of one batch of its own: in the kernel's memory when there is a kernel.
  const batch = new BatchPool(kernel, 1).acquire()!;
  batch.reset(scratchSource(), tags[0]!);
  const keys = [...usualKeys, ...(options.keys ?? [])];
  let at = batch.dataStart;
  const put = (text: string): [number, number] => {
    // UTF-8 takes three bytes a character at most; `{}` is a line and a record.
    const fits = at + text.length * 3 <= batch.dataEnd;
    const length = batch.bytes.write(fits ? text : '{}', at);
    at += length;
    return [at - length, at];
  };
  for (let i = 0; i < count; i++) {
    const index = batch.addEvent(i, i + 1, 1_709_985_600 + i, Math.floor(random() * 1e9));
    batch.setTag(index, tags[i % tags.length]!);
    const shape = random();
    if (shape < 0.4) {
      const column = batch.column(fieldOf(['log']))!;
      batch.setSpan(column, index, ...put(pick(texts, random)), valueKind.text);
    } else if (shape < 0.95) batch.setRoot(index, ...put(JSON.stringify(record(keys, random))));
    if (random() < 0.3) batch.setValue(index, fieldOf([pick(keys, random)]), value(random, 2));
    if (random() < 0.1) batch.removeField(index, fieldOf([pick(keys, random)]));
  }
  batch.positionEnd = count;
  batch.select.fill(1, 0, count);
  return batch;
}

function pick<T>(from: readonly T[], random: () => number): T {
  return from[Math.floor(random() * from.length)]!;
}

function record(keys: readonly string[], random: () => number): Record<string, unknown> {
  const count = Math.floor(random() * 6);
  return Object.fromEntries(
    Array.from({ length: count }, () => [pick(keys, random), value(random, 3)]),
  );
}

function value(random: () => number, depth: number): unknown {
  const kind = Math.floor(random() * (depth > 0 ? 8 : 6));
  if (kind < 3) return pick(texts, random);
  if (kind === 3) return pick([0, -1, 1.5, 2 ** 53, 1e300, 404, 1_709_985_600], random);
  if (kind === 4) return random() < 0.5;
  if (kind === 5) return null;
  if (kind === 6) return Array.from({ length: 2 }, () => value(random, depth - 1));
  return record(['a', 'b', 'c.d', ''], random);
}

/** All there is to see of one event. */
export function eventText(batch: Batch, index: number): string {
  const out = new ByteWriter(1024);
  new JsonEventEncoder().write(batch, index, out);
  const facts = [batch.tagName(index), batch.seconds[index], batch.nanos[index]];
  return `${facts.join(' ')} ${batch.dropped[index]} ${out.view().toString()}`;
}

/** One event as an object; throws when it is not valid JSON. */
export function eventObject(batch: Batch, index: number): Record<string, unknown> {
  const out = new ByteWriter(1024);
  new JsonEventEncoder().write(batch, index, out);
  // The encoder writes one JSON object.
  return JSON.parse(out.view().toString()) as Record<string, unknown>;
}

/** Names that the options of a plugin mention: fields, as like as not. */
export function namesIn(options: unknown): string[] {
  if (typeof options === 'string') {
    return /^[^\s%{}()\\]{1,40}$/.test(options) ? [options] : [];
  }
  if (Array.isArray(options)) return options.flatMap(namesIn);
  if (typeof options !== 'object' || options === null) return [];
  return Object.entries(options).flatMap(([key, inner]) => [key, ...namesIn(inner)]);
}
