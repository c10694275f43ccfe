import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type ExpositionOptions,
  parseExposition,
} from '../../../plugins/shared/metrics/exposition_parser.ts';
import { numberText } from '../../../plugins/shared/metrics/metric.ts';

const plain: ExpositionOptions = { isOpenMetrics: false, samplesMax: 1000 };

function samplesOf(text: string, options = plain): unknown[] {
  return parseExposition(text, options).metrics.map((metric) => ({ ...metric }));
}

const lines: readonly [line: string, expected: object][] = [
  ['a 1', { name: 'a', labels: {}, value: 1 }],
  ['a:b_c{} 1', { name: 'a:b_c', labels: {}, value: 1 }],
  ['a{x="1",y="2"} 1', { name: 'a', labels: { x: '1', y: '2' }, value: 1 }],
  ['a{x="1",} 1', { name: 'a', labels: { x: '1' }, value: 1 }],
  ['\ta { x = "1" ,\ty="2" }\t-1.5e3 \r', { name: 'a', labels: { x: '1', y: '2' }, value: -1500 }],
  ['a{x="q\\"b\\\\n\\n,}{"} 1', { name: 'a', labels: { x: 'q"b\\n\n,}{' }, value: 1 }],
  ['a{x="\\d"} 1', { name: 'a', labels: { x: '\\d' }, value: 1 }],
  ['a{x=""} 1', { name: 'a', labels: {}, value: 1 }],
  ['a{x="ü 🏔"} 1', { name: 'a', labels: { x: 'ü 🏔' }, value: 1 }],
  ['a 1 1700000000123', { name: 'a', labels: {}, value: 1, timeMs: 1700000000123 }],
  ['a 1 -5', { name: 'a', labels: {}, value: 1, timeMs: -5 }],
  ['a NaN', { name: 'a', labels: {}, value: Number.NaN }],
  ['a +Inf', { name: 'a', labels: {}, value: Number.POSITIVE_INFINITY }],
  ['a -inf', { name: 'a', labels: {}, value: Number.NEGATIVE_INFINITY }],
  ['a .5', { name: 'a', labels: {}, value: 0.5 }],
  ['a 5.', { name: 'a', labels: {}, value: 5 }],
  ['a 18446744073709551615', { name: 'a', labels: {}, value: 2 ** 64 }],
];

for (const [line, expected] of lines) {
  test(`the line ${JSON.stringify(line)} is read`, () => {
    assert.deepEqual(samplesOf(line), [{ type: 'untyped', ...expected }]);
  });
}

const wrong: readonly [line: string, problem: RegExp][] = [
  ['1a 1', /does not begin with the name/],
  ['a', /value is no number/],
  ['a x', /value is no number/],
  ['a 0x10', /value is no number/],
  ['a 1 soon', /time is no number/],
  ['a 1 2 3', /behind the time/],
  ['a{x="1" 1', /labels are not closed/],
  ['a{x="1} 1', /not closed/],
  ['a{x="1\\', /not closed/],
  ['a{x=1} 1', /not closed/],
  ['a{x} 1', /has no value/],
  ['a{"x"="1"} 1', /label has no name/],
  ['a{x="1",x="2"} 1', /there twice/],
  ['<html>', /does not begin with the name/],
];

for (const [line, problem] of wrong) {
  test(`the line ${JSON.stringify(line)} is refused alone`, () => {
    const page = parseExposition(`before 1\n${line}\nbehind 2\n`, plain);
    assert.deepEqual(
      page.metrics.map(({ name }) => name),
      ['before', 'behind'],
    );
    assert.equal(page.invalidLines, 1);
    assert.match(page.firstProblem ?? '', problem);
    assert.match(page.firstProblem ?? '', /^line 2: /);
  });
}

test('samples have the type of their family, histograms and summaries too', () => {
  const text = `# HELP t A "time" \\ of things
# TYPE t histogram
t_bucket{le="1"} 1
t_bucket{le="+Inf"} 2
t_sum 3
t_count 2
# TYPE s summary
s{quantile="0.5"} 1
s_sum 1
# TYPE c_total counter
c_total 5
#TYPE x gauge
# a comment
# TYPE broken
g 1
# TYPE g gauge
`;
  assert.deepEqual(
    parseExposition(text, plain).metrics.map(({ name, type }) => `${name} ${type}`),
    [
      't_bucket histogram',
      't_bucket histogram',
      't_sum histogram',
      't_count histogram',
      's summary',
      's_sum summary',
      'c_total counter',
      'g untyped',
    ],
  );
});

test('OpenMetrics gives units, times in seconds, exemplars and an end', () => {
  const text = `# TYPE r_seconds counter
# UNIT r_seconds seconds
r_seconds_total{a="x # y"} 17 1520879607.789 # {trace_id="KOO5S4vxi0o"} 0.67
r_seconds_created 1520430000.123
# TYPE i info
i_info{v="1"} 1
# EOF
behind 1
`;
  assert.deepEqual(samplesOf(text, { isOpenMetrics: true, samplesMax: 10 }), [
    {
      name: 'r_seconds_total',
      labels: { a: 'x # y' },
      value: 17,
      timeMs: 1520879607789,
      type: 'counter',
      unit: 'seconds',
    },
    {
      name: 'r_seconds_created',
      labels: {},
      value: 1520430000.123,
      type: 'counter',
      unit: 'seconds',
    },
    { name: 'i_info', labels: { v: '1' }, value: 1, type: 'gauge' },
  ]);
});

test('reading stops one behind the most samples', () => {
  const text = 'a 1\n'.repeat(50);
  assert.equal(parseExposition(text, { ...plain, samplesMax: 50 }).metrics.length, 50);
  assert.equal(parseExposition(text, { ...plain, samplesMax: 49 }).metrics.length, 50);
  assert.equal(parseExposition(text, { ...plain, samplesMax: 10 }).metrics.length, 11);
});

test('a label called __proto__ is a label', () => {
  const [metric] = parseExposition('a{__proto__="x"} 1', plain).metrics;
  assert.deepEqual(Object.entries(metric!.labels), [['__proto__', 'x']]);
});

test('whatever is written is read again', () => {
  const name = fc.stringMatching(/^[a-zA-Z_:][a-zA-Z0-9_:]{0,9}$/);
  const label = fc.stringMatching(/^[a-zA-Z][a-zA-Z0-9_]{0,9}$/);
  const escaped = (text: string) =>
    text.replace(/[\\"\n]/g, (one) => (one === '\n' ? '\\n' : `\\${one}`));
  fc.assert(
    fc.property(
      name,
      fc.dictionary(label, fc.string({ minLength: 1 })),
      fc.double(),
      (metric, labels, value) => {
        // A carriage return or another line end of Unicode is a character like any other.
        const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escaped(text)}"`);
        const line = `${metric}{${pairs.join(',')}} ${numberText(value)}`;
        const [found] = parseExposition(line, plain).metrics;
        assert.deepEqual({ ...found?.labels }, { ...labels });
        assert.equal(Object.is(found?.value, value === 0 ? found?.value : value), true);
      },
    ),
  );
});

test('no text makes it throw', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
      parseExposition(text, plain);
      parseExposition(`a{${text}`, plain);
      parseExposition(`# TYPE ${text}\n`, plain);
    }),
  );
});
