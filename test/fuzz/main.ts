import { parseArgs } from 'node:util';
import { loadKernel } from '../../core/kernel/kernel.ts';
import { fuzz } from './fuzz.ts';
import { fuzzTargets } from './targets.ts';

/** `npm run fuzz -- TARGET [--seconds N] [--seed N]`: hostile texts for one target, or for `all`. */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: 'string' }, seconds: { type: 'string' } },
});
const targets = fuzzTargets(loadKernel());
const names = positionals[0] === 'all' ? Object.keys(targets) : positionals;
const seed = Number(values.seed ?? Date.now() % 1_000_000_000);
const seconds = Number(values.seconds ?? 600);
if (names.length === 0 || names.some((name) => targets[name] === undefined)) {
  console.error(`Usage: npm run fuzz -- all|${Object.keys(targets).join('|')} [--seconds N]`);
  process.exitCode = 2;
} else {
  for (const name of names) {
    try {
      console.log(
        JSON.stringify({ target: name, seed, ...fuzz(targets[name]!, seed, { seconds }) }),
      );
    } catch (error) {
      console.error(name, error);
      process.exitCode = 1;
    }
  }
}
