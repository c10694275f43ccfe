/** Loaded before a program, uses a share (`SLUICE_BENCH_WASTE`) of the processor time that the program uses
 *  once more. */
const share = Number(process.env['SLUICE_BENCH_WASTE']);
let wastedMs = 0;

const timer = setInterval(() => {
  while (wastedMs < (usedMs() - wastedMs) * share) {
    const beforeMs = usedMs();
    for (let i = 0; i < 50_000; i++) Math.imul(i, i);
    wastedMs += usedMs() - beforeMs;
  }
}, 2);
timer.unref();

function usedMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
