import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { fieldOf } from '../../../core/batch/field.ts';
import { RepeatedDates } from '../../../core/kernel/repeated_dates.ts';
import { compileDateFormat } from '../../../core/time/date_parser.ts';
import { emptyBatch, kernelForTest, putTexts, testSource } from './batches.ts';

const kernel = kernelForTest();
const batch = emptyBatch(kernel);
const repeats = RepeatedDates.create(kernel)!;
after(() => repeats.close());

interface Read {
  readonly seconds: number;
  readonly nanos: number;
}

/** Reads the texts as the date filter does; `asked` counts those that the kernel left over. */
function readAll(format: string, texts: readonly string[]): { times: Read[]; asked: number } {
  const parser = compileDateFormat(format);
  batch.reset(testSource, 'test');
  const { starts, ends } = putTexts(batch, texts, '');
  const column = batch.column(fieldOf(['time']))!;
  starts.forEach((start, i) => {
    batch.setSpan(column, i, start, ends[i]!, 1);
    batch.seconds[i] = -1;
    batch.nanos[i] = -1;
  });
  assert.ok(repeats.begin(batch, column));
  let asked = 0;
  for (let index = 0; index < batch.count; index++) {
    index = repeats.read(index, parser.memo);
    if (index === batch.count) break;
    asked++;
    if (!parser.parseBytes(batch.bytes, starts[index]!, ends[index]!)) continue;
    batch.seconds[index] = parser.seconds;
    batch.nanos[index] = parser.nanos;
  }
  const times = texts.map((_, i) => ({ seconds: batch.seconds[i]!, nanos: batch.nanos[i]! }));
  return { times, asked };
}

function expected(format: string, texts: readonly string[]): Read[] {
  return texts.map((text) => {
    const fresh = compileDateFormat(format);
    if (!fresh.parse(text)) return { seconds: -1, nanos: -1 };
    return { seconds: fresh.seconds, nanos: fresh.nanos };
  });
}

const httpDates = [
  '10/Oct/2026:13:55:36 +0000',
  '10/Oct/2026:13:55:37 +0000',
  '10/Oct/2026:13:55:36 +0200',
  '10/Oct/2026:13:55:36 +000',
  'yesterday',
  '',
];
const isoDates = fc
  .record({
    second: fc.constantFrom('36', '37'),
    fraction: fc.constantFrom('', '.1', '.123', '.124', '.123456789', '.1234567891', '.12x', '.'),
    zone: fc.constantFrom('Z', '+02:00', '', '+0200'),
  })
  .map(({ second, fraction, zone }) => `2026-10-10T13:55:${second}${fraction}${zone}`);

test('times are those that every text alone gives', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...httpDates), { maxLength: 60 }), (texts) => {
      const format = 'dd/MMM/yyyy:HH:mm:ss Z';
      assert.deepEqual(readAll(format, texts).times, expected(format, texts));
    }),
  );
  fc.assert(
    fc.property(fc.array(isoDates, { maxLength: 60 }), (texts) => {
      assert.deepEqual(readAll('ISO8601', texts).times, expected('ISO8601', texts));
    }),
  );
});

test('a text is read once however often it stands there', () => {
  const texts = Array.from({ length: 500 }, () => httpDates[0]!);
  assert.equal(readAll('dd/MMM/yyyy:HH:mm:ss Z', texts).asked, 1);
});

test('texts that differ only in the fraction are read once, with their own fraction', () => {
  const texts = Array.from(
    { length: 500 },
    (_, i) => `2026-10-10T13:55:36.${String(i).padStart(3, '0')}Z`,
  );
  const { times, asked } = readAll('ISO8601', texts);
  assert.equal(asked, 1);
  assert.deepEqual(times[499], { seconds: 1791640536, nanos: 499_000_000 });
});

test('a text that depends on the time of reading is read every time', () => {
  const texts = ['Oct 10 13:55:36', 'Oct 10 13:55:36', 'Oct 10 13:55:36'];
  assert.equal(readAll('MMM dd HH:mm:ss', texts).asked, 3);
});
