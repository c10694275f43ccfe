import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Batch } from '../../../core/batch/batch.ts';
import { fieldOf } from '../../../core/batch/field.ts';
import { GrokProgram } from '../../../core/kernel/grok_program.ts';
import { groupsOf, lowerGrok } from '../../../core/kernel/lower_grok.ts';
import type { KernelProgram } from '../../../core/kernel/pattern_ops.ts';
import {
  type CompiledRegex,
  compileParsed,
  type MatchResult,
  RegexBudgetError,
} from '../../../core/regex/regex.ts';
import { patternLibrary } from '../../../plugins/shared/grok/patterns/library.ts';
import { emptyBatch, kernelForTest, putTexts, testSource } from './batches.ts';
import { parsePattern } from './grok_patterns.ts';

const kernel = kernelForTest();
const message = fieldOf(['message']);

interface Checked {
  readonly done: number;
  /** What the kernel stored, per text; undefined where it left the text to JavaScript. */
  readonly fields: (Record<string, unknown> | undefined)[];
}

class Checker {
  private readonly program: KernelProgram;
  private readonly loaded: GrokProgram;
  private readonly regex: CompiledRegex;
  private readonly groups: ReturnType<typeof groupsOf>;
  private readonly batch: Batch = emptyBatch(kernel);

  constructor(pattern: string) {
    const parsed = parsePattern(pattern);
    const lowered = lowerGrok(parsed.root);
    if ('reason' in lowered) assert.fail(`${pattern}: ${lowered.reason}`);
    this.program = lowered;
    this.loaded = GrokProgram.load(kernel, lowered, { keepEmpty: false, overwrite: [] })!;
    this.regex = compileParsed(pattern, parsed, { engine: 'matcher' });
    this.groups = groupsOf(parsed.root);
  }

  /** Runs the kernel over the texts and compares what it is sure of with the regular expression. */
  check(texts: readonly string[]): Checked {
    const batch = this.batch;
    batch.reset(testSource, 'test');
    const { starts, ends } = putTexts(batch, texts, 'a"');
    const column = batch.column(message)!;
    starts.forEach((start, i) => {
      batch.setSpan(column, i, start, ends[i]!, 1);
    });
    const columns = this.program.targets.map((name) => batch.column(fieldOf([name]))!);
    const result = batch.dropped;
    const done = this.loaded.run(batch, column, columns, batch.select, result);
    const fields = texts.map((text, i) => {
      const stored = this.stored(batch, i);
      if (result[i] === 0) {
        assert.deepEqual(stored, {}, `half a result for ${JSON.stringify(text)}`);
        return undefined;
      }
      const expected = this.expected(text);
      if (expected !== undefined)
        assert.deepEqual(stored, expected, `${this.regex.source} on ${JSON.stringify(text)}`);
      return stored;
    });
    return { done, fields };
  }

  close(): void {
    this.loaded.close();
  }

  private stored(batch: Batch, i: number): Record<string, unknown> {
    const fields: Record<string, unknown> = {};
    for (const name of this.program.targets) {
      const value = batch.valueAt(i, fieldOf([name]));
      if (value !== undefined) fields[name] = value;
    }
    return fields;
  }

  private expected(text: string): Record<string, unknown> | string | undefined {
    let match: MatchResult | null;
    try {
      match = this.regex.exec(text);
    } catch (error) {
      // The matcher gave up: there is nothing to compare with.
      if (error instanceof RegexBudgetError) return undefined;
      throw error;
    }
    if (match === null) return 'no match';
    if (match.index !== 0) return 'a match further on';
    const fields: Record<string, unknown> = {};
    for (const { group, field, conversion } of this.groups) {
      const value = match.captures[group - 1];
      if (value === undefined || value === '') continue;
      if (field in fields) return 'a field twice';
      fields[field] = conversion === 'text' ? value : Number(value);
    }
    return fields;
  }
}

function check(pattern: string, texts: readonly string[]): Checked {
  const checker = new Checker(pattern);
  try {
    return checker.check(texts);
  } finally {
    checker.close();
  }
}

const date = '10/Oct/2026:13:55:36 +0000';
const agent = '"Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0"';

const accessLines = [
  `203.0.113.7 - - [${date}] "GET /index.html HTTP/1.1" 200 2326 "-" ${agent}`,
  `203.0.113.7 - frank [${date}] "GET /a?b=c%20d HTTP/1.0" 304 - "https://www.example.com/" "-"`,
  `2001:db8::1 - - [${date}] "POST /api/v1/orders/17 HTTP/1.1" 500 17 "-" "curl/8.5.0"`,
  `fe80:0:0:0:202:b3ff:fe1e:8329 - - [${date}] "GET / HTTP/2.0" 200 1 "-" "x"`,
  `::ffff:10.0.0.1 - - [${date}] "GET / HTTP/1.1" 200 1 "-" "x"`,
  `::1 - - [${date}] "GET / HTTP/1.1" 200 1 "-" "x"`,
  `host-1.example.com - - [${date}] "GET / HTTP/1.1" 200 1 "-" "x"`,
  `localhost - a.b@example.com [${date}] "GET / HTTP/1.1" 200 1 "-" "x"`,
  `10.0.0.1 - - [${date}] "-" 408 - "-" "-"`,
  `10.0.0.1 - - [${date}] "GET /old" 200 5 "-" "-"`,
  `10.0.0.1 - - [${date}] "\\x16\\x03\\x01" 400 226 "-" "-"`,
  `10.0.0.1 - - [${date}] "GET / HTTP/1.1" 200 5 "say \\"hi\\"" "back\\\\slash"`,
  `10.0.0.1 - - [${date}] "GET / HTTP/1.1" - - "" "é€😀"`,
  `10.0.0.1 - - [01/Jan/2026:00:00:00 -0530] "GET /${'x'.repeat(300)} HTTP/1.1" 200 5 "-" ${agent}`,
];

test('common access-log lines need no JavaScript', () => {
  const { fields } = check('%{COMBINEDAPACHELOG}', accessLines);
  accessLines.forEach((line, i) => {
    assert.ok(fields[i] !== undefined, line);
  });
  assert.deepEqual(fields[0], {
    clientip: '203.0.113.7',
    ident: '-',
    auth: '-',
    timestamp: date,
    verb: 'GET',
    request: '/index.html',
    httpversion: '1.1',
    response: '200',
    bytes: '2326',
    referrer: '"-"',
    agent,
  });
  assert.equal(fields[2]?.['clientip'], '2001:db8::1');
  assert.equal(fields[6]?.['clientip'], 'host-1.example.com');
  assert.equal(fields[1]?.['bytes'], undefined);
  assert.equal(fields[8]?.['rawrequest'], '-');
  assert.equal(fields[11]?.['referrer'], '"say \\"hi\\""');
});

test('common syslog lines need no JavaScript', () => {
  const lines = [
    'Oct 10 13:55:36 web-1 sshd[4711]: Accepted publickey for root',
    'Oct  1 03:05:06 10.0.0.7 cron: job done',
    'Oct 10 13:55:36 <13.6> router.example.com kernel: link up',
    'Oct 10 13:55:36.123 fe80::1 app/worker[1]: x',
  ];
  const { fields } = check('%{SYSLOGBASE} %{GREEDYDATA:text}', lines);
  lines.forEach((line, i) => {
    assert.ok(fields[i] !== undefined, line);
  });
  assert.deepEqual(fields[0], {
    timestamp: 'Oct 10 13:55:36',
    logsource: 'web-1',
    program: 'sshd',
    pid: '4711',
    text: 'Accepted publickey for root',
  });
});

test('what begins further on, or not at all, is left to JavaScript', () => {
  const { done } = check('%{COMBINEDAPACHELOG}', ['', 'x', ` ${accessLines[0]}`, '"'.repeat(100)]);
  assert.equal(done, 0);
});

test('numbers are stored as JSON only when JavaScript writes them the same', () => {
  const texts = [
    '7',
    '-7',
    '0',
    '-0',
    '007',
    '+7',
    '1.5',
    '1.50',
    '0.0000001',
    '9'.repeat(15),
    '9'.repeat(16),
  ];
  const wanted = (conversion: string): (unknown | undefined)[] =>
    check(
      `^(?<n>x)?%{WORDLIKE:value:${conversion}}$`.replace('%{WORDLIKE', '%{NOTSPACE'),
      texts,
    ).fields.map((fields) => fields?.['value']);
  assert.deepEqual(wanted('int'), [
    7,
    -7,
    0,
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
    999999999999999,
    undefined,
  ]);
  assert.deepEqual(wanted('float'), [
    7,
    -7,
    0,
    undefined,
    undefined,
    undefined,
    1.5,
    undefined,
    undefined,
    999999999999999,
    undefined,
  ]);
});

test('a field that the event has already is left to JavaScript, unless it may be replaced', () => {
  for (const [overwrite, expected] of [
    [[], 0],
    [['message'], 1],
  ] as const) {
    const lowered = lowerGrok(parsePattern('^%{WORD:level} %{GREEDYDATA:message}').root);
    assert.ok('ops' in lowered);
    const program = GrokProgram.load(kernel, lowered, { keepEmpty: false, overwrite })!;
    const batch = emptyBatch(kernel);
    const { starts, ends } = putTexts(batch, ['warn too hot']);
    batch.setFieldSpan(0, message, starts[0]!, ends[0]!, 1);
    const columns = lowered.targets.map((name) => batch.column(fieldOf([name]))!);
    program.run(batch, batch.findColumn(message)!, columns, batch.select, batch.dropped);
    assert.equal(batch.dropped[0], expected);
    assert.equal(batch.textAt(0, message), expected === 1 ? 'too hot' : 'warn too hot');
    program.close();
  }
});

test('empty captures are stored only when asked for', () => {
  for (const keepEmpty of [false, true]) {
    const lowered = lowerGrok(parsePattern('^(?<a>x*)-(?<b>y)?').root);
    assert.ok('ops' in lowered);
    const program = GrokProgram.load(kernel, lowered, { keepEmpty, overwrite: [] })!;
    const batch = emptyBatch(kernel);
    const { starts, ends } = putTexts(batch, ['-y', '-']);
    const text = batch.column(message)!;
    starts.forEach((start, i) => {
      batch.setSpan(text, i, start, ends[i]!, 1);
    });
    const columns = lowered.targets.map((name) => batch.column(fieldOf([name]))!);
    program.run(batch, text, columns, batch.select, batch.dropped);
    assert.equal(batch.textAt(0, fieldOf(['a'])), keepEmpty ? '' : undefined);
    assert.equal(batch.textAt(0, fieldOf(['b'])), 'y');
    // A group that took no part would become null.
    assert.equal(batch.dropped[1], keepEmpty ? 0 : 1);
    program.close();
  }
});

test('events with a root, and columns that are no text, are left to JavaScript', () => {
  const lowered = lowerGrok(parsePattern('%{WORD:level}').root);
  assert.ok('ops' in lowered);
  const program = GrokProgram.load(kernel, lowered, { keepEmpty: false, overwrite: [] })!;
  const batch = emptyBatch(kernel);
  const { starts, ends } = putTexts(batch, ['{}', '"warn"', 'warn', 'warn']);
  starts.forEach((start, i) => {
    batch.setFieldSpan(i, message, start, ends[i]!, i === 1 ? 2 : 1);
  });
  batch.setRoot(0, starts[0]!, ends[0]!);
  batch.select[3] = 0;
  batch.dropped.fill(7, 0, 4);
  const columns = [batch.column(fieldOf(['level']))!];
  const done = program.run(batch, batch.findColumn(message)!, columns, batch.select, batch.dropped);
  assert.deepEqual([done, ...batch.dropped.subarray(0, 4)], [1, 0, 0, 1, 7]);
  program.close();
});

test('patterns beyond the kernel are refused with a reason', () => {
  for (const pattern of ['(?<a>x)\\k<a>', '(?<=ab)c', '(?:a?b?)*c', '\\Ga', '(?:ab){101}']) {
    const lowered = lowerGrok(parsePattern(pattern).root);
    assert.ok('reason' in lowered, pattern);
  }
});

const shortcuts = [
  'IPV4',
  'IP',
  'IPORHOST',
  'HTTPDATE',
  'BASE10NUM',
  'NUMBER',
  'QUOTEDSTRING',
  'QS',
  'TIMESTAMP_ISO8601',
  'SYSLOGTIMESTAMP',
];

test('the definitions that Sluice ships have their shortcuts, and others of their names do not', () => {
  for (const naming of ['legacy', 'ecs'] as const) {
    const library = patternLibrary(naming);
    for (const name of shortcuts) {
      const ops = (definitions: typeof library): string[] => {
        const lowered = lowerGrok(parsePattern(`%{${name}:field}`, definitions).root);
        assert.ok('ops' in lowered);
        return lowered.ops.map((op) => op.name);
      };
      assert.ok(ops(library).includes('shortcut'), `${name}: see core/kernel/pattern_shortcuts.ts`);
      assert.ok(!ops({ ...library, [name]: '[0-9]+x' }).includes('shortcut'), name);
    }
  }
});

const pieces = fc.constantFrom(
  '10.0.0.1',
  '256.1.1.1',
  '01.2.3.4',
  '1.2.3',
  '::1',
  'fe80::1%eth0',
  '2001:db8::7',
  'a.b-c.example.',
  'host',
  ' ',
  '  ',
  '-',
  ' - - ',
  '[',
  ']',
  '"',
  '\\"',
  '\\',
  "'",
  '`',
  '@',
  ':',
  '/',
  date,
  '1/Jan/26:1:00:60 5',
  '31/Dec/1999:23:59:59 -0100',
  '10/Oct/2026:13:55:36 +00001',
  '2026-10-10T13:55:36Z',
  '2026-10-10 13:55:36,123+02:00',
  'Oct 10 13:55:36',
  'May  1 00:00:00.5',
  'GET',
  ' HTTP/1.1',
  '200',
  '1.5',
  '.5',
  '-17',
  '+3',
  '"-"',
  '"say \\"x\\""',
  '""',
  'sshd[12]: ',
  '<1.2> ',
  'é',
  '€',
  '😀',
  '\u00a0',
  '\n',
  '\t',
  'x',
  '_',
  '0',
  '.',
);
const soup = fc.oneof(
  fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join('')),
  fc.string({ maxLength: 30 }),
);
const damaged = fc
  .tuple(fc.constantFrom(...accessLines), fc.nat(400), fc.nat(4), pieces)
  .map(([line, at, remove, piece]) => {
    const place = at % line.length;
    // A cut may go through a surrogate pair.
    return Buffer.from(line.slice(0, place) + piece + line.slice(place + remove)).toString();
  });

for (const pattern of [
  '%{COMBINEDAPACHELOG}',
  '%{COMMONAPACHELOG}',
  '^%{COMMONAPACHELOG}$',
  '%{SYSLOGBASE} %{GREEDYDATA:text}',
  '%{TIMESTAMP_ISO8601:time} %{DATA:a} %{NUMBER:n:float}(?: %{QS:q})?',
  '%{IPORHOST:host}%{DATA:rest}$',
  '%{IPV6:a}',
  '%{IPV4:a}',
  '%{IP:a}%{GREEDYDATA:b}',
  '%{HTTPDATE:a}',
  '%{NUMBER:a}%{GREEDYDATA:b}',
  '%{QS:a}%{GREEDYDATA:b}',
  '%{TIMESTAMP_ISO8601:a}%{GREEDYDATA:b}',
  '%{SYSLOGTIMESTAMP:a}%{GREEDYDATA:b}',
  '%{IPV4:a}?%{GREEDYDATA:b}',
]) {
  test(`the kernel is right about ${pattern} whenever it is sure`, () => {
    const checker = new Checker(pattern);
    fc.assert(
      fc.property(fc.array(fc.oneof(soup, damaged), { minLength: 20, maxLength: 20 }), (texts) => {
        checker.check(texts);
      }),
      { numRuns: 40 },
    );
    checker.close();
  });
}

/** Random expressions over few characters, so that texts match often and in many ways. */
function expressions(depth: number, captures: boolean): fc.Arbitrary<string> {
  const leaf = fc.constantFrom(...'ab.^$é', 'ab', '[ab]', '[^a]', '\\w', '\\W', '[bé]', '\\S');
  const edge = fc.constantFrom('\\b', '\\z', '(?<!a)', '(?=b)', '(?!b)', '\\B', '(?<=[ab])');
  const group = (open: string, inner = captures): fc.Arbitrary<string> =>
    expressions(depth - 1, inner).map((body) => `${open}${body})`);
  const atom =
    depth === 0
      ? fc.oneof({ weight: 6, arbitrary: leaf }, edge)
      : fc.oneof(
          { weight: 6, arbitrary: leaf },
          { weight: 1, arbitrary: edge },
          { weight: 2, arbitrary: group('(?:') },
          { weight: 2, arbitrary: group(captures ? '(?<n>' : '(?:') },
          { weight: 1, arbitrary: group('(?>') },
          { weight: 1, arbitrary: group('(?=', false) },
          { weight: 1, arbitrary: group('(?!', false) },
        );
  const counts = fc.constantFrom(
    '',
    '',
    '',
    '',
    '?',
    '*',
    '+',
    '??',
    '*?',
    '+?',
    '{2}',
    '{1,2}',
    '{1,3}?',
  );
  const items = fc.array(fc.tuple(atom, counts), { minLength: 1, maxLength: 3 });
  return fc
    .array(items, { minLength: 1, maxLength: 2 })
    .map((alternatives) => alternatives.map((list) => list.map(quantified).join('')).join('|'));
}

function quantified([atom, count]: [string, string]): string {
  const isEdge = ['\\b', '\\B', '^', '$', '\\z'].includes(atom) || /^\(\?<?[=!]/.test(atom);
  return isEdge ? atom : atom + count;
}

test('the kernel is right about random expressions whenever it is sure', () => {
  let lowered = 0;
  let sure = 0;
  const texts = fc.array(
    fc
      .array(fc.constantFrom('a', 'b', 'ab', 'c', ' ', 'é', '\n', 'aaaa'), { maxLength: 8 })
      .map((parts) => parts.join('')),
    { minLength: 8, maxLength: 8 },
  );
  fc.assert(
    fc.property(expressions(2, true), texts, (source, lines) => {
      let names = 0;
      const pattern = source.replaceAll('(?<n>', () => `(?<n${names++}>`);
      if (names > 100) return;
      const program = lowerGrok(parsePattern(pattern).root);
      if ('reason' in program) return;
      lowered++;
      sure += check(pattern, lines).done;
    }),
    { numRuns: 4000 },
  );
  assert.ok(lowered > 1000 && sure > 2000, `lowered ${lowered}, sure ${sure}`);
});
