import { SluiceError } from '../../../core/sdk/index.ts';
import type { HostMetricsOptions } from './config.ts';
import type { HostMetricsSource } from './host_source.ts';
import { linuxSource } from './linux/linux_source.ts';
import { openKernel } from './windows/koffi_kernel.ts';
import { windowsSource } from './windows/windows_source.ts';

/** The reader of this platform. Errors: SLUICE_OPTION_INVALID where there is none. */
export function platformSource(
  options: HostMetricsOptions,
  platform: NodeJS.Platform = process.platform,
): HostMetricsSource {
  if (platform === 'linux') return linuxSource(options);
  if (platform === 'win32') return windowsSource(options, openKernel);
  throw new SluiceError(
    'SLUICE_OPTION_INVALID',
    `host_metrics cannot read a host of the platform ${platform}: take the input out of this file.`,
  );
}
