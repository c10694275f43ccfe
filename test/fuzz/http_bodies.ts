import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import type { Batch } from '../../core/batch/batch.ts';
import { fieldOf } from '../../core/batch/field.ts';
import type { Source } from '../../core/batch/source.ts';
import { isBlank, type OpenSource } from '../../core/sdk/index.ts';
import { JsonValidator } from '../../core/kernel/json_scan.ts';
import type { Kernel } from '../../core/kernel/kernel.ts';
import { systemClock } from '../../core/time/clock.ts';
import { bodyBytes } from '../../plugins/inputs/http/body_bytes.ts';
import { BodyReader } from '../../plugins/inputs/http/body_reader.ts';
import { RecordTaker, type TakerServices } from '../../plugins/inputs/http/record_taker.ts';
import { Refusal } from '../../plugins/inputs/http/refusal.ts';
import type { BodyForm } from '../../plugins/inputs/http/request_plan.ts';
import { Random } from '../model/random.ts';
import { emptyBatch, testSource } from '../unit/kernel/batches.ts';
import { checksumOf } from '../../core/buffer/segment.ts';
import type { FuzzTarget } from './targets.ts';

const recordBytesMax = 300;
const bodyBytesMax = 12_000;
/** Deeper objects may be refused for that alone. */
const depthSure = 40;
const mark = Buffer.from('\ufeff');
const lineField = fieldOf(['log']);

/** What became of a body. */
export interface BodyOutcome {
  /** Records by their index in the body. */
  readonly taken: readonly (readonly [number, string])[];
  readonly rejected: readonly number[];
  /** Why the rest was not taken. */
  readonly refusal: string | undefined;
}

/**
 * Hostile bodies for the http input: as a JSON body, as JSON lines and as text. However a body is
 * cut into pieces the outcome is the same; it is what JSON.parse says; and each record is taken or
 * refused, none twice. Compressed bodies, damaged or not, are taken or refused in words.
 */
export function httpBodies(kernel: Kernel | undefined): FuzzTarget {
  return {
    corpus: [
      '[{"a":1,"b":"x ]},{ \\" \\\\"},{"c":[1,{"d":null}]}, 7, "text", {"e":{}}]',
      '{"a":1}\n{"b":"\\u00e9"}\r\n\n  \n{"c":[]}\nnull\n{"d":1.5e3}',
      '{"a":1}{"b":2} {"c":3}\n[ {"d":4} ]',
      `[{"long":"${'x'.repeat(280)}"},{"longer":"${'y'.repeat(300)}"},{"z":0}]`,
      `first line\r\nsecond\n\n${'z'.repeat(299)}\r\n${'z'.repeat(300)}\r\n${'z'.repeat(301)}\nlast`,
      '\ufeff[{"a":1}]',
    ],
    take: async (text) => {
      const random = new Random(checksumOf([Buffer.from(text)]));
      const body = Buffer.from(text, random.chance(0.8) ? 'utf8' : 'latin1');
      for (const form of ['json', 'json_lines', 'text_lines'] as const) {
        const whole = await bodyOutcome(kernel, form, [body]);
        assert.deepEqual(await bodyOutcome(kernel, form, piecesOf(body, random)), whole, form);
        eachOnce(whole);
        compare(form, body, whole);
      }
      if (random.chance(0.1)) await compressed(kernel, body, random);
    },
  };
}

/** Reads a body into batches as the http input does. */
export async function bodyOutcome(
  kernel: Kernel | undefined,
  form: BodyForm,
  pieces: Iterable<Buffer> | AsyncIterable<Buffer>,
): Promise<BodyOutcome> {
  const batch = emptyBatch(kernel);
  const validator = new JsonValidator(kernel);
  const taken: [number, string][] = [];
  const held = { bytes: 0, bytesMax: 1e6 };
  const taker = new RecordTaker(services(batch, validator, taken), openSource, 'test', form);
  let refusal: string | undefined;
  try {
    await BodyReader.read(iterated(pieces), form, taker, { recordBytesMax, held });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    assert.ok(error.status >= 400 && error.status < 500, `${error.status} ${error.message}`);
    refusal = error.message;
  } finally {
    validator.close();
  }
  assert.equal(held.bytes, 0, 'what was held is given back');
  assert.equal(taker.accepted, taken.length);
  const rejected = taker.rejections.listed.map(({ index }) => index);
  // The record at which a JSON body is wrong is neither.
  const others = taker.found - taken.length - taker.rejections.count;
  assert.ok(others === 0 || (others === 1 && refusal !== undefined), `${others} without outcome`);
  return { taken, rejected, refusal };
}

async function* iterated(pieces: Iterable<Buffer> | AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  yield* pieces;
}

const openSource: OpenSource = {
  ...testSource,
  resumePosition: 0,
  settledPosition: () => 0,
  close: () => undefined,
} as Source & OpenSource;

function services(
  batch: Batch,
  validator: JsonValidator,
  taken: [number, string][],
): TakerServices {
  return {
    emitter: {
      batch: async (source) => {
        batch.reset(source, 'test');
        return batch;
      },
      emit: async () => {
        for (let i = 0; i < batch.count; i++) {
          const text =
            batch.rootKind[i] === 0
              ? String(batch.textAt(i, lineField))
              : batch.bytes.toString('utf8', batch.rootStart[i]!, batch.rootEnd[i]!);
          taken.push([batch.offset[i]!, text]);
        }
      },
      discard: () => undefined,
    },
    clock: { ...systemClock, after: () => () => undefined },
    validator,
    lineField,
    tagField: undefined,
    recordBytesMax,
    busyTimeoutMs: 1000,
    invalidTexts: { value: 0 },
    hasEnded: () => false,
  };
}

function piecesOf(body: Buffer, random: Random): Buffer[] {
  const pieces: Buffer[] = [];
  const most = random.pick([1, 3, 40, 400]);
  // Few of one byte: each is a turn of its own.
  for (let at = 0; at < body.length; ) {
    const end = pieces.length > 300 ? body.length : at + 1 + random.below(most);
    pieces.push(body.subarray(at, end));
    at = end;
  }
  return pieces;
}

function eachOnce({ taken, rejected }: BodyOutcome): void {
  const indices = [...taken.map(([index]) => index), ...rejected];
  assert.equal(new Set(indices).size, indices.length, 'a record has two outcomes');
}

/** Compares with what JSON.parse makes of the body. */
function compare(form: BodyForm, body: Buffer, outcome: BodyOutcome): void {
  const bytes = body.subarray(0, 3).equals(mark) ? body.subarray(3) : body;
  if (form === 'json') compareJson(bytes, outcome);
  else compareLines(form, bytes, outcome);
}

function compareJson(bytes: Buffer, outcome: BodyOutcome): void {
  for (const [, text] of outcome.taken) assert.ok(isObject(parsed(text)), `taken: ${text}`);
  const text = bytes.toString();
  const value = parsed(text);
  const isUtf8 = Buffer.from(text).equals(bytes);
  if (value === undefined || !isUtf8 || depthOf(text) > depthSure) return;
  const values = Array.isArray(value) ? value : [value];
  assert.equal(outcome.refusal, undefined, 'a whole body is refused');
  // What stands around values does not count, so their size is known from below alone.
  const isSmall = (one: unknown) => JSON.stringify(one).length * 6 < recordBytesMax;
  const taken = new Map(outcome.taken.map(([index, text]) => [index, parsed(text)]));
  for (const [index, one] of values.entries()) {
    if (!isObject(one)) assert.ok(!taken.has(index), 'no object, but taken');
    else if (isSmall(one) && text.length < recordBytesMax) assert.ok(taken.has(index), 'refused');
    if (taken.has(index)) assert.deepEqual(taken.get(index), one);
  }
}

function compareLines(form: BodyForm, bytes: Buffer, outcome: BodyOutcome): void {
  assert.equal(outcome.refusal, undefined, 'lines are taken one by one');
  const lines = bytes
    .toString('latin1')
    .split('\n')
    .map((line) => Buffer.from(line.endsWith('\r') ? line.slice(0, -1) : line, 'latin1'))
    .filter((line) => line.length > 0)
    // Those too large are looked at no further.
    .filter((l) => form === 'text_lines' || l.length > recordBytesMax || !isBlank(l, 0, l.length));
  const taken = new Map(outcome.taken);
  for (const [index, line] of lines.entries()) {
    const text = line.toString();
    const isTaken = taken.has(index);
    if (line.length > recordBytesMax) assert.ok(!isTaken, 'a large one is taken');
    else if (form === 'text_lines') assert.equal(taken.get(index), text);
    else if (depthOf(text) <= depthSure) {
      const fits = Buffer.from(text).equals(line) && isObject(parsed(text));
      assert.equal(isTaken, fits, text);
    }
    if (isTaken) assert.equal(taken.get(index), text);
  }
  assert.equal(
    outcome.taken.some(([index]) => index >= lines.length),
    false,
    'none is made up',
  );
}

/** A compressed body that may be damaged, cut, or followed by something. */
async function compressed(kernel: Kernel | undefined, body: Buffer, random: Random): Promise<void> {
  const plain = random.chance(0.2) ? Buffer.concat(Array(9).fill(body)) : body;
  const sent = gzipSync(plain);
  const damage = random.below(4);
  if (damage === 1) sent[random.below(sent.length)]! ^= 1 + random.below(255);
  const bytes = damage === 2 ? sent.subarray(0, random.below(sent.length)) : sent;
  const tail = damage === 3 ? [body.subarray(0, 5)] : [];
  const pieces = [...piecesOf(bytes, random), ...tail];
  const request = Object.assign(Readable.from(pieces, { objectMode: false }), { complete: true });
  const limits = { sentBytesMax: 6000, bytesMax: bodyBytesMax, idleMs: 60_000 };
  const inflated = bodyBytes(request as unknown as IncomingMessage, true, limits, systemClock);
  const form = random.pick(['json', 'json_lines', 'text_lines'] as const);
  const outcome = await bodyOutcome(kernel, form, inflated);
  if (damage !== 0 || bytes.length > 6000 || plain.length > bodyBytesMax) return;
  assert.deepEqual(outcome, await bodyOutcome(kernel, form, [plain]), 'compressed, it is another');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** At most as deep as there are brackets that open. */
function depthOf(text: string): number {
  return text.replace(/[^[{]/g, '').length;
}
