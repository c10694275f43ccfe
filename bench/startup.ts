import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { projectRoot } from '../scripts/project_root.ts';

/** `npm run bench:startup -- [--runs N] [--against DIRECTORY]`: starts the agent again and again on
 *  one access log line (tail → grok → date → elasticsearch, `flush: 10ms`) and prints medians of
 *
 *    startCpuMs    CPU time of the process, all threads, when the first record came to the sink
 *    firstRecordMs time from the start of the process to that moment
 *    idleRssMb     resident memory 2 s later, with nothing to do
 *    idlePssMb     of that, without what other processes share
 *
 *  `--against` names another checkout, whose runs alternate with ours. `--program` names the file
 *  that is run below each. Linux only: it reads /proc. */
const runs = Number(optionValue('--runs') ?? 7);
const idleMs = 2000;
const deadlineMs = 30_000;

interface StartMeasured {
  readonly startCpuMs: number;
  readonly firstRecordMs: number;
  readonly idleRssMb: number;
  readonly idlePssMb: number;
}

async function main(): Promise<void> {
  const against = optionValue('--against');
  const roots = [projectRoot(), ...(against === undefined ? [] : [resolve(against)])];
  const measured = new Map<string, StartMeasured[]>(roots.map((root) => [root, []]));
  for (let run = 0; run < runs; run++) {
    for (const root of roots) measured.get(root)!.push(await measureStart(root));
  }
  for (const [root, list] of measured) {
    const median = (key: keyof StartMeasured) => middle(list.map((one) => one[key]));
    const row = {
      root,
      runs: list.length,
      startCpuMs: Math.round(median('startCpuMs')),
      firstRecordMs: Math.round(median('firstRecordMs')),
      idleRssMb: Number(median('idleRssMb').toFixed(1)),
      idlePssMb: Number(median('idlePssMb').toFixed(1)),
    };
    console.log(JSON.stringify(row));
  }
}

/** Starts the agent of a checkout once and ends it. */
async function measureStart(root: string): Promise<StartMeasured> {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-startup-'));
  const sink = await openSink();
  let agent: ChildProcess | undefined;
  try {
    writeFileSync(join(directory, 'access.log'), accessLine);
    const pipeline = join(directory, 'pipeline.yaml');
    writeFileSync(pipeline, pipelineText(directory, (sink.server.address() as AddressInfo).port));
    const startedMs = performance.now();
    agent = spawn(process.execPath, [programOf(root), 'run', pipeline], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    const { pid } = agent;
    let startCpuMs = 0;
    const firstRecordMs = await Promise.race([
      sink.first.then((atMs) => {
        startCpuMs = cpuMs(pid!);
        return atMs - startedMs;
      }),
      sleep(deadlineMs).then(() => Promise.reject(new Error('No record came to the sink.'))),
    ]);
    await sleep(idleMs);
    const idleRssMb = kilobytes(pid!, 'status', 'VmRSS') / 1000;
    const idlePssMb = kilobytes(pid!, 'smaps_rollup', 'Pss') / 1000;
    return { startCpuMs, firstRecordMs, idleRssMb, idlePssMb };
  } finally {
    await ended(agent);
    sink.server.closeAllConnections();
    sink.server.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The file that is run: what the package of the checkout runs as `sluice`, unless told otherwise. */
function programOf(root: string): string {
  const program = optionValue('--program');
  if (program !== undefined) return join(root, program);
  const text = readFileSync(join(root, 'package.json'), 'utf8');
  return join(root, (JSON.parse(text) as { bin: { sluice: string } }).bin.sluice);
}

function pipelineText(directory: string, port: number): string {
  return `
service: {log_level: warn, flush: 10ms, storage.path: ${join(directory, 'data')}}
pipeline:
  inputs:
    - {name: tail, path: '${join(directory, 'access.log')}', read_from_head: true, tag: bench}
  filters:
    - {name: grok, match: '*', pattern: '%{COMBINEDAPACHELOG}', remove_field: [log]}
    - {name: date, match: '*', key: timestamp, formats: ['dd/MMM/yyyy:HH:mm:ss Z']}
  outputs:
    - {name: elasticsearch, match: '*', host: 127.0.0.1, port: ${port}, index: bench}
`;
}

const accessLine =
  '192.0.2.7 - - [10/Oct/2024:13:55:36 +0000] "GET /a?b=c HTTP/1.1" 200 2326 "https://example.org/" "Mozilla/5.0 (X11; Linux x86_64)"\n';

/** A `_bulk` server; `first` resolves when the first bytes of a body are there. */
async function openSink(): Promise<{ server: Server; first: Promise<number> }> {
  let arrived: (atMs: number) => void = () => undefined;
  const first = new Promise<number>((resolveFirst) => {
    arrived = resolveFirst;
  });
  const server = createServer((request, response) => {
    request.on('data', () => arrived(performance.now()));
    request.on('end', () => {
      response.writeHead(200, {
        'content-type': 'application/json',
        'x-elastic-product': 'Elasticsearch',
      });
      response.end('{"errors":false,"took":1}');
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return { server, first };
}

/** CPU time of a process' living threads, in ms, as the scheduler counts it. */
function cpuMs(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  const nanoseconds = threads.map((thread) =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]),
  );
  return nanoseconds.reduce((sum, one) => sum + one, 0) / 1e6;
}

function kilobytes(pid: number, file: string, key: string): number {
  const text = readFileSync(`/proc/${pid}/${file}`, 'utf8');
  return Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(text)?.[1]);
}

async function ended(agent: ChildProcess | undefined): Promise<void> {
  if (agent === undefined || agent.exitCode !== null) return;
  const exit = new Promise((resolveExit) => agent.once('exit', resolveExit));
  agent.kill('SIGTERM');
  await exit;
}

function middle(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}

function optionValue(name: string): string | undefined {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : process.argv[at + 1];
}

await main();
