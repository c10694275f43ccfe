import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseByteSize } from '../../../core/time/byte_size.ts';

describe('parseByteSize', () => {
  const rows: readonly [value: string | number, bytes: number][] = [
    [0, 0],
    [512, 512],
    ['512', 512],
    ['512B', 512],
    ['64k', 64_000],
    ['64K', 64_000],
    ['64kb', 64_000],
    ['64KB', 64_000],
    ['64KiB', 65_536],
    ['5M', 5_000_000],
    ['5MB', 5_000_000],
    ['5 MiB', 5_242_880],
    ['1g', 1_000_000_000],
    ['1GB', 1_000_000_000],
    ['1gib', 1_073_741_824],
    ['2TB', 2_000_000_000_000],
    ['2TiB', 2_199_023_255_552],
    ['1.5k', 1500],
    ['0.0001k', 0],
    ['4.35k', 4350],
    [' 10 kb ', 10_000],
  ];
  for (const [value, bytes] of rows) {
    test(`reads ${JSON.stringify(value)} as ${bytes} bytes`, () => {
      assert.equal(parseByteSize(value), bytes);
    });
  }

  const invalid = [
    '',
    'k',
    '5x',
    '-5',
    '-1M',
    '5MM',
    '1e3',
    '1.2.3k',
    'constructor',
    '5 5k',
    '99999999TB',
    Number.NaN,
    -1,
    Number.POSITIVE_INFINITY,
  ];
  for (const value of invalid) {
    test(`refuses ${JSON.stringify(String(value))}`, () => {
      assert.throws(() => parseByteSize(value), { code: 'SLUICE_OPTION_INVALID' });
    });
  }
});
