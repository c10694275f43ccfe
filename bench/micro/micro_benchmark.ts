import { median } from '../measure/statistics.ts';

/** A piece of the hot path, alone. */
export interface MicroBenchmark {
  readonly name: string;
  /** Lines and bytes that one `run` works on. */
  readonly lines: number;
  readonly bytes: number;
  run(): void | Promise<void>;
  close?(): void | Promise<void>;
}

export interface MicroResult {
  readonly name: string;
  readonly nanosecondsPerLine: number;
  readonly megabytesPerSecond: number;
}

const warmMs = 150;
const sampleMs = 120;
const samples = 5;

/** CPU time of the calling process per line: the median of some samples behind a warm-up. */
export async function runMicroBenchmark(benchmark: MicroBenchmark): Promise<MicroResult> {
  await repeat(benchmark, warmMs);
  const costs: number[] = [];
  for (let i = 0; i < samples; i++) costs.push(await repeat(benchmark, sampleMs));
  await benchmark.close?.();
  const secondsPerRun = median(costs);
  return {
    name: benchmark.name,
    nanosecondsPerLine: (secondsPerRun * 1e9) / benchmark.lines,
    megabytesPerSecond: benchmark.bytes / 1e6 / secondsPerRun,
  };
}

/** CPU-seconds of one run, from as many as fit into the time. */
async function repeat(benchmark: MicroBenchmark, forMs: number): Promise<number> {
  const startMs = performance.now();
  const before = process.cpuUsage();
  let runs = 0;
  do {
    const pending = benchmark.run();
    if (pending !== undefined) await pending;
    runs++;
  } while (performance.now() - startMs < forMs);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6 / runs;
}
