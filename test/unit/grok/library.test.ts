import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compileGrok, grokLine } from '../../../plugins/shared/grok/grok.ts';
import { patternLibrary } from '../../../plugins/shared/grok/patterns/library.ts';
import { networkLines } from './library_lines_network.ts';
import { webLines } from './library_lines_web.ts';

const time = '17/May/2015:10:05:03 +0000';

describe('the pattern library', () => {
  for (const [pattern, line, legacy, ecs] of [...webLines, ...networkLines]) {
    for (const [mode, expected] of [
      ['disabled', legacy],
      ['v1', ecs],
    ] as const) {
      if (expected === undefined) continue;
      test(`${pattern} (${mode}) reads ${JSON.stringify(line.slice(0, 50))}`, () => {
        const grok = compileGrok({ patterns: [`%{${pattern}}`], ecsCompatibility: mode });
        assert.deepEqual(grokLine(grok, line), expected);
      });
    }
  }

  test('every pattern of both sets compiles, and nearly all run on the native engine', () => {
    for (const [naming, mode] of [
      ['legacy', 'disabled'],
      ['ecs', 'v1'],
    ] as const) {
      const names = Object.keys(patternLibrary(naming));
      assert.ok(names.length > 300, naming);
      const slow = names.filter((name) => {
        const grok = compileGrok({ patterns: [`%{${name}}`], ecsCompatibility: mode });
        return grok.patterns[0]!.regex.engine === 'matcher';
      });
      assert.deepEqual(
        slow.filter((name) => !name.startsWith('EXIM')),
        [],
      );
    }
  });
});

/** Whole matches of base patterns, from their first possible place; null: no match. */
const words: readonly (readonly [string, string, string | null])[] = [
  ['NUMBER', 'a -12.50.3', '-12.50'],
  ['NUMBER', '1.', '1'],
  ['NUMBER', '.5x', '.5'],
  ['INT', '+7', '+7'],
  ['POSINT', '007 10', '10'],
  ['BASE16NUM', '0xFFg', '0xFF'],
  ['WORD', 'naïve word', 'word'],
  ['QUOTEDSTRING', `x "a \\"b\\" c" y`, '"a \\"b\\" c"'],
  ['QUOTEDSTRING', '""', '""'],
  ['QUOTEDSTRING', '"open', null],
  ['UUID', '123e4567-e89b-12d3-a456-426614174000', '123e4567-e89b-12d3-a456-426614174000'],
  ['IPV4', '256.1.1.1 10.0.0.255', '10.0.0.255'],
  ['IPV6', '::1', '::1'],
  ['IPV6', 'fe80::1:2', 'fe80::1:2'],
  ['IPV6', '1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
  ['IPV6', '::ffff:192.168.1.1', '::ffff:192'],
  ['IPV6', '12:30', null],
  ['HOSTNAME', 'web-1.example.com.', 'web-1.example.com.'],
  ['MAC', '00-11-22-AA-BB-CC', '00-11-22-AA-BB-CC'],
  ['UNIXPATH', '/usr/lib/x_y-z é', '/usr/lib/x_y-z'],
  ['UNIXPATH', '/grüße/x', '/grüße/x'],
  ['WINPATH', 'C:\\Windows\\a.txt', 'C:\\Windows\\a.txt'],
  ['URI', 'see http://u:p@ex.org:80/a/b?c=d#e', 'http://u:p@ex.org:80/a/b?c=d#e'],
  ['EMAILADDRESS', 'to a.b+c@ex.org', 'a.b+c@ex.org'],
  ['MONTH', 'März', 'März'],
  ['MONTHNUM', '12', '1'],
  ['TIMESTAMP_ISO8601', '2020-02-03T04:05:06.789+01:00', '2020-02-03T04:05:06.789+01:00'],
  ['DATESTAMP_RFC2822', 'Mon, 02 Jan 2006 15:04:05 -0700', 'Mon, 02 Jan 2006 15:04:05 -0700'],
  ['HTTPDATE', time, time],
  ['LOGLEVEL', 'x WARNING y', 'WARNING'],
  ['LOGLEVEL', 'Information', 'Information'],
  ['MAVEN_VERSION', '1.1.0-SNAPSHOT', '1.1.0-SNAPSHOT'],
];

describe('base patterns', () => {
  for (const [name, text, expected] of words) {
    test(`${name} in ${JSON.stringify(text)}`, () => {
      const grok = compileGrok({ patterns: [`%{${name}:it}`] });
      assert.equal(grokLine(grok, text)?.['it'] ?? null, expected);
    });
  }
});
