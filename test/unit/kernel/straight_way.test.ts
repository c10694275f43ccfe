import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fieldOf } from '../../../core/batch/field.ts';
import { GrokProgram } from '../../../core/kernel/grok_program.ts';
import { lowerGrok } from '../../../core/kernel/lower_grok.ts';
import type { KernelProgram } from '../../../core/kernel/pattern_ops.ts';
import { patternLibrary } from '../../../plugins/shared/grok/patterns/library.ts';
import { emptyBatch, kernelForTest, putTexts } from './batches.ts';
import { parsePattern } from './grok_patterns.ts';

const kernel = kernelForTest();
const message = fieldOf(['message']);

function lower(pattern: string, naming: 'legacy' | 'ecs' = 'legacy'): KernelProgram {
  const lowered = lowerGrok(parsePattern(pattern, patternLibrary(naming)).root);
  if ('reason' in lowered) assert.fail(lowered.reason);
  return lowered;
}

interface Trial {
  readonly texts: readonly string[];
  /** What stands behind each text in memory. */
  readonly behind: string;
  readonly keepEmpty: boolean;
  /** Every so many events one is not selected, one has a root, one is no text. */
  readonly odd: readonly number[];
}

/** What a program answers and stores, per event. */
function answers(program: KernelProgram, trial: Trial): unknown[] {
  const { keepEmpty, odd } = trial;
  const loaded = GrokProgram.load(kernel, program, { keepEmpty, overwrite: [] })!;
  const batch = emptyBatch(kernel);
  const { starts, ends } = putTexts(batch, trial.texts, trial.behind);
  const text = batch.column(message)!;
  starts.forEach((start, i) => {
    batch.setSpan(text, i, start, ends[i]!, 1);
    if (i % odd[0]! === 1) batch.select[i] = 0;
    if (i % odd[1]! === 2) batch.rootKind[i] = 1;
    if (i % odd[2]! === 3) text.kind[i] = 2;
  });
  batch.dropped.fill(7, 0, batch.count);
  const fields = program.targets.map((name) => fieldOf([name]));
  const columns = fields.map((field) => batch.column(field)!);
  const done = loaded.run(batch, { ...text }, columns, batch.select, batch.dropped);
  loaded.close();
  const events = starts.map((_, i) => [
    batch.dropped[i],
    ...columns.map(
      (column, at) => column.kind[i] && [column.kind[i], batch.valueAt(i, fields[at]!)],
    ),
  ]);
  // Nothing may be written behind the last event.
  const behind = columns.map((column) =>
    column.kind.subarray(batch.count).some((kind) => kind > 0),
  );
  return [done, behind, ...events];
}

function assertSame(program: KernelProgram, trial: Trial): void {
  const expected = answers({ ...program, straight: undefined }, trial);
  assert.deepEqual(answers(program, trial), expected);
}

const date = '10/Oct/2026:13:55:36 +0000';
const lines = [
  `203.0.113.7 - - [${date}] "GET /index.html HTTP/1.1" 200 2326 "-" "curl/8.5.0"`,
  `10.0.0.1 - frank [${date}] "GET /a?b=c%20d HTTP/1.0" 304 - "https://a.example/" "-"`,
  `255.255.255.255 x.y-z é [${date}] "POST /${'p'.repeat(40)} HTTP/2" 500 17 "" "${'u'.repeat(90)}"`,
  `192.168.256.1 - - [${date}] "GET / HTTP/1.1" 200 1 "say \\"hi\\"" "back\\\\slash"`,
  `2001:db8::1 - - [${date}] "POST /é HTTP/1.1" 500 17 "-" "x"`,
  `host-1.example.com - a@b.example [${date}] "-" 408 - "-" "-"`,
];

const patterns: readonly (readonly [string, 'legacy' | 'ecs'])[] = [
  ['%{COMBINEDAPACHELOG}', 'legacy'],
  ['%{COMMONAPACHELOG}', 'legacy'],
  ['^%{IP:ip} %{DATA:a} %{NOTSPACE:b} \\[%{DATA:when}\\] "%{DATA:c}" %{GREEDYDATA:d}', 'legacy'],
  ['%{IPV4:ip}%{GREEDYDATA:rest}', 'legacy'],
  ['%{IPV4:ip} (?<a>-*)(?<b> *)%{NOTSPACE:c}', 'legacy'],
  ['%{IPORHOST:ip} %{USER:a} %{USER:b} \\[%{HTTPDATE:t}\\] %{QS:q} %{NUMBER:n:int}', 'legacy'],
  [
    '%{IP:ip} (?:-|%{USER:a}) %{NOTSPACE} \\[%{HTTPDATE:t}\\] %{QS} (?:-|%{INT:n:int}) %{INT:m}',
    'legacy',
  ],
];

test('access logs and lines of plain fields have a straight way', () => {
  for (const [pattern, naming] of patterns) {
    assert.ok(lower(pattern, naming).straight !== undefined, `${pattern} ${naming}`);
  }
});

test('what loops or looks around has none', () => {
  for (const pattern of ['(?:a%{INT:x},)*b', 'a(?=b)%{INT:x}', '(?<x>a{2,3})b', '\\x00%{INT:x}']) {
    assert.equal(lower(pattern).straight, undefined, pattern);
  }
});

const edit = fc.record({
  line: fc.nat({ max: lines.length - 1 }),
  at: fc.nat({ max: 200 }),
  removed: fc.constantFrom(0, 0, 1, 2, 30),
  put: fc.constantFrom('', '0', '9', '.', '-', ' ', '"', '\\', ':', 'é', '\u0000', '1.5', '[', 'x'),
});
const text = fc.oneof(
  fc.constantFrom(...lines),
  edit.map(({ line, at, removed, put }) => {
    const whole = lines[line]!;
    return whole.slice(0, at) + put + whole.slice(at + removed);
  }),
);

test('the straight way finds what the matcher finds', () => {
  const programs = patterns.map(([pattern, naming]) => lower(pattern, naming));
  const trial = fc.record({
    texts: fc.array(text, { minLength: 1, maxLength: 200, size: 'max' }),
    behind: fc.constantFrom('"', '0', '.', ' ', '\n'),
    keepEmpty: fc.boolean(),
    odd: fc.array(fc.constantFrom(5, 17, 1000), { minLength: 3, maxLength: 3 }),
  });
  fc.assert(fc.property(fc.constantFrom(...programs), trial, assertSame), { numRuns: 150 });
});

test('a full batch is answered to its last event', () => {
  const texts = Array.from({ length: 2048 }, (_, i) => lines[i % 50 === 49 ? 4 : i % 2]!);
  const trial = { texts, behind: '\n', keepEmpty: false, odd: [5000, 5000, 5000] };
  const program = lower('%{COMBINEDAPACHELOG}');
  assert.equal(answers(program, trial)[0], 2045);
  assertSame(program, trial);
});

test('where most texts are of another kind, the matcher alone answers them', () => {
  const texts = Array.from({ length: 300 }, (_, i) => lines[i < 290 ? 5 : 0]!);
  const trial = { texts, behind: '\n', keepEmpty: false, odd: [5000, 5000, 5000] };
  assertSame(lower('%{COMBINEDAPACHELOG}'), trial);
});
