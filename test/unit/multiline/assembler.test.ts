import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { compileRegex, type MultilineDefinition, type Parser } from '../../../core/sdk/index.ts';
import {
  type AssembledRecord,
  builtInDefinition,
  compileMultiline,
  containerRules,
  LineTime,
  MultilineAssembler,
  type MultilineRules,
} from '../../../plugins/shared/multiline/index.ts';

interface Got {
  readonly content: string;
  readonly offset: number;
  readonly offsetEnd: number;
  readonly fields?: Record<string, unknown>;
}

const noParser = (name: string): Parser => {
  throw new Error(`no parser ${name}`);
};

function builtIn(name: string): MultilineRules {
  if (name === 'cri' || name === 'docker') return containerRules(name, 4000);
  return compileMultiline(builtInDefinition(name)!, (source) => compileRegex(source), noParser);
}

function rulesOf(definition: Partial<MultilineDefinition>, parser?: Parser): MultilineRules {
  return compileMultiline(
    { name: 'own', type: 'regex', flushTimeoutMs: 1000, rules: [], ...definition },
    (source) => compileRegex(source),
    () => parser ?? noParser(''),
  );
}

/** Pushes lines one millisecond after another; `clock` is the time behind them. */
class Bench {
  readonly got: Got[] = [];
  readonly cuts = { count: 0 };
  readonly assembler: MultilineAssembler;
  offset = 0;
  nowMs = 0;

  constructor(rules: readonly MultilineRules[], bytesMax = 1_000_000) {
    this.assembler = new MultilineAssembler(rules, {
      bytesMax,
      onCut: () => {
        this.cuts.count++;
      },
    });
  }

  push(...lines: readonly string[]): this {
    for (const line of lines) {
      const bytes = Buffer.from(`##${line}\n##`);
      const end = bytes.length - 3;
      const offsetEnd = this.offset + end - 2 + 1;
      this.assembler.push(
        { bytes, start: 2, end, offset: this.offset, offsetEnd },
        this.nowMs++,
        this.receive,
      );
      bytes.fill(0x21);
      this.offset = offsetEnd;
    }
    return this;
  }

  end(): string[] {
    this.assembler.flushAll(this.receive);
    return this.contents;
  }

  get contents(): string[] {
    return this.got.map(({ content }) => content);
  }

  readonly receive = (record: AssembledRecord): void => {
    this.got.push({
      content: record.bytes.toString('utf8', record.start, record.end),
      offset: record.offset,
      offsetEnd: record.offsetEnd,
      fields:
        record.format === 'fields'
          ? Object.fromEntries(record.keys.map((key, i) => [key, record.values[i]]))
          : undefined,
    });
  };
}

const traces: Readonly<Record<string, readonly string[]>> = {
  java: [
    'Exception in thread "main" java.lang.RuntimeException: Something has gone wrong',
    '\tat com.example.Deep.fail(Deep.java:22)',
    '\tat com.example.Main.main(Main.java:6)',
    'Caused by: java.lang.IllegalStateException: inner',
    '\tat com.example.Inner.run(Inner.java:3)',
    '\t... 2 more',
  ],
  python: [
    'Traceback (most recent call last):',
    '  File "/app/main.py", line 3, in <module>',
    '    run()',
    '  File "/app/run.py", line 9, in run',
    "    raise ValueError('bad')",
    'ValueError: bad',
  ],
  go: [
    'panic: my panic',
    '',
    'goroutine 4 [running]:',
    'panic(0x45cb40, 0x47ad70)',
    '  /usr/local/go/src/runtime/panic.go:542 +0x46c',
    'main.main.func1(0xc420024120)',
    '  foo.go:6 +0x39',
    'created by main.main',
    '  foo.go:5 +0x58',
    '',
    'goroutine 1 [chan receive]:',
    'runtime.gopark(0x4739b8, 0xc420024178)',
    '  /usr/local/go/src/runtime/proc.go:280 +0x12c',
  ],
  ruby: [
    "/app/a.rb:3:in `/': divided by 0 (ZeroDivisionError)",
    "\tfrom /app/a.rb:3:in `divide'",
    "\tfrom /app/a.rb:7:in `<main>'",
  ],
};

describe('multiline puts stack traces together', () => {
  for (const [name, trace] of Object.entries(traces)) {
    it(`of ${name}, and leaves lines around them alone`, () => {
      const bench = new Bench([builtIn(name)]);
      bench.push('ordinary', ...trace, 'ordinary again', ...trace);
      assert.deepEqual(bench.end(), [
        'ordinary',
        trace.join('\n'),
        'ordinary again',
        trace.join('\n'),
      ]);
      const first = bench.got[1]!;
      assert.equal(first.offset, 'ordinary\n'.length);
      assert.equal(first.offsetEnd, bench.got[2]!.offset);
    });
  }

  it('of several languages in one file', () => {
    const bench = new Bench(['go', 'java', 'python'].map(builtIn));
    bench.push(...traces['java']!, ...traces['python']!, 'x', ...traces['go']!);
    const joined = (name: string) => traces[name]!.join('\n');
    assert.deepEqual(bench.end(), [joined('java'), joined('python'), 'x', joined('go')]);
  });
});

describe('multiline follows own rules', () => {
  const dated = rulesOf({
    rules: [
      { state: 'start_state', regex: '/^\\d{4}-/', nextState: 'cont' },
      { state: 'cont', regex: '/^\\s+/', nextState: 'cont' },
    ],
  });

  it('of states', () => {
    const bench = new Bench([dated]).push('2024-01 a', ' b', ' c', '2024-02 d', 'stray', ' e');
    assert.deepEqual(bench.end(), ['2024-01 a\n b\n c', '2024-02 d', 'stray', ' e']);
  });

  it('of line ends that are marks, and of their opposite', () => {
    const ends = new Bench([rulesOf({ type: 'endswith', matchString: ';' })]);
    assert.deepEqual(ends.push('a', 'b;', 'c;', 'd').end(), ['ab;', 'c;', 'd']);
    const continued = rulesOf({ type: 'endswith', matchString: '\\\\', negate: true });
    assert.deepEqual(new Bench([continued]).push('a\\', 'b', 'c').end(), ['a\\b', 'c']);
    const equal = new Bench([rulesOf({ type: 'equal', matchString: 'end' })]);
    assert.deepEqual(equal.push('a', 'end', 'b').end(), ['aend', 'b']);
  });

  it('on the fields of a parser, by stream', () => {
    const parser: Parser = {
      name: 'own',
      parse(text, into) {
        const match = /^(\w+) ([PF]) (.*)$/.exec(text);
        if (match === null) return false;
        into.set('who', match[1]);
        into.set('part', match[2]);
        into.set('message', match[3]);
        return true;
      },
    };
    const rules = rulesOf(
      {
        type: 'equal',
        matchString: 'F',
        parser: 'own',
        keyContent: 'message',
        keyPattern: 'part',
        keyGroup: 'who',
      },
      parser,
    );
    const bench = new Bench([rules]).push('a P one ', 'b P eins ', 'a F two', '??', 'b F zwei');
    bench.end();
    assert.deepEqual(bench.contents, ['one two', '??', 'eins zwei']);
    assert.deepEqual(bench.got[2]!.fields, { who: 'b', part: 'P', message: 'eins ' });
  });

  it('until the timeout', () => {
    const bench = new Bench([dated]).push('2024-01 a', ' b');
    assert.equal(bench.assembler.nextDeadlineMs(), 1001);
    assert.equal(bench.assembler.flushDue(1000, bench.receive, 10), false);
    assert.equal(bench.assembler.flushDue(1001, bench.receive, 10), true);
    assert.deepEqual(bench.contents, ['2024-01 a\n b']);
    assert.equal(bench.assembler.heldFrom(), Number.POSITIVE_INFINITY);
  });

  it('within its limit: N bytes stay whole, N + 1 are cut and counted', () => {
    const whole = new Bench([dated], 20).push('2024-1', ' 345678', ' 23');
    assert.deepEqual([whole.end(), whole.cuts.count], [['2024-1\n 345678\n 23'], 0]);
    const cut = new Bench([dated], 20).push('2024-1', ' 345678', ' 23456', ' 8');
    assert.deepEqual([cut.end(), cut.cuts.count], [['2024-1\n 345678', ' 23456\n 8'], 1]);
    const origins = cut.got.map(({ offset, offsetEnd }) => [offset, offsetEnd]);
    assert.deepEqual(origins, [
      [0, 15],
      [15, 25],
    ]);
  });
});

describe('multiline joins the parts of container logs', () => {
  const cri = (stream: string, mark: string, text: string) =>
    `2024-05-01T10:00:00.123456789Z ${stream} ${mark} ${text}`;

  it('of CRI, streams apart, holding back the oldest part', () => {
    const bench = new Bench([builtIn('cri')]);
    bench.push(cri('stdout', 'P', 'one '), cri('stderr', 'F', 'error'));
    assert.deepEqual(bench.contents, ['error']);
    assert.equal(bench.assembler.heldFrom(), 0);
    bench.push(cri('stdout', 'P', 'two '), cri('stderr', 'P', 'E'), cri('stdout', 'F', 'three'));
    assert.deepEqual(bench.contents, ['error', 'one two three']);
    bench.push('no such line', cri('stderr', 'F:tag', ''), cri('stdout', 'F', ''));
    assert.deepEqual(bench.contents.slice(2), ['no such line', 'E', '']);
  });

  it('of Docker, by the line feed at the end of the last', () => {
    const docker = (log: string, stream = 'stdout') =>
      JSON.stringify({ log, stream, time: '2024-05-01T10:00:00Z' });
    const bench = new Bench([builtIn('docker')]);
    bench.push(docker('a "'), docker('x\n', 'stderr'), docker('b\\n'), docker('c\n'), docker('\n'));
    assert.deepEqual(bench.end(), ['"x\\n"', '"a \\"b\\\\nc\\n"', '"\\n"']);
    bench.push('{"log": broken', '{"message":"no log"}');
    assert.deepEqual(bench.end().slice(3), ['{"log": broken', '{"message":"no log"}']);
  });

  it('whichever of both a line is', () => {
    const bench = new Bench([builtIn('docker'), builtIn('cri')]);
    bench.push(cri('stdout', 'F', 'a'), '{"log":"b\\n","stream":"stdout"}', 'c');
    assert.deepEqual(bench.end(), ['a', '"b\\n"', 'c']);
  });

  it('keeps every byte once, whatever parts interleave', () => {
    const part = fc.record({
      stream: fc.constantFrom('stdout', 'stderr'),
      mark: fc.constantFrom('P', 'P', 'F'),
      text: fc.stringMatching(/^[a-z ]{0,8}$/),
    });
    fc.assert(
      fc.property(
        fc.array(part, { maxLength: 40 }),
        fc.integer({ min: 10, max: 80 }),
        (parts, limit) => {
          const bench = new Bench([builtIn('cri')], limit);
          const expected = { stdout: '', stderr: '' } as Record<string, string>;
          for (const { stream, mark, text } of parts) {
            bench.push(cri(stream, mark, text));
            expected[stream] += text;
          }
          const all = bench.end().join('');
          const sorted = (text: string) => [...text].sort().join('');
          assert.equal(sorted(all), sorted(expected['stdout']! + expected['stderr']!));
        },
      ),
    );
  });
});

describe('multiline reads times', () => {
  const cases: readonly [string, number | undefined, number][] = [
    ['2024-05-01T10:00:00.123456789Z', Date.UTC(2024, 4, 1, 10) / 1000, 123456789],
    ['2024-02-29T23:59:59Z', Date.UTC(2024, 1, 29, 23, 59, 59) / 1000, 0],
    ['1999-12-31T23:30:00.5+02:00', Date.UTC(1999, 11, 31, 21, 30) / 1000, 500_000_000],
    ['2024-05-01T10:00:00-0330', Date.UTC(2024, 4, 1, 13, 30) / 1000, 0],
    ['2024-05-01T10:00:00.1234567891Z', Date.UTC(2024, 4, 1, 10) / 1000, 123456789],
    ['2024-13-01T10:00:00Z', undefined, 0],
    ['2024-05-01T10:00:00', undefined, 0],
    ['not a time at all, really', undefined, 0],
  ];
  for (const [text, seconds, nanos] of cases) {
    it(text, () => {
      const time = new LineTime();
      const bytes = Buffer.from(`>${text}<`);
      const isRead = time.read(bytes, 1, bytes.length - 1);
      assert.equal(isRead, seconds !== undefined);
      if (isRead) assert.deepEqual([time.seconds, time.nanos], [seconds, nanos]);
    });
  }
});
