import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { soak } from './soak.ts';
import { trendOf } from './trend.ts';

// Short forms; `npm run soak` takes an hour, and `npm run soak -- --backlog 10` ten gigabytes.
test('under load, churn and faults every line is delivered or a dead letter, exactly once', async () => {
  await inDirectory(async (directory) => {
    const results = await soak({
      ...{ directory, seed: 1, minutes: 0.1, linesPerSecond: 3000, files: 300, cycleMs: 3000 },
    });
    assert.deepEqual(results['broken'], []);
    assert.ok(Number(results['lines']) > 5000);
    assert.ok(Number(results['short_lived_files']) > 100);
  });
});

test('the trend of a line is its slope', () => {
  const samples = Array.from({ length: 60 }, (_, minute) => ({
    hours: minute / 60,
    value: 100 + minute / 30,
  }));
  assert.ok(Math.abs(trendOf(samples).perHour - 2) < 1e-9);
  assert.ok(Number.isNaN(trendOf(samples.slice(0, 2)).perHour));
});

async function inDirectory(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-soak-test-'));
  try {
    await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
