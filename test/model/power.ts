import fc from 'fast-check';
import type { Durability } from '../../core/buffer/disk_buffer.ts';
import { powerAgent } from './power_agent.ts';
import { bufferSteps, PoweredBuffer } from './power_buffer.ts';
import { checkpointSteps, PoweredCheckpoints } from './power_checkpoints.ts';
import { letterSteps, PoweredLetters } from './power_dead_letters.ts';

export interface PowerOptions {
  readonly seed: number;
  /** Histories for each store. */
  readonly runs: number;
}

export interface PowerCounts {
  histories: number;
  powerLosses: number;
  kills: number;
  faults: number;
}

interface Powered {
  readonly powerLosses: number;
  readonly kills: number;
  readonly faults: number;
}

/** Any history of a disk buffer: see `PoweredBuffer` for the laws. */
export function powerBuffer(durability: Durability, options: PowerOptions) {
  return histories(options, bufferSteps, async (steps) => {
    const subject = new PoweredBuffer(durability);
    await subject.run(steps);
    return subject;
  });
}

/** Any history of checkpoints: what a flush confirmed is never older after a loss of power. */
export function powerCheckpoints(options: PowerOptions) {
  return histories(options, checkpointSteps, async (steps) => {
    const subject = new PoweredCheckpoints();
    await subject.run(steps);
    return subject;
  });
}

/** Any history of dead letters: what was confirmed stays, and what was removed stays away. */
export function powerDeadLetters(options: PowerOptions) {
  return histories(options, letterSteps, async (steps) => {
    const subject = new PoweredLetters();
    await subject.run(steps);
    return subject;
  });
}

/** Whole agents, `runs` times with each kind of storage. */
export async function powerAgents(options: PowerOptions) {
  const total = { runs: 0, powerLosses: 0, kills: 0, faults: 0, records: 0, deadLetters: 0 };
  let duplicates = 0;
  for (let run = 0; run < options.runs; run++) {
    for (const storage of ['filesystem', 'memory'] as const) {
      const seed = options.seed + run;
      const counts = await powerAgent(seed, storage, 8).catch((error) => {
        throw new Error(`seed ${seed}, storage ${storage}`, { cause: error });
      });
      total.runs++;
      total.powerLosses += counts.powerLosses;
      total.kills += counts.kills;
      total.faults += counts.faults;
      total.records += counts.records;
      total.deadLetters += counts.deadLetters;
      duplicates += counts.duplicates;
    }
  }
  return { ...total, duplicates };
}

async function histories<Steps>(
  options: PowerOptions,
  steps: fc.Arbitrary<Steps>,
  run: (steps: Steps) => Promise<Powered>,
): Promise<PowerCounts> {
  const counts = { histories: 0, powerLosses: 0, kills: 0, faults: 0 };
  await fc.assert(
    fc.asyncProperty(steps, async (history) => {
      const { powerLosses, kills, faults } = await run(history);
      counts.histories++;
      counts.powerLosses += powerLosses;
      counts.kills += kills;
      counts.faults += faults;
    }),
    { seed: options.seed, numRuns: options.runs },
  );
  return counts;
}
