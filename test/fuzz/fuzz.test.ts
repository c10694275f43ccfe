import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadKernel } from '../../core/kernel/kernel.ts';
import { findings } from './findings.ts';
import { fuzz } from './fuzz.ts';
import { bodyOutcome } from './http_bodies.ts';
import { fuzzTargets } from './targets.ts';

const kernel = loadKernel();
const targets = fuzzTargets(kernel);

/** Each text of these costs 4 to 10 ms. */
const dear = ['http_body', 'segment', 'lines'];

// The short forms; `npm run fuzz -- TARGET` takes ten minutes each.
for (const [name, target] of Object.entries(targets)) {
  test(`hostile texts for ${name} are taken or refused in words, and never break anything`, async () => {
    await fuzz(target, 20_261_121, { texts: dear.includes(name) ? 50 : 600, seconds: 8 });
  });
}

test('every text that once broke something is taken or refused', async () => {
  for (const { target, text } of findings) await targets[target]!.take(text);
});

// Found so: a byte order mark in two pieces stayed, and a record of the largest size was refused when
// its carriage return came without its line feed.
test('a body that comes byte by byte has the same records as one that comes at once', async () => {
  for (const text of targets['http_body']!.corpus) {
    const body = Buffer.from(text);
    const bytes = Array.from(body, (_, at) => body.subarray(at, at + 1));
    for (const form of ['json', 'json_lines', 'text_lines'] as const) {
      const whole = await bodyOutcome(kernel, form, [body]);
      assert.deepEqual(await bodyOutcome(kernel, form, bytes), whole, `${form}: ${text}`);
    }
  }
});
