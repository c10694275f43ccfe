import { type InputContext, SluiceError } from '../../../core/sdk/index.ts';
import { HelperProcess } from '../../shared/windows_native/helper_process.ts';
import type { PerfcounterOptions } from './config.ts';
import type { PdhAnswer } from './pdh_reader.ts';
import type { CounterSource } from './perfcounter_input.ts';

/** Counters of this host, out of a helper process. Errors: SLUICE_OPTION_INVALID elsewhere than on
 *  Windows. */
export function openCounters(
  options: PerfcounterOptions,
  { clock, log, metrics }: InputContext,
  platform: NodeJS.Platform = process.platform,
): CounterSource {
  if (platform !== 'win32') {
    throw new SluiceError(
      'SLUICE_OPTION_INVALID',
      'The input perfcounter needs Windows: take it out of this file. Metrics of a Linux host are read by the input host_metrics.',
    );
  }
  const lost = (reason: string) =>
    metrics.counter('sluice_collector_helpers_lost_total', { reason });
  const helper = new HelperProcess({
    program: { name: 'pdh_helper', module: new URL('./pdh_helper.js', import.meta.url) },
    threads: options.high_workers + options.normal_workers + 2,
    clock,
    log,
    lost: { hung: lost('hung'), crashed: lost('crashed') },
  });
  return {
    // Both ends are ours.
    read: async (request, signal) => (await helper.request(request, signal)) as PdhAnswer,
    close: () => helper.close(),
  };
}
