import fc from 'fast-check';
import { type FaultyCall, PowerLossFileSystem } from './power_loss_file_system.ts';
import { Random } from './random.ts';

/** What happens to the disk, or to the process on it, beside what a store is asked to do. */
export type DiskStep =
  | { readonly do: 'power'; readonly seed: number }
  | { readonly do: 'kill' }
  | { readonly do: 'fail'; readonly call: FaultyCall }
  | { readonly do: 'fill'; readonly bytesFree: number }
  | { readonly do: 'heal' };

/** One step of a history, and how often it is drawn. */
export interface WeighedStep<Step> {
  readonly weight: number;
  readonly arbitrary: fc.Arbitrary<Step>;
}

const calls: FaultyCall[] = ['open', 'write', 'truncate', 'sync', 'sync_directory', 'rename'];

/** Histories of a store's own steps among those of the disk, at most `maxLength` steps; a disk that
 *  fills up has at most `bytesFreeMax` left. */
export function histories<Step>(
  own: readonly WeighedStep<Step>[],
  { maxLength, bytesFreeMax }: { readonly maxLength: number; readonly bytesFreeMax: number },
): fc.Arbitrary<(Step | DiskStep)[]> {
  const disk: readonly WeighedStep<DiskStep>[] = [
    { weight: 3, arbitrary: fc.record({ do: fc.constant('power'), seed: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('kill') }) },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant('fail'), call: fc.constantFrom(...calls) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant('fill'), bytesFree: fc.nat(bytesFreeMax) }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('heal') }) },
  ];
  return fc.array(fc.oneof<WeighedStep<Step | DiskStep>[]>(...own, ...disk), { maxLength });
}

/** A store on a disk that loses power. What extends this knows what the store must hold. */
export abstract class Powered<Step extends { readonly do: string }> {
  powerLosses = 0;
  kills = 0;
  faults = 0;
  protected disk = new PowerLossFileSystem();

  async run(steps: readonly (Step | DiskStep)[]): Promise<void> {
    await this.open(this.disk, 'kill', true);
    for (const step of steps) await this.#step(step);
    await this.#step({ do: 'power', seed: steps.length });
    await this.close();
  }

  /** Opens the store on what a disk has after its machine lost power or its process was killed, and
   *  checks what it finds. `wasDurable`: nothing can have been lost. */
  protected abstract open(
    disk: PowerLossFileSystem,
    cause: 'power' | 'kill',
    wasDurable: boolean,
  ): Promise<void>;

  /** Does a step of the store's own. */
  protected abstract act(step: Step): Promise<void>;

  /** Before a kill. */
  protected beforeKill(): void {}

  protected abstract close(): Promise<void>;

  async #step(step: Step | DiskStep): Promise<void> {
    if (!isDiskStep(step)) return await this.act(step);
    switch (step.do) {
      case 'power': {
        this.powerLosses++;
        const wasDurable = this.disk.isAllDurable;
        return await this.#reopen(
          this.disk.afterPowerLoss(new Random(step.seed)),
          'power',
          wasDurable,
        );
      }
      case 'kill':
        this.kills++;
        this.beforeKill();
        return await this.#reopen(this.disk.afterKill(), 'kill', true);
      case 'fail':
        this.faults++;
        this.disk.failing.add(step.call);
        return;
      case 'fill':
        this.faults++;
        this.disk.bytesFree = step.bytesFree;
        return;
      case 'heal':
        this.disk.heal();
    }
  }

  async #reopen(
    disk: PowerLossFileSystem,
    cause: 'power' | 'kill',
    wasDurable: boolean,
  ): Promise<void> {
    this.disk = disk;
    await this.open(disk, cause, wasDurable);
  }
}

const diskSteps: ReadonlySet<string> = new Set(['power', 'kill', 'fail', 'fill', 'heal']);

function isDiskStep(step: { readonly do: string }): step is DiskStep {
  return diskSteps.has(step.do);
}
