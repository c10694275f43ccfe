import { Mutator } from './mutator.ts';
import type { FuzzTarget } from './targets.ts';

/** Longest that one hostile text of at most 20,000 characters may take. */
const textMsMax = 2000;

export interface FuzzCounts {
  texts: number;
  slowestMs: number;
}

/** Feeds a target mutated texts, `texts` of them or for `seconds`. Throws the first that breaks a
 *  promise, with the text. */
export async function fuzz(
  target: FuzzTarget,
  seed: number,
  limits: { readonly texts?: number; readonly seconds?: number },
): Promise<FuzzCounts> {
  const mutator = new Mutator(seed, target);
  const endMs = performance.now() + (limits.seconds ?? 3600) * 1000;
  const counts = { texts: 0, slowestMs: 0 };
  while (counts.texts < (limits.texts ?? Number.POSITIVE_INFINITY) && performance.now() < endMs) {
    const text = mutator.next();
    // Other programs run beside this one: what counts is the processor's time.
    const before = process.cpuUsage();
    try {
      await target.take(text);
    } catch (error) {
      throw new Error(`text ${counts.texts} of seed ${seed}: ${JSON.stringify(text)}`, {
        cause: error,
      });
    }
    counts.texts++;
    const { user, system } = process.cpuUsage(before);
    const tookMs = (user + system) / 1000;
    counts.slowestMs = Math.max(counts.slowestMs, Math.round(tookMs));
    if (tookMs > textMsMax) throw new Error(`${tookMs} ms for ${JSON.stringify(text)}`);
  }
  return counts;
}
