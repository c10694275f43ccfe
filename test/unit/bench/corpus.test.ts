import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import {
  Corpus,
  corpusKinds,
  countSelected,
  droppedLines,
  recordLines,
} from '../../../bench/corpus/corpus.ts';
import { writeCorpus } from '../../../bench/corpus/corpus_files.ts';

const templateLines = 500;

describe('generated logs', () => {
  for (const kind of corpusKinds) {
    it(`${kind}: are the same each time, and others with another seed`, () => {
      const texts = [1, 1, 2].map((seed) =>
        Array.from({ length: 50 }, (_, i) => new Corpus(kind, { lines: 50, seed }).line(i)).join(),
      );
      assert.equal(texts[0], texts[1]);
      assert.notEqual(texts[0], texts[2]);
    });

    it(`${kind}: carry each line's number once, at its place in the file`, () => {
      const lines = written(new Corpus(kind, { lines: templateLines }), 0, 1300);
      assert.equal(lines.length, 1300);
      for (const [number, line] of lines.entries()) {
        assert.deepEqual(line.match(/~\d+/g), [`~${String(number).padStart(10, '0')}`], line);
      }
    });

    it(`${kind}: a line by its number is the line of the file, wherever the file begins`, () => {
      const corpus = new Corpus(kind, { lines: templateLines });
      const lines = written(corpus, 490, 600);
      for (const [i, line] of lines.entries()) assert.equal(line, corpus.line(490 + i));
    });

    it(`${kind}: sizes are known before anything is written`, () => {
      const corpus = new Corpus(kind, { lines: templateLines });
      const bytes = written(corpus, 0, 1234).reduce(
        (n, line) => n + Buffer.byteLength(line) + 1,
        0,
      );
      assert.equal(corpus.bytesOf(1234), bytes);
      assert.equal(corpus.linesOf(bytes), 1234);
      assert.equal(corpus.linesOf(bytes + 1), 1235);
    });
  }

  it('do not change unnoticed: a change makes figures incomparable and needs a new version', () => {
    const hashes = corpusKinds.map((kind) => {
      const { bytes } = new Corpus(kind, { lines: 2000 }).template;
      return `${kind} ${createHash('sha256').update(bytes).digest('hex').slice(0, 12)}`;
    });
    assert.deepEqual(hashes, expectedHashes);
  });

  it('access lines have the promised shares of IPv6 clients, host names and malformed lines', () => {
    const corpus = new Corpus('access');
    const share = (test: (line: string) => boolean): number =>
      countSelected(corpus.select(test), corpus.template.count) / corpus.template.count;
    assert.ok(Math.abs(share((line) => /^[0-9a-f:]+ - /.test(line)) - 0.03) < 0.004);
    assert.ok(Math.abs(share((line) => line.startsWith('host-')) - 0.01) < 0.003);
    const wellFormed = /^\S+ - \S+ \[[^\]]+\] "[^"]+" \d+ (?:\d+|-) "[^"]*" "(?:[^"\\]|\\.)*"$/;
    assert.ok(Math.abs(share((line) => !wellFormed.test(line)) - 0.005) < 0.002);
  });

  it('application lines are JSON, 2 % with text beyond ASCII, and those to drop are at debug', () => {
    const corpus = new Corpus('application', { lines: 5000 });
    const dropped = droppedLines(corpus);
    let foreign = 0;
    for (let i = 0; i < 5000; i++) {
      const value = JSON.parse(corpus.line(i)) as { level: string; msg: string };
      assert.equal(value.level === 'debug', dropped[i] === 1);
      if (/[^\0-\x7f]/.test(value.msg)) foreign++;
    }
    assert.ok(foreign > 60 && foreign < 150, String(foreign));
  });

  it('the records of Java lines are counted over repetitions', () => {
    const corpus = new Corpus('java', { lines: 300 });
    const selected = recordLines(corpus);
    const begins = written(corpus, 0, 1000).filter((line) => /^\d{4}-/.test(line)).length;
    assert.equal(countSelected(selected, 1000), begins);
  });
});

const expectedHashes = [
  'access 5a9ad03c2795',
  'application 2e06bf3f7b90',
  'java 688fbf56cf8e',
  'cri b47848e43c11',
];

function written(corpus: Corpus, first: number, lines: number): string[] {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-corpus-'));
  try {
    const path = join(directory, 'log');
    writeCorpus(corpus, path, first, lines);
    const text = readFileSync(path, 'utf8');
    assert.ok(text.endsWith('\n'));
    return text.slice(0, -1).split('\n');
  } finally {
    rmSync(directory, { recursive: true });
  }
}
