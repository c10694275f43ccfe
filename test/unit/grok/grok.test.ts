import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { describe, test } from 'node:test';
import { SluiceError } from '../../../core/errors/sluice_error.ts';
import { explainGrok } from '../../../plugins/shared/grok/explain.ts';
import {
  compileGrok,
  type GrokOptions,
  grokLine,
  setCapture,
} from '../../../plugins/shared/grok/grok.ts';
import {
  definitionsEndingInBlanks,
  loadPatternFiles,
} from '../../../plugins/shared/grok/pattern_files.ts';

function fieldsOf(pattern: string, line: string, options: Partial<GrokOptions> = {}) {
  return grokLine(compileGrok({ patterns: [pattern], ...options }), line);
}

function refused(options: GrokOptions, pattern: RegExp): void {
  assert.throws(
    () => compileGrok(options),
    (error) =>
      error instanceof SluiceError &&
      error.code === 'SLUICE_GROK_INVALID' &&
      pattern.test(error.message),
  );
}

describe('captures', () => {
  test('int and float convert as Ruby does', () => {
    assert.deepEqual(
      fieldsOf('%{NOTSPACE:a:int} %{NOTSPACE:b:float} %{NOTSPACE:c:int}', '-12x 3.5e2s none'),
      {
        a: -12,
        b: 350,
        c: 0,
      },
    );
    assert.deepEqual(fieldsOf('%{INT:a:long} %{WORD:b:boolean} %{INT:c:nope}', '7 TRUE 8'), {
      a: 7,
      b: true,
      c: '8',
    });
  });

  test('an integer beyond 2^53 stays exact in the field list', () => {
    const fields = compileGrok({ patterns: ['%{INT:a:int}'] }).matchToFields('9007199254740993');
    assert.deepEqual(fields, [{ path: ['a'], value: 9007199254740993n }]);
  });

  test('a field captured twice becomes a list, but never after a number', () => {
    assert.deepEqual(fieldsOf('%{WORD:a} %{INT:a}', 'x 1'), { a: ['x', '1'] });
    assert.deepEqual(fieldsOf('%{INT:a:int} %{WORD:a}', '1 x'), { a: 1 });
  });

  test('only the first use of a converted field converts, as in Logstash', () => {
    assert.deepEqual(fieldsOf('(?:a%{INT:n:int}|b%{INT:n:int})', 'b5'), { n: '5' });
  });

  test('names nest, and inline groups take nested names too', () => {
    assert.deepEqual(fieldsOf('%{WORD:[a][b]} (?<[a][c]>\\d+) (?<d.e>x)', 'w 1 x'), {
      a: { b: 'w', c: '1' },
      'd.e': 'x',
    });
  });

  test('unnamed uses are captured on request', () => {
    assert.deepEqual(fieldsOf('%{WORD} %{INT:n}', 'a 1', { namedCapturesOnly: false }), {
      WORD: 'a',
      n: '1',
    });
  });

  test('empty captures are dropped or kept', () => {
    assert.deepEqual(fieldsOf('<%{DATA:a}>(?:%{INT:b})?', '<>'), {});
    assert.deepEqual(fieldsOf('<%{DATA:a}>(?:%{INT:b})?', '<>', { keepEmptyCaptures: true }), {
      a: '',
      b: null,
    });
  });

  test('a parent that is no object is left alone', () => {
    const event = { a: 'text' };
    assert.equal(setCapture(event, ['a', 'b'], 'x'), false);
    assert.deepEqual(event, { a: 'text' });
    assert.deepEqual(fieldsOf('%{WORD:__proto__}', 'x')?.['polluted'], undefined);
  });

  test('overwriting replaces the value', () => {
    const event = { message: 'old' };
    setCapture(event, ['message'], 'new', true);
    assert.deepEqual(event, { message: 'new' });
  });
});

describe('several patterns', () => {
  const patterns = ['a%{INT:x}', '%{WORD:w}'];
  test('the first that matches wins', () => {
    assert.deepEqual(grokLine(compileGrok({ patterns }), 'b1'), { w: 'b1' });
    assert.deepEqual(grokLine(compileGrok({ patterns }), 'a1'), { x: '1' });
    assert.equal(grokLine(compileGrok({ patterns }), '--'), null);
  });
  test('all are applied without break_on_match', () => {
    assert.deepEqual(grokLine(compileGrok({ patterns, breakOnMatch: false }), 'a1'), {
      x: '1',
      w: 'a1',
    });
  });
});

describe('definitions', () => {
  test('inline ones win over files, files over the library', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'sluice-grok-'));
    try {
      await writeFile(join(directory, 'own'), '# comment\nWORD [a-z]+\n\nQUEUE [0-9A-F]{4}\nODD\n');
      const patternFiles = await loadPatternFiles([directory]);
      const options = { patternFiles, patternDefinitions: { WORD: '[A-Z]+' } };
      assert.deepEqual(fieldsOf('%{WORD:w} %{QUEUE:q}', 'ab CD BEF2', options), {
        w: 'CD',
        q: 'BEF2',
      });
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  test('directories and globs name files, hidden ones and directories within left out', async () => {
    const root = await mkdtemp(join(tmpdir(), 'sluice-grok-[x] '));
    try {
      await mkdir(join(root, 'a'));
      await mkdir(join(root, 'b', 'c.grok'), { recursive: true });
      const files = ['z.grok', 'a/1.grok', 'a/2.txt', 'a/.hidden', 'b/3.grok', 'b/c.grok/4'];
      for (const file of files) await writeFile(join(root, file), `${file.toUpperCase()} x\n`);
      const named = async (path: string, glob?: string) =>
        (await loadPatternFiles([path], glob)).map(({ name }) => relative(root, name));
      const escaped = root.replace(/[[\]]/g, '\\$&');
      assert.deepEqual(await named(root), ['z.grok']);
      assert.deepEqual(await named(join(root, 'a')), ['a/1.grok', 'a/2.txt']);
      assert.deepEqual(await named(join(root, 'a'), '*.grok'), ['a/1.grok']);
      assert.deepEqual(await named(join(root, 'a'), 'none'), []);
      assert.deepEqual(await named(`${escaped}/*/*.grok`), ['a/1.grok', 'b/3.grok']);
      const deep = ['a/1.grok', 'b/3.grok', 'z.grok'];
      assert.deepEqual(await named(`${escaped}/**/*.grok`), deep);
      assert.deepEqual(await named(`${escaped}/{a,b}/?.{grok,txt}`), [
        'a/1.grok',
        'a/2.txt',
        'b/3.grok',
      ]);
      await assert.rejects(named(`${escaped}/*.none`), /\*\.none: no file matches/);
    } finally {
      await rm(root, { recursive: true });
    }
  });

  test('a missing path is named', async () => {
    await assert.rejects(loadPatternFiles(['/nonexistent/patterns']), /nonexistent/);
  });

  test('blanks behind an expression belong to it, and can be found out', () => {
    const patternFiles = [{ name: 'f', text: 'A x \r\nB y\n' }];
    assert.deepEqual(fieldsOf('(?<t>%{A}%{B})', 'xy x y', { patternFiles }), { t: 'x y' });
    assert.deepEqual(definitionsEndingInBlanks(patternFiles), ['A in f']);
  });

  const inPlace: readonly [string, string, Record<string, unknown> | null][] = [
    ['%{ID:id=[A-F]{3}}!', 'xx ABC!', { id: 'ABC' }],
    ['%{ID=[A-F]+}-%{ID:second}', 'AB-CD', { second: 'CD' }],
    ['%{ID:n:int=\\d{1,2}} %{ID:m}', '123 4', { n: 23, m: '4' }],
    ['%{BLOCK:b=\\{[^\\}]*\\}} end', 'a {b c} end', { b: '{b c}' }],
    ['%{PAIR:p=%{WORD:k}=%{INT:v:int}}', 'x=1', { p: 'x=1', k: 'x', v: 1 }],
    ['%{WORD:a} %{WORD:b=[0-9]+} %{WORD:c}', 'x 1 2', { a: 'x', b: '1', c: '2' }],
    ['%{WORD:a} %{WORD:b=[0-9]+} %{WORD:c}', 'x 1 y', null],
    ['%{[a][b]=x}', '%{[a][b]=x', null],
  ];
  for (const [pattern, line, fields] of inPlace) {
    test(`${pattern} defines in place what ${line} shows`, () => {
      assert.deepEqual(grokLine(compileGrok({ patterns: [pattern] }), line), fields);
    });
  }

  test('a definition in place is for one pattern', () => {
    const patterns = ['^%{WORD:a=[0-9]+}$', '%{WORD:b}'];
    assert.deepEqual(grokLine(compileGrok({ patterns }), 'x'), { b: 'x' });
  });

  test('unknown names, recursion and broken definitions are refused', () => {
    refused({ patterns: ['%{WORT:x}'] }, /unknown pattern WORT, did you mean WORD/);
    refused({ patterns: ['%{A}'], patternDefinitions: { A: '%{B}', B: 'x%{A}' } }, /A > B > A/);
    refused({ patterns: ['%{A}'], patternDefinitions: { A: '%{NOPE_NOPE}' } }, /used by A/);
    refused({ patterns: ['%{A=%{A}x}'] }, /A > A/);
    refused({ patterns: ['%{A:x=a{2}'] }, /definition of A in place does not end/);
    refused({ patterns: [] }, /at least one/);
    assert.throws(
      () => compileGrok({ patterns: ['%{A}'], patternDefinitions: { A: 'x(' } }),
      /position 2 of pattern A/,
    );
  });

  test('a use can be repeated, and a percent sign is only a percent sign', () => {
    assert.deepEqual(fieldsOf('(?<all>%{INT}{2}) 5% %%{WORD:w}', '12 5% %x'), {
      all: '12',
      w: 'x',
    });
  });
});

describe('text', () => {
  test('a dot matches line feeds; ^ and $ are line anchors', () => {
    assert.deepEqual(fieldsOf('^b%{GREEDYDATA:rest}', 'a\nb1\nc'), { rest: '1\nc' });
  });

  test('a loop keeps the last value of each of its groups', () => {
    assert.deepEqual(fieldsOf('(?:%{INT:n} |%{WORD:w} )+', '1 a 2 '), { n: '2', w: 'a' });
  });

  test('a pattern that runs away is marked for the guard', () => {
    assert.equal(
      compileGrok({ patterns: ['(?:a+)+b$|(?<x>(?:\\w+\\s?)*):'] }).needsGuard(100),
      true,
    );
    assert.equal(compileGrok({ patterns: ['^%{INT:a} %{WORD:b}$'] }).needsGuard(100), false);
  });

  test('named patterns stay visible in the tree', () => {
    const { ast } = compileGrok({ patterns: ['%{INT:a:int}-%{WORD}'] }).patterns[0]!;
    assert.equal(ast.kind, 'sequence');
    const uses =
      ast.kind === 'sequence' ? ast.items.filter((item) => item.kind === 'reference') : [];
    assert.deepEqual(
      uses.map(({ name, semantic, type }) => ({ name, semantic, type })),
      [
        { name: 'INT', semantic: 'a', type: 'int' },
        { name: 'WORD', semantic: undefined, type: undefined },
      ],
    );
  });
});

describe('explaining', () => {
  test('shows the first element that did not match and where', () => {
    const grok = compileGrok({ patterns: ['%{IP:client} %{WORD:verb} \\[%{INT:n}\\]'] });
    const explained = explainGrok(grok, '10.0.0.1 GET [x]');
    assert.deepEqual(
      { ...explained, elements: explained.elements.length },
      {
        matched: false,
        pattern: 0,
        elements: 6,
        matchedElements: 4,
        start: 0,
        position: 14,
        expected: '%{INT:n}',
      },
    );
    assert.equal(explainGrok(grok, '10.0.0.1 GET [7]').matched, true);
  });

  test('looks into composed patterns and takes the pattern that got furthest', () => {
    const grok = compileGrok({ patterns: ['%{INT:n}$', '%{COMMONAPACHELOG}'] });
    const explained = explainGrok(grok, '1.2.3.4 - - [10/Oct/2000:13:55:36 -0700] GET');
    assert.equal(explained.pattern, 1);
    assert.equal(explained.position, 41);
    assert.equal(explained.expected, '"\\""');
  });
});
