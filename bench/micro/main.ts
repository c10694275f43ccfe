import { loadKernel } from '../../core/kernel/kernel.ts';
import { kernelBenchmarks } from './kernel_benchmarks.ts';
import { runMicroBenchmark } from './micro_benchmark.ts';
import { outputBenchmarks } from './output_benchmarks.ts';

/** `npm run bench:micro [WORD]`: nanoseconds a line and MB/s of the hot path's pieces, alone and
 *  warm: what they cost at best. A word chooses those whose name has it. */
async function main(): Promise<void> {
  const word = process.argv[2] ?? '';
  const kernel = loadKernel();
  if (kernel === undefined) throw new Error('The kernel does not run here: nothing to measure.');
  console.log(`${'ns/line'.padStart(9)} ${'MB/s'.padStart(9)}  operation`);
  for (const make of [...kernelBenchmarks(kernel), ...outputBenchmarks(kernel)]) {
    try {
      const benchmark = make();
      if (!benchmark.name.includes(word)) {
        await benchmark.close?.();
        continue;
      }
      const { name, nanosecondsPerLine, megabytesPerSecond } = await runMicroBenchmark(benchmark);
      const nanoseconds = nanosecondsPerLine.toFixed(1).padStart(9);
      console.log(`${nanoseconds} ${megabytesPerSecond.toFixed(0).padStart(9)}  ${name}`);
    } catch (error) {
      console.error(`not measured: ${(error as Error).message}`);
      process.exitCode = 1;
    }
  }
}

await main();
