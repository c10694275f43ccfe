import assert from 'node:assert/strict';
import {
  copyFileSync,
  existsSync,
  readFileSync,
  renameSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { inPlace, type TailPlace, type TailRun } from './tail_harness.ts';

type Step =
  | { readonly kind: 'append'; readonly lines: number }
  | { readonly kind: 'rename' | 'copytruncate' | 'compress' | 'restart' | 'settle' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      lines: fc.integer({ min: 1, max: 3000 }),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ kind: 'rename' as const }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'copytruncate' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'compress' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'restart' as const }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'settle' as const }) },
);

/** Writes numbered lines and rotates, keeping all older files. */
class Writer {
  written = 0;
  private readonly place: TailPlace;

  constructor(place: TailPlace) {
    this.place = place;
    place.write('a.log', '');
  }

  append(lines: number): void {
    const to = this.written + lines;
    let text = '';
    while (this.written < to) text += `line ${this.written++} ${'.'.repeat(this.written % 90)}\n`;
    this.place.append('a.log', text);
  }

  rotate(way: 'rename' | 'copytruncate'): void {
    for (let index = 40; index >= 1; index--) {
      for (const end of ['', '.gz']) {
        const from = this.place.at(`a.log.${index}${end}`);
        if (existsSync(from)) renameSync(from, this.place.at(`a.log.${index + 1}${end}`));
      }
    }
    if (way === 'rename') {
      renameSync(this.place.at('a.log'), this.place.at('a.log.1'));
      writeFileSync(this.place.at('a.log'), '');
    } else {
      copyFileSync(this.place.at('a.log'), this.place.at('a.log.1'));
      truncateSync(this.place.at('a.log'), 0);
    }
  }

  compress(): void {
    const file = this.place.at('a.log.2');
    if (!existsSync(file)) return;
    writeFileSync(`${file}.gz`, gzipSync(readFileSync(file)));
    unlinkSync(file);
  }
}

describe('tail, whatever happens to its files,', () => {
  it('gives each line once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 14 }), (steps) =>
        inPlace(async (place) => {
          const options = { path: ['a.log*'] };
          const writer = new Writer(place);
          const seen: string[] = [];
          let run = place.run(options);
          const all = (current: TailRun) => () =>
            seen.length + current.sent.length >= writer.written;
          for (const one of steps) {
            if (one.kind === 'append') writer.append(one.lines);
            else if (one.kind === 'compress') {
              // As logrotate with delaycompress: a file is compressed long after it was read.
              await run.until(all(run), 'all lines');
              writer.compress();
            } else if (one.kind === 'settle') await run.until(all(run), 'all lines');
            else if (one.kind === 'restart') {
              await run.stop();
              seen.push(...run.lines);
              run = place.run(options);
            } else writer.rotate(one.kind);
          }
          await run.until(all(run), 'all lines');
          await run.stop();
          seen.push(...run.lines);
          const numbers = seen.map((line) => Number(line.split(' ')[1])).sort((a, b) => a - b);
          assert.deepEqual(
            numbers,
            Array.from({ length: writer.written }, (_, i) => i),
          );
        }),
      ),
      { numRuns: 20 },
    );
  });
});
