import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Batch } from '../../../core/batch/batch.ts';
import { ByteWriter } from '../../../core/batch/byte_writer.ts';
import { EventView } from '../../../core/batch/event_view.ts';
import { fieldOf } from '../../../core/batch/field.ts';
import { JsonEventEncoder } from '../../../core/batch/json_encode.ts';
import type { Kernel } from '../../../core/kernel/kernel.ts';
import { emptyBatch, kernelForTest, putTexts } from '../kernel/batches.ts';

type Edit = (view: EventView) => void;

const kernel = kernelForTest();
const names = ['client', 'verb', 'path', 'status', 'agent'];

/** Events of lines with a column for each word, `-` for none. */
function batchOf(lines: readonly string[], at: Kernel | undefined): Batch {
  const batch = emptyBatch(at);
  const { starts } = putTexts(batch, lines);
  for (const [index, line] of lines.entries()) {
    let start = starts[index]!;
    for (const [i, word] of line.split(' ').entries()) {
      const end = start + Buffer.byteLength(word);
      const column = batch.column(fieldOf([names[i % names.length]!]))!;
      if (word !== '-') batch.setSpan(column, index, start, end, 1);
      start = end + 1;
    }
  }
  return batch;
}

function recordsOf(batch: Batch): string[] {
  const encoder = new JsonEventEncoder();
  return Array.from({ length: batch.count }, (_, index) => {
    const out = new ByteWriter();
    encoder.write(batch, index, out);
    return out.view().toString();
  });
}

function fieldNamed(reference: string) {
  return reference.startsWith('[')
    ? fieldOf(reference.slice(1, -1).split(']['))
    : fieldOf([reference]);
}

/** What the edits make of the lines: by the kernel in one go, and event by event without it. */
function edited(
  lines: readonly string[],
  edits: readonly Edit[],
  at: Kernel | undefined,
): string[] {
  const batch = batchOf(lines, at);
  const view = new EventView(fieldNamed, new ByteWriter(), at);
  if (at !== undefined) view.begin(batch);
  for (let index = 0; index < batch.count; index++) {
    try {
      edits[index % edits.length]!(view.at(batch, index));
    } catch {
      view.settle();
      batch.addMark(index, '_failed');
    }
  }
  if (at !== undefined) view.end();
  view.close();
  return recordsOf(batch);
}

function assertSame(lines: readonly string[], edits: readonly Edit[]): void {
  assert.deepEqual(edited(lines, edits, kernel), edited(lines, edits, undefined));
}

const words = [
  'GET',
  'HEAD',
  '10.0.0.1',
  '-',
  '200',
  '"quoted\\"',
  'ünïcode',
  'a\tb',
  'long'.repeat(40),
];
const line = fc
  .array(fc.constantFrom(...words), { minLength: 1, maxLength: 5 })
  .map((parts) => parts.join(' '));
const key = fc.constantFrom(...names, 'outcome', 'ü', '7', 'toJSON', '__proto__', 'a"b');
const value = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom<unknown>('GET', '200', '', 'ü', '\ud800', 'x'.repeat(300)),
  fc.constantFrom<unknown>(0, -0, 1.5, Number.NaN, 1e21, true, false, null, undefined),
  fc.constantFrom<unknown>({ a: [1] }, [], () => 1, Symbol('s'), { toJSON: () => 'j' }),
);
const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.tuple(key, value).map(
    ([k, v]): Edit =>
      (view) =>
        view.set(k, v),
  ),
  fc.tuple(key, key).map(
    ([from, to]): Edit =>
      (view) =>
        view.rename(from, to),
  ),
  fc.tuple(key, key).map(
    ([from, to]): Edit =>
      (view) => {
        if (view.has(from)) view.set(to, view.get(from));
      },
  ),
  key.map(
    (k): Edit =>
      (view) =>
        view.remove(k),
  ),
  fc.constant<Edit>((view) => view.set('[nested][key]', 1)),
  fc.constant<Edit>((view) => view.addMark('seen')),
  fc.tuple(key, key, value).map(
    ([taken, added, v]): Edit =>
      (view) => {
        const { [taken]: one, ...rest } = view.toObject();
        if (one !== undefined) rest[`${taken}_before`] = one;
        Object.defineProperty(rest, added, { value: v, enumerable: true, configurable: true });
        view.replace(rest);
      },
  ),
  fc.constant<Edit>((view) => view.replace(view.toObject())),
);

describe('EventView', () => {
  it('makes the same records of any edits with the kernel, batch by batch, as without', () => {
    fc.assert(
      fc.property(
        fc.array(line, { minLength: 1, maxLength: 60 }),
        fc.array(fc.array(edit, { maxLength: 5 }), { minLength: 1, maxLength: 4 }),
        (lines, plans) => {
          const edits = plans.map(
            (plan): Edit =>
              (view) => {
                for (const one of plan) one(view);
              },
          );
          assertSame(lines, edits);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('gives an object the members of the columns, in their order', () => {
    const lines = Array.from({ length: 40 }, (_, i) => `10.0.0.${i} GET /path/${i} 200 curl`);
    const batch = batchOf(lines, kernel);
    const view = new EventView(fieldNamed, new ByteWriter(), kernel);
    view.begin(batch);
    const objects = lines.map((_, index) => view.at(batch, index).toObject());
    view.end();
    view.close();
    for (const [i, object] of objects.entries()) {
      const [client, verb, path, status, agent] = lines[i]!.split(' ');
      assert.deepEqual(object, { client, verb, path, status, agent });
      assert.deepEqual(Object.keys(object), names);
    }
  });

  it('takes no value of another event for one of this', () => {
    const lines = Array.from({ length: 40 }, (_, i) => (i % 2 ? 'a GET' : 'b HEAD /only/here'));
    assertSame(lines, [
      (view) => view.replace(view.toObject()),
      (view) => view.replace({ ...view.toObject(), path: '/only/here' }),
    ]);
  });

  it('takes no value of an earlier batch for one of this', () => {
    const view = new EventView(fieldNamed, new ByteWriter(), kernel);
    const whole = Array.from({ length: 20 }, () => 'a GET /only/here');
    const parts = Array.from({ length: 20 }, () => `b ${'XYZ'.repeat(20)}`);
    let records: string[] = [];
    for (const lines of [whole, parts, whole, parts]) {
      const batch = batchOf(lines, kernel);
      view.begin(batch);
      for (let index = 0; index < batch.count; index++) {
        view.at(batch, index).replace({ ...view.toObject(), path: '/only/here' });
      }
      view.end();
      records = recordsOf(batch);
    }
    view.close();
    assert.deepEqual(
      new Set(records),
      new Set([JSON.stringify({ client: 'b', verb: 'XYZ'.repeat(20), path: '/only/here' })]),
    );
  });

  it('leaves an event as it was when what replaces it throws', () => {
    const bad = {
      a: 'b',
      get c(): string {
        throw new Error('no');
      },
    };
    assertSame(['x y z', 'x y z'], [(view) => view.replace(bad), (view) => view.replace({ n: 1 })]);
  });

  it('leaves an event as it was when what replaces it is no object', () => {
    const notObjects: unknown[] = [
      { toJSON: () => 1 },
      [1],
      'text',
      null,
      { toJSON: () => undefined },
    ];
    for (const bad of notObjects) {
      // A caller without types.
      const replace: Edit = (view) => view.replace(bad as Record<string, unknown>);
      const lines = ['x y z', 'x y z'];
      assertSame(lines, [replace]);
      const [record] = edited(lines, [replace], kernel);
      const kept = { client: 'x', verb: 'y', path: 'z', tags: ['_failed'] };
      assert.deepEqual(JSON.parse(record!), kept);
    }
  });

  it('makes records of more than there is room for', () => {
    const long = 'z'.repeat(8000);
    const lines = Array.from({ length: 60 }, (_, i) => `${i} GET /${long}`);
    const twice: Edit = (view) => {
      view.replace(view.toObject());
      view.replace({ ...view.toObject(), again: 'yes' });
    };
    assertSame(lines, [twice, (view) => view.replace({ ...view.toObject(), one: 'more' })]);
  });

  it('goes on when keys are made of data', () => {
    const lines = Array.from({ length: 1300 }, (_, i) => `${i} GET`);
    assertSame(lines, [
      (view) => {
        const { client, ...rest } = view.toObject();
        view.replace({ ...rest, [`key_${client}`]: 'x' });
      },
    ]);
  });

  it('sees at once what replaced the event', () => {
    assertSame(
      Array.from({ length: 20 }, () => 'a GET /x 200'),
      [
        (view) => {
          view.replace({ ...view.toObject(), more: 'm' });
          view.set('seen', view.get('more'));
          view.rename('verb', 'method');
          view.replace({ ...view.toObject(), last: view.has('path') });
        },
      ],
    );
  });
});
