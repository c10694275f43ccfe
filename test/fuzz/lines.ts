import assert from 'node:assert/strict';
import { ColumnOrder } from '../../core/batch/column_order.ts';
import { BatchEncoder } from '../../core/kernel/batch_encoder.ts';
import type { Field } from '../../core/batch/field.ts';
import type { Kernel } from '../../core/kernel/kernel.ts';
import { splitLines, splitLinesInScript } from '../../core/kernel/split_lines.ts';
import { compileRegex } from '../../core/regex/regex.ts';
import type { BatchFilter } from '../../core/sdk/contracts.ts';
import { plugin as grok } from '../../plugins/filters/grok/index.ts';
import {
  builtInDefinition,
  compileMultiline,
  containerRules,
  MultilineAssembler,
  type MultilineRules,
} from '../../plugins/shared/multiline/index.ts';
import { emptyBatch } from '../unit/kernel/batches.ts';
import { batchOf, runFilter, testContext } from '../unit/parsers/parsing_fixture.ts';
import type { FuzzTarget } from './targets.ts';

const lineFeed = 0x0a;

const accessLine =
  '203.0.113.7 - frank [10/Oct/2026:13:55:36 +0000] "GET /a?b=c%20d HTTP/1.1" 200 2326 "-" "curl/8.5"';
const otherLines = [
  '<34>Oct 11 22:14:15 host su[12]: failed for ☃ on /dev/pts/8',
  '2026-10-11T22:14:15.003Z ERROR [main] a.b.C - took 12.5 ms',
  '2026-10-11T22:14:15.003000000Z stdout P half of it',
  '2026-10-11T22:14:15.003000000Z stdout F the rest',
  '{"log":"a line\\n","stream":"stderr","time":"2026-10-11T22:14:15.003000000Z"}',
];
const traces = [
  'Exception in thread "main" java.lang.RuntimeException: no\n\tat a.B.c(B.java:2)\nCaused by: x.Error: y\n\t... 2 more',
  'Traceback (most recent call last):\n  File "/a.py", line 3, in <module>\n    run()\nValueError: bad',
  'panic: no\n\ngoroutine 4 [running]:\nmain.f(0xc42)\n  foo.go:6 +0x39\ncreated by main.main\n  foo.go:5 +0x58',
  "/a.rb:6:in `/': divided by 0 (ZeroDivisionError)\n\tfrom /a.rb:6:in `<main>'",
];

/**
 * Hostile lines through what raw lines go through: they are split, put together by the built-in
 * multiline rules, matched by grok and written as JSON, by the kernel and without it. Both say the
 * same, no line is lost or made up, and each record is JSON.
 */
export function lines(kernel: Kernel | undefined): FuzzTarget {
  const matching = [kernel, undefined].map((memory) => new Matching(memory));
  return {
    corpus: [
      `${accessLine}\n${accessLine}\r\n`,
      `${otherLines.join('\n')}\n`,
      `${traces.join('\n')}\nplain\n`,
      `${[accessLine, ...otherLines].join('\r\n')}`,
    ],
    pieces: ['\r', '\n\n', '\ud83d', 'x'.repeat(63), '"', '\\x', '\x1b[0m', '\u0085', ' - - ['],
    edge: '\n',
    take: async (given) => {
      const bytes = Buffer.from(given);
      const text = bytes.toString();
      splitAlike(kernel, bytes);
      const all = text.split('\n').map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
      for (const name of ['java', 'python', 'go', 'ruby']) joinsAll(name, all);
      for (const name of ['cri', 'docker'] as const) assembled(containerRules(name, 4000), all);
      const some = all.slice(0, 300);
      const [byKernel, byScript] = [await matching[0]!.match(some), await matching[1]!.match(some)];
      assert.deepEqual(byKernel, byScript, 'the kernel and JavaScript differ');
      assert.equal(byKernel!.length, some.length);
    },
  };
}

/** Grok and the encoder, over lines in a batch. */
class Matching {
  readonly #kernel: Kernel | undefined;
  readonly #filter: BatchFilter;
  readonly #encoder: BatchEncoder;
  readonly #order: ColumnOrder;

  constructor(kernel: Kernel | undefined) {
    this.#kernel = kernel;
    const patterns = [
      '%{COMBINEDAPACHELOG}',
      '^<%{NONNEGINT:pri:int}>%{SYSLOGBASE} %{GREEDYDATA:rest}$',
      '^%{TIMESTAMP_ISO8601:at} +%{LOGLEVEL:level} +\\[%{DATA:thread}\\] %{JAVACLASS:class} - %{GREEDYDATA:text}',
    ];
    // What a busy machine cannot do in its time would differ; `grok` makes a BatchFilter.
    const options = { patterns, timeout_millis: 60_000 };
    const declared: string[] = [];
    const declare = (field: Field) => {
      declared.push(field.name);
      return field;
    };
    const context = { ...testContext({}, kernel), declare };
    this.#filter = grok.create(options, context) as BatchFilter;
    this.#order = new ColumnOrder(declared);
    this.#encoder = new BatchEncoder(kernel, {});
  }

  async match(texts: readonly string[]): Promise<string[]> {
    const batch = batchOf(
      texts.map((line) => ({ line })),
      this.#kernel,
    );
    batch.setOrder(this.#order);
    await runFilter(this.#filter, batch);
    const records: string[] = [];
    this.#encoder.encode(batch, batch.select, {
      appendRun(bytes, start, _end, _from, _events, ends, count) {
        let at = start;
        for (let i = 0; i < count; i++) {
          records.push(bytes.toString('utf8', at, ends[i]!));
          at = ends[i]!;
        }
      },
    });
    for (const [index, record] of records.entries()) {
      const { log } = JSON.parse(record) as { log: unknown };
      assert.equal(log, Buffer.from(texts[index]!).toString(), 'the line itself is another');
    }
    return records;
  }
}

/** The kernel and JavaScript find the same lines. */
function splitAlike(kernel: Kernel | undefined, bytes: Buffer): void {
  const batch = emptyBatch(kernel);
  const { dataStart } = batch;
  bytes.copy(batch.bytes, dataStart);
  const { rootStart, rootEnd } = batch;
  const end = dataStart + bytes.length;
  const count = splitLines(kernel, batch.bytes, dataStart, end, rootStart, rootEnd, 2048);
  const [starts, ends] = [new Int32Array(2048), new Int32Array(2048)];
  assert.equal(splitLinesInScript(bytes, 0, bytes.length, starts, ends, 2048), count);
  for (let i = 0; i < count; i++) {
    assert.equal(rootStart[i]! - dataStart, starts[i]);
    assert.equal(rootEnd[i]! - dataStart, ends[i]);
    assert.equal(bytes.subarray(starts[i], ends[i]).includes(lineFeed), false);
  }
}

const machines = new Map<string, MultilineRules>();

/** Records of a state machine are its lines, in order, none left out. */
function joinsAll(name: string, all: readonly string[]): void {
  let rules = machines.get(name);
  if (rules === undefined) {
    rules = compileMultiline(
      builtInDefinition(name)!,
      (source) => compileRegex(source),
      () => assert.fail('no rule has a parser'),
    );
    machines.set(name, rules);
  }
  assert.deepEqual(assembled(rules, all).join('\n').split('\n'), all, name);
}

function assembled(rules: MultilineRules, all: readonly string[]): string[] {
  const contents: string[] = [];
  const assembler = new MultilineAssembler([rules], { bytesMax: 1e6, onCut: () => undefined });
  const receive = (record: Parameters<Parameters<typeof assembler.flushAll>[0]>[0]) => {
    assert.ok(record.offset >= 0 && record.offsetEnd > record.offset, 'an offset is wrong');
    contents.push(record.bytes.toString('utf8', record.start, record.end));
  };
  let offset = 0;
  for (const [index, line] of all.entries()) {
    const bytes = Buffer.from(line);
    const offsetEnd = offset + bytes.length + 1;
    assembler.push({ bytes, start: 0, end: bytes.length, offset, offsetEnd }, index, receive);
    offset = offsetEnd;
  }
  assembler.flushAll(receive);
  return contents;
}
