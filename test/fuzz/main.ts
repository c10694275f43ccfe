import { parseArgs } from 'node:util';
import { loadKernel } from '../../core/kernel/kernel.ts';
import { fuzz } from './fuzz.ts';
import { fuzzTargets } from './targets.ts';
import { knownRunaways, runawayDelays } from './runaway_delays.ts';
import { hardestPatterns, searchWorst } from './worst_patterns.ts';

/** `npm run fuzz -- TARGET [--seconds N] [--seed N]`: hostile texts for one target, or for `all`;
 *  `patterns` searches for patterns that run away and are let run without a watchdog; `delays` shows
 *  how long runaway patterns make the batches of another input wait. */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: 'string' }, seconds: { type: 'string' } },
});
const targets = fuzzTargets(loadKernel());
const names = positionals[0] === 'all' ? Object.keys(targets) : positionals;
const seed = Number(values.seed ?? Date.now() % 1_000_000_000);
const seconds = Number(values.seconds ?? 600);
if (names[0] === 'patterns') {
  const endMs = performance.now() + seconds * 1000;
  let tried = 0;
  for (let at = seed; performance.now() < endMs; at++) {
    const found = searchWorst(at, 100);
    tried += 100;
    for (const one of found) console.log(JSON.stringify({ seed: at, ...one }));
    if (found.length > 0) process.exitCode = 1;
  }
  console.log(JSON.stringify({ target: 'patterns', seed, tried }));
} else if (names[0] === 'delays') {
  // All places, or those whose names have a part of the second word.
  const runaways = [...knownRunaways, ...hardestPatterns(seed, 5)];
  let worstMs = 0;
  for await (const delay of runawayDelays(runaways, names[1])) {
    console.log(JSON.stringify(delay));
    worstMs = Math.max(worstMs, delay.processorMs);
  }
  console.log(JSON.stringify({ target: 'delays', seed, worstMs }));
  if (worstMs > 50) process.exitCode = 1;
} else if (names.length === 0 || names.some((name) => targets[name] === undefined)) {
  console.error(
    `Usage: npm run fuzz -- all|patterns|delays|${Object.keys(targets).join('|')} [--seconds N]`,
  );
  process.exitCode = 2;
} else {
  for (const name of names) {
    try {
      const counts = await fuzz(targets[name]!, seed, { seconds });
      console.log(JSON.stringify({ target: name, seed, ...counts }));
    } catch (error) {
      console.error(name, error);
      process.exitCode = 1;
    }
  }
}
