import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../scripts/project_root.ts';
import { sluiceAgent } from './agents/index.ts';
import { wastefulAgent } from './agents/wasteful_agent.ts';
import { Pace } from './measure/calibration.ts';
import { type RelativeCost, RelativeCostMeter } from './measure/relative_cost.ts';
import { median } from './measure/statistics.ts';
import { scenariosNamed } from './scenarios/index.ts';
import type { Scenario } from './scenarios/scenario.ts';
import { SinkProcess } from './sink/sink_process.ts';

/** What costs were when the baseline was written, in units of the calibration loop. */
interface Baseline {
  /** Major version of Node. */
  readonly node: number;
  /** Median over all scenarios. */
  readonly startup: number;
  readonly scenarios: Readonly<Record<string, { megabytes: number; steady: number }>>;
}

type Means = ConstructorParameters<typeof RelativeCostMeter>[2];

const regressionMax = 1.15;
const rounds = 3;
/** Further rounds for what looks worse, before it is said to be. */
const furtherRounds = 4;
/** No round of all scenarios begins after so long: on a machine this busy two have to do. */
const roundsMs = 110_000;
/** Size of an input, chosen so that its steady cost is about so many loops. */
const loopsPerInput = 1.5;
const firstBytes = 60e6;
const bytesRange = [40e6, 800e6] as const;
const baselinePath = join(projectRoot(), 'bench', 'baseline.json');
const major = Number(process.versions.node.split('.')[0]);

/** `npm run bench:check` compares S1 to S4 with `bench/baseline.json`, as ratios to a calibration
 *  loop that takes turns with them, and fails on a cost 15 % above. `--write` writes the baseline.
 *
 *  `--self-test` proves that it catches what it is for: a baseline of this build here and now is kept
 *  by the same build and broken by one that wastes 30 % more. Some words choose scenarios. */
async function main(): Promise<number> {
  const sink = await SinkProcess.start();
  const by = { agent: sluiceAgent(), sink, pace: new Pace() };
  by.pace.sinceLast();
  try {
    const named = process.argv.slice(2).filter((word) => !word.startsWith('--'));
    const scenarios = scenariosNamed(named.length > 0 ? named : ['S1', 'S2', 'S3', 'S4']);
    if (process.argv.includes('--self-test')) return await selfTest(scenarios, by);
    if (process.argv.includes('--write')) {
      const baseline = await measureBaseline(scenarios, by);
      if (baseline === undefined) return 1;
      writeFileSync(baselinePath, `${JSON.stringify(baseline, undefined, 2)}\n`);
      console.log(`written: ${baselinePath}`);
      return 0;
    }
    // Written by this file.
    const baseline = JSON.parse(readFileSync(baselinePath, 'utf8')) as Baseline;
    return await check(scenarios, baseline, by);
  } finally {
    await sink.stop();
  }
}

/** Whether the same build passes and a slower one does not. */
async function selfTest(scenarios: readonly Scenario[], by: Means): Promise<number> {
  const baseline = await measureBaseline(scenarios, by);
  if (baseline === undefined) return 1;
  console.log('the same build:');
  const same = await check(scenarios, baseline, by);
  console.log('a build that wastes 30 %:');
  const slower = await check(scenarios, baseline, { ...by, agent: wastefulAgent(0.3) });
  const isRight = same === 0 && slower === 1;
  console.log(isRight ? 'the same build passes, the slower one does not' : 'WRONG');
  return isRight ? 0 : 1;
}

async function check(
  scenarios: readonly Scenario[],
  baseline: Baseline,
  by: Means,
): Promise<number> {
  if (baseline.node !== major) {
    console.error(
      `The baseline is for Node ${baseline.node}, this is Node ${major}: compare on that version, or write a baseline with "npm run bench:baseline".`,
    );
    return 1;
  }
  const meters: RelativeCostMeter[] = [];
  for (const scenario of scenarios) {
    const known = baseline.scenarios[scenario.id];
    if (known === undefined) {
      console.error(`${scenario.id} has no baseline: write one with "npm run bench:baseline".`);
      return 1;
    }
    meters.push(new RelativeCostMeter(scenario, known.megabytes * 1e6, by));
  }
  await sampleAll(meters, rounds);
  for (let further = 0; further < furtherRounds; further++) {
    const slow = meters.filter((meter) => isSlower(meter, baseline));
    if (slow.length === 0 && startupOf(meters) <= baseline.startup * regressionMax) break;
    const again = slow.length > 0 ? slow : meters.slice(0, 2);
    console.log(`again, to be sure: ${again.map(({ scenario }) => scenario.id).join(', ')}`);
    await sampleAll(again, 1);
  }
  return verdict(meters, baseline);
}

function verdict(meters: readonly RelativeCostMeter[], baseline: Baseline): number {
  let status = 0;
  const say = (what: string, now: number, then: number, problem?: string): void => {
    const ratio = now / then;
    const isRed = !(ratio <= regressionMax) || problem !== undefined;
    if (isRed) status = 1;
    const word = isRed ? 'RED' : ratio < 0.85 ? 'better: write a new baseline' : 'ok';
    const tail = problem === undefined ? '' : `; ${problem}`;
    console.log(
      `${what.padEnd(16)} ${now.toFixed(3)} loops, baseline ${then.toFixed(3)}: ${percent(ratio)} ${word}${tail}`,
    );
  };
  for (const meter of meters) {
    const { steady } = baseline.scenarios[meter.scenario.id]!;
    say(`${meter.scenario.id} /GB`, meter.cost().steady, steady, meter.problem);
  }
  say('start-up', startupOf(meters), baseline.startup);
  return status;
}

async function measureBaseline(
  scenarios: readonly Scenario[],
  by: Means,
): Promise<Baseline | undefined> {
  const written: Record<string, { megabytes: number; steady: number }> = {};
  const meters: RelativeCostMeter[] = [];
  for (const scenario of scenarios) {
    const first = new RelativeCostMeter(scenario, firstBytes, by);
    await sampleAll([first], 1);
    const wanted = (loopsPerInput / first.cost().steady) * 1e9;
    const bytes = Math.min(bytesRange[1], Math.max(bytesRange[0], wanted));
    const megabytes = Math.round(bytes / 1e7) * 10;
    meters.push(new RelativeCostMeter(scenario, megabytes * 1e6, by));
    written[scenario.id] = { megabytes, steady: 0 };
  }
  await sampleAll(meters, rounds + 2);
  for (const meter of meters) {
    if (meter.problem !== undefined) {
      console.error(`${meter.scenario.id}: ${meter.problem}`);
      return undefined;
    }
    written[meter.scenario.id]!.steady = rounded(meter.cost().steady);
  }
  return { node: major, startup: rounded(startupOf(meters)), scenarios: written };
}

/** Round by round, so that what changes on the machine meanwhile meets all. */
async function sampleAll(meters: readonly RelativeCostMeter[], times: number): Promise<void> {
  const startedMs = Date.now();
  for (let round = 0; round < times; round++) {
    if (round >= 2 && Date.now() - startedMs > roundsMs) return;
    for (const meter of meters) {
      await meter.sample();
      const { steady, startup } = meter.cost();
      console.log(
        `${meter.scenario.id}: ${steady.toFixed(2)} loops/GB, start-up ${startup.toFixed(2)} loops`,
      );
    }
  }
}

function isSlower(meter: RelativeCostMeter, baseline: Baseline): boolean {
  const then: Pick<RelativeCost, 'steady'> = baseline.scenarios[meter.scenario.id]!;
  return !(meter.cost().steady <= then.steady * regressionMax);
}

function startupOf(meters: readonly RelativeCostMeter[]): number {
  return median(meters.map((meter) => meter.cost().startup));
}

function percent(ratio: number): string {
  const change = Math.round((ratio - 1) * 100);
  return `${change >= 0 ? '+' : ''}${change} %`;
}

function rounded(value: number): number {
  return Number(value.toPrecision(4));
}

process.exitCode = await main();
