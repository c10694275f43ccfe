import { test } from 'node:test';
import { loadKernel } from '../../core/kernel/kernel.ts';
import { findings } from './findings.ts';
import { fuzz } from './fuzz.ts';
import { fuzzTargets } from './targets.ts';

const targets = fuzzTargets(loadKernel());

// The short forms; `npm run fuzz -- TARGET` takes ten minutes each.
for (const [name, target] of Object.entries(targets)) {
  test(`hostile texts for ${name} are taken or refused in words, and never break anything`, () => {
    fuzz(target, 20_261_121, { texts: 600, seconds: 8 });
  });
}

test('every text that once broke something is taken or refused', () => {
  for (const { target, text } of findings) targets[target]!.take(text);
});
