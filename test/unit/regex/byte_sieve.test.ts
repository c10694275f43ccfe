import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { byteSieve } from '../../../core/regex/byte_sieve.ts';
import { compileRegex } from '../../../core/regex/regex.ts';
import { builtInDefinition } from '../../../plugins/shared/multiline/index.ts';
import { LineText } from '../../../plugins/shared/multiline/line_text.ts';
import { WatchedPattern } from '../../../plugins/shared/multiline/watched_pattern.ts';

const sources = [
  ...['java', 'python', 'go', 'ruby'].flatMap((name) =>
    builtInDefinition(name)!.rules.map(({ regex }) => regex),
  ),
  '^\\d{4}-\\d\\d',
  '^(?:[a-c]|é)x*$',
  '^x*$',
  '^(?:x|)y?',
  '\\A(?>a+)ab',
  '^a(?=b)',
  '^a\\b',
  '(?i)error',
  '^[^a]',
  '(?:foo|bar(?:baz)+)[12]',
  '(?:foo|ba)r',
  '(?:abc)?def',
  'x{2,}yyy|zzzz',
  '^日本',
];

const pieces = fc.constantFrom(
  ...[
    '\tat ',
    ' ',
    'eval ',
    'Caused by:',
    'Error',
    '.Exception:',
    'x',
    'a',
    'b',
    'é',
    '日本',
    '\n',
  ],
  ...[
    '2024-05',
    '\r',
    'error',
    'foo',
    'bar',
    'baz1',
    'def',
    'yyy',
    'zzzz',
    'panic: ',
    '... 3 more',
  ],
  ...['goroutine 1 [x]:', 'File ', 'V8 errors stack trace', 'from a:1:in b', ''],
);
const text = fc.oneof(
  fc.array(pieces, { maxLength: 5 }).map((parts) => parts.join('')),
  fc.string({ maxLength: 40 }),
);

describe('a sieve of bytes', () => {
  for (const source of sources) {
    it(`decides on bytes as the expression does on text: ${source}`, () => {
      const regex = compileRegex(source);
      const sieve = byteSieve(source);
      const pattern = new WatchedPattern({
        test: (one) => regex.test(one),
        sieve,
        matched(one) {
          const match = regex.exec(one);
          return match === null ? undefined : one.slice(match.index, match.end);
        },
      });
      const line = new LineText();
      const check = fc.property(text, (one) => {
        const bytes = Buffer.from(`<${one}>`);
        const isOneLine = !one.includes('\n');
        const expected = regex.test(one);
        line.set(bytes, 1, bytes.length - 1, isOneLine);
        assert.equal(pattern.testLine(line), expected);
        if (expected) assert.ok(sieve.mayMatch(bytes, 1, bytes.length - 1, isOneLine));
      });
      fc.assert(check, { numRuns: 400 });
    });
  }

  it('rules lines out that lack what every match has', () => {
    const rulesOut = (source: string, one: string): boolean =>
      !byteSieve(source).mayMatch(Buffer.from(one), 0, Buffer.byteLength(one), true);
    const [error] = builtInDefinition('java')!.rules;
    assert.ok(rulesOut(error!.regex, '2024-05-01 INFO nothing of note here'));
    assert.ok(!rulesOut(error!.regex, 'java.lang.Error'));
    assert.ok(rulesOut('^[\\t ]+at ', 'plain'));
    assert.ok(rulesOut('^[\\r\\n]*$', 'plain'));
  });
});
