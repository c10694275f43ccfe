// Preloaded into a measured process: writes what it used when it ends.
import { writeFileSync } from 'node:fs';

const path = process.env.SLUICE_BENCH_USAGE;
process.on('exit', () => {
  const { user, system } = process.cpuUsage();
  const usage = {
    cpuSeconds: (user + system) / 1e6,
    maxRssBytes: process.resourceUsage().maxRSS * 1024,
  };
  writeFileSync(path, JSON.stringify(usage));
});
