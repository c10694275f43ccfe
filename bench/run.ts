import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectRoot } from '../scripts/project_root.ts';
import { generateLog } from './generate_logs.ts';

/** `npm run bench -- S1 [--lines N]`: runs the agent on a generated log against a local sink and
 *  prints CPU-seconds per GB of input, events per second and peak memory of the whole process.
 *  S1: access log → grok → date → bulk. S2: NDJSON → drop debug, rename, add → bulk. */
const root = projectRoot();
const scenario = process.argv[2] ?? 'S1';
const lines = Number(optionValue('--lines') ?? 2_000_000);
const directory = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
async function main(): Promise<void> {
  const kind = scenario === 'S1' ? 'access' : 'json';
  const log = join(tmpdir(), `sluice-bench-${kind}-${lines}.log`);
  if (!existsSync(log)) generateLog(kind, log, lines);
  const sink = spawn(process.execPath, [join(root, 'dist', 'bench', 'sink.js')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const port = await firstLine(sink.stdout!);
    const pipeline = join(directory, 'pipeline.yaml');
    writeFileSync(pipeline, pipelineText(log, port));
    const startedMs = performance.now();
    const usage = await runAgent(pipeline);
    const seconds = (performance.now() - startedMs) / 1000;
    const counted = (await (await fetch(`http://127.0.0.1:${port}/count`)).json()) as {
      lines: number;
    };
    const bytes = statSync(log).size;
    console.log(
      JSON.stringify({
        scenario,
        inputBytes: bytes,
        lines,
        recordsAtSink: counted.lines / 2,
        cpuSecondsPerGb: Number((usage.cpuSeconds / (bytes / 1e9)).toFixed(2)),
        eventsPerSecond: Math.round(lines / seconds),
        maxRssMb: Math.round(usage.maxRssBytes / 1e6),
        wallSeconds: Number(seconds.toFixed(2)),
      }),
    );
  } finally {
    sink.kill();
  }
}

function pipelineText(log: string, port: string): string {
  const filters = scenario === 'S1' ? accessFilters : jsonFilters;
  return `
service: {log_level: warn, flush: 1s, storage.path: ${join(directory, 'data')}}
pipeline:
  inputs:
    - {name: tail, path: '${log}', read_from_head: true, exit_on_eof: true, tag: bench}
  filters:
${filters}
  outputs:
    - {name: elasticsearch, match: '*', host: 127.0.0.1, port: ${port}, index: bench}
`;
}

const accessFilters = `
    - {name: grok, match: '*', pattern: '%{COMBINEDAPACHELOG}', remove_field: [log]}
    - {name: date, match: '*', key: timestamp, formats: ['dd/MMM/yyyy:HH:mm:ss Z']}`;

const jsonFilters = `
    - {name: parser, match: '*', key_name: log, parser: json}
    - {name: grep, match: '*', exclude: 'level ^debug$'}
    - {name: modify, match: '*', rename: 'msg message', add: 'env prod'}`;

function runAgent(pipeline: string): Promise<{ cpuSeconds: number; maxRssBytes: number }> {
  const usagePath = join(directory, 'usage.json');
  const preload = join(root, 'bench', 'report_usage.mjs');
  const cli = join(root, 'dist', 'bundle', 'sluice.js');
  const agent = spawn(process.execPath, ['--import', preload, cli, 'run', pipeline], {
    stdio: 'inherit',
    env: { ...process.env, SLUICE_BENCH_USAGE: usagePath },
  });
  return new Promise((resolve, reject) => {
    agent.once('exit', (code) => {
      if (code !== 0) reject(new Error(`the agent ended with ${code}`));
      else resolve(JSON.parse(readFileSync(usagePath, 'utf8')));
    });
  });
}

function firstLine(stream: NodeJS.ReadableStream): Promise<string> {
  return new Promise((resolve) => {
    stream.once('data', (text: Buffer) => resolve(text.toString().trim()));
  });
}

function optionValue(name: string): string | undefined {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : process.argv[at + 1];
}

try {
  await main();
} finally {
  rmSync(directory, { recursive: true, force: true });
}
