import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { projectRoot } from '../scripts/project_root.ts';
import type { MeasuredAgent } from './agents/agent.ts';
import { peersNamed, sluiceAgent } from './agents/index.ts';
import { claimsNamed } from './claims/index.ts';
import { compare, type Contestant } from './measure/comparison.ts';
import { writeClaimReport } from './report/claim_report.ts';
import { thisMachine } from './report/machine.ts';
import { writeScenarioReport } from './report/scenario_report.ts';
import { scenariosNamed } from './scenarios/index.ts';
import type { Scenario } from './scenarios/scenario.ts';
import { SinkProcess } from './sink/sink_process.ts';
import { parseBytes, parseCount } from './sizes.ts';
import { verifyAgent } from './verify/verify_run.ts';

const usage = `npm run bench -- [S1 S2 S3.json ...] [S9 S10 burst memory curve ...] [options]

  --against rsyslog,benthos   peers to run in turn with Sluice
                              (rsyslog, syslog-ng, benthos, logagent; limit is
                              reading, one copy and writing alone; fluent-bit and vector from
                              PATH, or as fluent-bit=/path/to/it)
  --bytes 2GB                 input of Sluice's steady run (default 2GB; 0B: leave it out)
  --peer-lines 2000000        input of the runs beside the peers
  --lines N                   one input of N lines for all, and no steady run
  --runs 3                    rounds
  --seconds 30                how long the claims S9, S10 and burst feed lines
  --verify                    no times: parse all that is sent (of --peer-lines) and compare it
  --out DIR                   directory of the report (default bench/results)`;

interface Options {
  readonly peers: readonly MeasuredAgent[];
  readonly steadyBytes: number;
  readonly peerLines: number;
  readonly rounds: number;
  readonly directory: string;
}

/** Captured bodies lie on disk. */
const verifiedLinesMax = 200_000;

/** `npm run bench`: measures scenarios, prints the rows and writes the report. */
async function main(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      against: { type: 'string', default: '' },
      bytes: { type: 'string', default: '2GB' },
      'peer-lines': { type: 'string', default: '2000000' },
      lines: { type: 'string' },
      seconds: { type: 'string' },
      runs: { type: 'string', default: '3' },
      out: { type: 'string', default: join(projectRoot(), 'bench', 'results') },
      verify: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return;
  }
  const options: Options = {
    peers: peersNamed(values.against.split(',').filter(Boolean)),
    steadyBytes: values.lines === undefined ? parseBytes(values.bytes) : 0,
    peerLines: parseCount(values.lines ?? values['peer-lines']),
    rounds: parseCount(values.runs),
    directory: values.out,
  };
  const seconds = values.seconds === undefined ? undefined : parseCount(values.seconds);
  const claimBytes = args.includes('--bytes') ? parseBytes(values.bytes) : undefined;
  const sink = await SinkProcess.start();
  try {
    const isClaim = (name: string): boolean => claimsNamed(name).length > 0;
    const names = positionals.filter((name) => !isClaim(name));
    for (const claim of positionals.flatMap(claimsNamed)) {
      const result = await claim.measure({ sink, log, seconds, bytes: claimBytes });
      const measuredAt = new Date().toISOString().slice(0, 10);
      writeClaimReport(options.directory, { ...result, machine: thisMachine(), measuredAt });
      for (const { what, measured, met } of result.figures) {
        log(`${result.id}: ${what}: ${measured}${met === false ? ' (missed)' : ''}`);
      }
    }
    if (names.length === 0 && positionals.length > 0) return;
    for (const scenario of scenariosNamed(names)) {
      if (values.verify) await verify(scenario, options, sink);
      else await measure(scenario, options, sink);
    }
  } finally {
    await sink.stop();
  }
  if (!values.verify) console.log(`report: ${join(options.directory, 'report.md')}`);
}

function log(line: string): void {
  console.log(line);
}

async function verify(scenario: Scenario, options: Options, sink: SinkProcess): Promise<void> {
  for (const agent of [sluiceAgent(), ...options.peers]) {
    const why = agent.refuses(scenario);
    if (why !== undefined) {
      console.log(`${scenario.id} ${agent.name}: ${why}`);
      continue;
    }
    await agent.install((line) => console.log(line));
    const lines = Math.min(options.peerLines, verifiedLinesMax);
    const { records, problems } = await verifyAgent(agent, scenario, lines, sink);
    const verdict = problems.length === 0 ? 'all as they should be' : 'WRONG';
    console.log(`${scenario.id} ${agent.name}: ${records} records, ${verdict}`);
    for (const problem of problems) console.log(`  ${problem}`);
    if (problems.length > 0) process.exitCode = 1;
  }
}

async function measure(scenario: Scenario, options: Options, sink: SinkProcess): Promise<void> {
  const own = sluiceAgent();
  const absent: { agent: string; why: string }[] = [];
  const contestants: Contestant[] = [];
  if (options.steadyBytes > 0) {
    const version = await own.install(log);
    contestants.push({ agent: own, version, size: { bytes: options.steadyBytes } });
  }
  for (const agent of [own, ...options.peers]) {
    try {
      const why = agent.refuses(scenario);
      if (why !== undefined) throw new Error(why);
      const version = await agent.install(log);
      contestants.push({ agent, version, size: { lines: options.peerLines } });
    } catch (error) {
      absent.push({ agent: agent.name, why: (error as Error).message });
      log(`${scenario.id} ${agent.name}: ${(error as Error).message}`);
      if (agent === own) return;
    }
  }
  const rows = await compare(scenario, contestants, { rounds: options.rounds, sink, log });
  writeScenarioReport(options.directory, {
    id: scenario.id,
    title: scenario.title,
    machine: thisMachine(),
    measuredAt: new Date().toISOString().slice(0, 10),
    ...(scenario.bar === undefined ? {} : { bar: scenario.bar }),
    ...(scenario.eventsPerSecondBar === undefined
      ? {}
      : { eventsPerSecondBar: scenario.eventsPerSecondBar }),
    rows,
    absent,
  });
  for (const row of rows) {
    console.log(
      `${scenario.id} ${row.agent}: ${row.steadyCpuSecondsPerGb.toFixed(2)} CPU-s/GB steady, ${row.cpuSecondsPerGb.toFixed(2)} in all, ${Math.round(row.eventsPerSecond)} events/s, ${row.peakRssMb.toFixed(0)} MB, start-up ${row.startupCpuSeconds.toFixed(2)} CPU-s, exact: ${row.exact}`,
    );
  }
}

await main(process.argv.slice(2));
