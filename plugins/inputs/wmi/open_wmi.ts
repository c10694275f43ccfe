import { type InputContext, SluiceError } from '../../../core/sdk/index.ts';
import { ComSource } from './com_source.ts';
import type { WmiOptions } from './config.ts';
import type { WmiSource } from './wmi_source.ts';

/** Chooses the way to WMI. Errors: SLUICE_OPTION_INVALID where there is none. */
export async function openWmi(
  options: WmiOptions,
  context: InputContext,
  platform: NodeJS.Platform = process.platform,
): Promise<WmiSource> {
  const isWindows = platform === 'win32';
  const { transport, host } = options;
  if (transport === 'winrm' || (transport === 'auto' && !isWindows && host !== undefined)) {
    const { openWinrm } = await import('./winrm/winrm_source.ts');
    return openWinrm(options, context);
  }
  if (isWindows) return openCom(options, context);
  throw new SluiceError(
    'SLUICE_OPTION_INVALID',
    'The input wmi asks this host over COM, which only Windows has: name a `host` with a `username` and a `password`, and it is asked over WinRM.',
  );
}

function openCom(options: WmiOptions, { clock, log, metrics }: InputContext): WmiSource {
  const { host, username, domain } = options;
  const lost = (reason: string) =>
    metrics.counter('sluice_collector_helpers_lost_total', { reason });
  return new ComSource({
    target: { host, username, domain, password: options.password?.reveal() },
    threads: options.high_workers + options.normal_workers + 2,
    clock,
    log,
    lost: { hung: lost('hung'), crashed: lost('crashed') },
  });
}
