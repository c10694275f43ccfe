import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Batch } from '../../../core/batch/batch.ts';
import { fieldOf } from '../../../core/batch/field.ts';
import { valueKind } from '../../../core/batch/value_kind.ts';
import { CriLines } from '../../../core/kernel/cri_lines.ts';
import { ContainerLine, LineTime } from '../../../plugins/shared/multiline/container_line.ts';
import { emptyBatch, kernelForTest } from './batches.ts';

const kernel = kernelForTest();

/** What the kernel makes of lines, and how many of them it takes. */
function take(lines: readonly string[], eventsMax = 2048): { batch: Batch; taken: number } {
  const batch = emptyBatch(kernel);
  const column = (name: string) => batch.column(fieldOf([name]))!;
  const columns = {
    time: column('time'),
    stream: column('stream'),
    mark: column('_p'),
    log: column('log'),
  };
  const spans = { starts: batch.memberLists, ends: batch.rootEnd };
  let at = batch.dataStart;
  lines.forEach((line, i) => {
    spans.starts[i] = at;
    at += batch.bytes.write(`${line}\n`, at);
    spans.ends[i] = at - 1;
  });
  const cri = CriLines.create(kernel)!;
  try {
    const block = { ...spans, count: lines.length, behind: at, base: 1000 - batch.dataStart };
    assert.ok(cri.begin(batch, columns, block));
    return { batch, taken: cri.take(batch, 0, eventsMax) };
  } finally {
    cri.close();
  }
}

/** What the assembler makes of a line that is a whole record; undefined for others. */
function reference(line: string): unknown {
  const bytes = Buffer.from(line);
  const found = new ContainerLine();
  const time = new LineTime();
  if (!found.readCri(bytes, 0, bytes.length) || found.isPartial) return undefined;
  if (!time.read(bytes, found.timeStart, found.timeEnd)) return undefined;
  const text = (from: number, to: number) => bytes.toString('utf8', from, to);
  return {
    time: text(found.timeStart, found.timeEnd),
    stream: text(found.streamStart, found.streamEnd),
    mark: text(found.markAt, found.markAt + 1),
    log: text(found.logStart, found.logEnd),
    seconds: time.seconds,
    nanos: time.nanos,
  };
}

function check(lines: readonly string[]): number {
  const { batch, taken } = take(lines);
  assert.equal(batch.count, taken);
  let offset = 1000;
  for (let i = 0; i < taken; i++) {
    const [time, stream, mark, log] = batch.columns.map(({ start, end, kind }) => {
      assert.equal(kind[i], valueKind.text);
      return batch.bytes.toString('utf8', start[i], end[i]);
    });
    const { seconds, nanos } = batch;
    const event = { time, stream, mark, log, seconds: seconds[i], nanos: nanos[i] };
    assert.deepEqual(event, reference(lines[i]!), lines[i]);
    const bytes = Buffer.byteLength(lines[i]!) + 1;
    assert.deepEqual([batch.offset[i], batch.offsetEnd[i]], [offset, offset + bytes]);
    offset += bytes;
  }
  return taken;
}

test('whole lines of containers become the records that the assembler makes of them', () => {
  const lines = [
    '2024-05-01T10:00:00.123456789Z stdout F hello',
    '2024-02-29T23:59:60.5+02:00 stderr F {"a": "b"}',
    '1999-12-31T23:59:59-11:30 stdout F ',
    '2024-05-01T10:00:00.1234567891234Z stderr F',
    '9999-01-01T00:00:00Z stdout F grüße  two blanks',
  ];
  assert.equal(check(lines), lines.length);
});

test('the kernel leaves what is not a whole record in the usual form', () => {
  const whole = '2024-05-01T10:00:00Z stdout F x';
  for (const other of [
    '',
    '2024-05-01T10:00:00Z stdout P part',
    '2024-05-01T10:00:00Z stdout F:x y',
    '2024-05-01T10:00:00Z stdin F x',
    '2024-13-01T10:00:00Z stdout F x',
    '2024-05-01 10:00:00Z stdout F x',
    '2024-05-0xT10:00:00Z stdout F x',
    '2024-05-01T10:00:00.Z+ stdout F x',
    '2024-05-01T10:00:00+0200 stdout F x',
    '2024-05-01T10:00:00Z stdout',
    'Exception in thread "main"',
  ]) {
    assert.equal(check([whole, other, whole]), 1, other);
  }
  assert.equal(take([whole, whole, whole], 2).taken, 2);
});

test('whatever lines come, those that the kernel takes are those that the assembler makes', () => {
  const digits = (length: number) =>
    fc.array(fc.constantFrom(...'0123456789'), { minLength: length, maxLength: length });
  const part = (length: number) => digits(length).map((all) => all.join(''));
  const time = fc
    .tuple(
      fc.constantFrom('2024', '1970', '2000', '1969', '20x4'),
      fc.constantFrom('-', '/'),
      fc.constantFrom('01', '02', '12', '13', '00'),
      part(2),
      fc.constantFrom('T', 't', ' '),
      part(2),
      part(2),
      part(2),
      fc.constantFrom('', '.', '.5', '.123456789', '.1234567890'),
      fc.constantFrom('Z', '+00:00', '-07:30', '+0000', '', 'z', '+99:99'),
    )
    .map(([y, s, mo, d, t, h, mi, se, f, z]) => `${y}${s}${mo}-${d}${t}${h}:${mi}:${se}${f}${z}`);
  const line = fc
    .tuple(
      fc.oneof({ weight: 3, arbitrary: fc.constant('2024-05-01T10:00:00.5Z') }, time),
      fc.constantFrom(' ', ' ', ' ', '  ', ''),
      fc.constantFrom('stdout', 'stdout', 'stderr', 'stderr', 'stdoux', 'std'),
      fc.constantFrom(' ', ' ', ' ', ''),
      fc.constantFrom('F', 'F', 'F', 'F', 'P', 'F:P', 'G', ''),
      fc.constantFrom(' ', ' ', ' ', ''),
      fc.string({ maxLength: 20 }).map((text) => text.replace(/[\r\n]/g, '')),
    )
    .map((parts) => parts.join(''));
  let taken = 0;
  fc.assert(
    fc.property(line, (one) => {
      taken += check([one]);
    }),
    { numRuns: 1500 },
  );
  assert.ok(taken > 20, `${taken} were taken`);
});
