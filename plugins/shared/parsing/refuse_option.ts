import { SluiceError } from '../../../core/sdk/index.ts';

/** Refuses an option. Errors: SLUICE_OPTION_INVALID, always. */
export function refuseOption(message: string): never {
  throw new SluiceError('SLUICE_OPTION_INVALID', message);
}
