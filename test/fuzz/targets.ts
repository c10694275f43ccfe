import assert from 'node:assert/strict';
import { isJsonObject } from '../../core/batch/json_bytes.ts';
import { loadConfig } from '../../core/config/load.ts';
import { schemaOf } from '../../core/config/schema_of.ts';
import { SluiceError } from '../../core/errors/sluice_error.ts';
import { compileExpression } from '../../core/expression/expression.ts';
import { JsonValidator } from '../../core/kernel/json_scan.ts';
import type { Kernel } from '../../core/kernel/kernel.ts';
import { compileRegex, RegexBudgetError } from '../../core/regex/regex.ts';
import { plugin as httpInput } from '../../plugins/inputs/http/index.ts';
import { verdictOf as clickhouseVerdict } from '../../plugins/outputs/clickhouse/verdict.ts';
import { readBulkResponse } from '../../plugins/outputs/elasticsearch/bulk_response.ts';
import { verdictOf as lokiVerdict } from '../../plugins/outputs/loki/verdict.ts';
import { plugin as stdout } from '../../plugins/outputs/stdout/index.ts';
import { compileGrok, grokLine } from '../../plugins/shared/grok/grok.ts';
import { emptyBatch, putTexts } from '../unit/kernel/batches.ts';
import { fieldsOf, makeParser } from '../unit/parsers/parsing_fixture.ts';
import { httpBodies } from './http_bodies.ts';
import { lines } from './lines.ts';
import { segments } from './segments.ts';

/** Something that takes hostile text. `take` throws when a promise does not hold: anything but the
 *  one error that says what is wrong with the text. */
export interface FuzzTarget {
  readonly corpus: readonly string[];
  /** What hostile texts are made of, beside what all targets have. */
  readonly pieces?: readonly string[];
  /** How a part of the format begins; cuts fall there as often as anywhere. */
  readonly edge?: string;
  take(text: string): void | Promise<void>;
}

const patternLines = ['GET /a?b=1 200 12', '2024-03-09 12:00:00 ERROR [x] a=b', 'aaaaaaaaaaaaaaa!'];

/** A text is taken, or refused with an error of ours. */
function refusable<Result>(work: () => Result): Result | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof SluiceError || error instanceof RegexBudgetError) return undefined;
    throw error;
  }
}

function parserTarget(format: string, corpus: readonly string[], options = {}): FuzzTarget {
  const parser = makeParser(format, options);
  return {
    corpus,
    take(text) {
      const fields = fieldsOf(parser, text);
      assert.ok(fields === null || typeof fields === 'object');
    },
  };
}

/** All targets. With a kernel, what it says must be what JavaScript says. */
export function fuzzTargets(kernel: Kernel | undefined): Readonly<Record<string, FuzzTarget>> {
  const jsonLines = [
    '{"a":1,"b":[1,2.5e3,{"c":null}],"text":"\\u00e9\\n","t":true}',
    ' { "x" : { "y" : { } } , "": "" } ',
    '{"level":"error","msg":"a \\"b\\" c","time":"2024-03-09T12:00:00Z","n":9007199254740993}',
  ];
  return {
    yaml: {
      corpus: [
        "service: {flush: 1s, log_level: info}\npipeline:\n  inputs:\n    - name: http\n      port: 9880\n  outputs:\n    - {name: stdout, match: '*'}\n",
        'env: {A: b}\nparsers:\n  - {name: p, format: json}\npipeline:\n  inputs: [&i {name: http, tag: \'${A}\'}]\n  outputs:\n    - name: stdout\n      match: a.*\n      when: level >= "ERROR"\n',
        'include: [other.yaml]\npipeline:\n  inputs: []\n  outputs: []\n',
      ],
      take(text) {
        const result = loadConfig({
          files: ['/pipeline.yaml'],
          cwd: '/',
          env: { A: 'x' },
          plugins: [httpInput, stdout].map((plugin) => schemaOf(plugin)),
          builtinParsers: [],
          builtinMultilineParsers: [],
          access: { readFile: () => text },
        });
        assert.ok(result.config !== undefined || result.diagnostics.length > 0);
      },
    },
    expression: {
      corpus: [
        'level >= "ERROR" and status in [500, 502]',
        'not (a.b == 1 or $c["d"] != null) and msg =~ "^x+$"',
        'exists(a) and tag == "x" or tags contains "y"',
        '[a][b] < -1.5e3 and !(x !~ /y/)',
      ],
      take(text) {
        const compiled = refusable(() => compileExpression(text, { compileRegex }));
        if (compiled === undefined) return;
        for (const value of [undefined, null, 1, 'ERROR', [], {}, true, 2n]) {
          refusable(() => compiled.evaluate({ tag: 'x', get: () => value }));
        }
      },
    },
    grok: {
      corpus: [
        '%{WORD:method} %{URIPATHPARAM:path} %{NUMBER:status:int} (?<bytes>\\d+)',
        '^%{TIMESTAMP_ISO8601:time} %{LOGLEVEL:level} \\[%{DATA:[a][b]}\\] %{GREEDYDATA:rest}$',
        '(?i)(?:a|b)*+[^\\x00-\\x1f&&[^a-z]]{2,5}?(?=x)(?<!y)\\k<bytes>\\h\\R\\p{Alpha}',
      ],
      take(text) {
        const grok = refusable(() => compileGrok({ patterns: [text], stepBudget: 20_000 }));
        if (grok === undefined) return;
        // What needs the guard runs under it in a pipeline: see the attack on delays.
        if (grok.needsGuard(40)) return;
        for (const line of patternLines) refusable(() => grokLine(grok, line));
      },
    },
    json: {
      corpus: jsonLines,
      take(text) {
        if (Buffer.byteLength(text) > 100_000) return;
        const batch = emptyBatch(kernel);
        const { starts, ends } = putTexts(batch, [text]);
        batch.rootStart.set(starts);
        batch.rootEnd.set(ends);
        const validator = new JsonValidator(kernel);
        validator.validate(batch, batch.rootStart, batch.rootEnd);
        const inKernel = validator.valid[0] === 1;
        validator.close();
        const inScript = isJsonObject(batch.bytes, starts[0]!, ends[0]!);
        assert.equal(inKernel, inScript, 'the kernel and JavaScript differ');
        const parsed = parsedObject(text);
        if (inScript) assert.ok(parsed, 'taken although it is no JSON object');
      },
    },
    json_parser: parserTarget('json', jsonLines),
    csv: parserTarget('csv', ['a,b,c', '"a ""b""",,3', '1;2;"3\n4"'], { columns: ['x', 'y', 'z'] }),
    logfmt: parserTarget('logfmt', ['a=1 b="c d" e', 'level=info msg="x \\"y\\""']),
    syslog: parserTarget('syslog', [
      '<34>1 2024-03-09T12:00:00.123Z host app 1 id [x@1 a="b\\]"][y] text',
      '<13>Mar  9 12:00:00 host app[12]: text',
    ]),
    http_body: httpBodies(kernel),
    segment: segments(),
    lines: lines(kernel),
    elasticsearch: {
      corpus: [
        '{"errors":false}',
        '{"errors":true,"items":[{"create":{"status":201}},{"create":{"status":429,"error":{"type":"es_rejected_execution_exception","reason":"full"}}}]}',
        '{"error":{"type":"illegal_argument_exception","reason":"x"},"status":400}',
      ],
      take(text) {
        for (const status of [200, 400, 413, 429, 503]) {
          const response = { status, body: Buffer.from(text), truncated: false };
          const facts = {
            count: 2,
            bytes: 100,
            operation: 'create',
            isNamedByRecords: false,
          } as const;
          const outcome = readBulkResponse(response, facts);
          if (outcome.kind !== 'partial') continue;
          // No record is both, and none is outside of the request.
          const indices = [...outcome.retry, ...outcome.rejected.map(({ index }) => index)];
          assert.equal(new Set(indices).size, indices.length);
          for (const index of indices) assert.ok(index >= 0 && index < 2);
        }
      },
    },
    clickhouse: {
      corpus: [
        "Code: 27. DB::ParsingException: Cannot parse input: expected ',' before: x: (at row 2): While executing X",
        'Code: 60. DB::Exception: Table a.b does not exist. (UNKNOWN_TABLE)',
      ],
      take(text) {
        for (const code of [0, 27, 60, 117, 252]) {
          const verdict = clickhouseVerdict({ status: 500, code, text, retryAfter: text }, 0);
          assert.ok(verdict.kind !== 'inserted');
        }
      },
    },
    loki: {
      corpus: [
        'entry with timestamp 2024-03-09 12:00:00 ignored, reason: entry too far behind',
        '',
      ],
      take(text) {
        for (const status of [400, 429, 500]) {
          assert.ok(lokiVerdict({ status, text, retryAfter: text }, 0).kind !== 'taken');
        }
      },
    },
  };
}

function parsedObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
