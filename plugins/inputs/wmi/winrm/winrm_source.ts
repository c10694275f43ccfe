import type { InputContext } from '../../../../core/sdk/index.ts';
import type { WmiOptions } from '../config.ts';
import type { WmiSource } from '../wmi_source.ts';

export async function openWinrm(_o: WmiOptions, _c: InputContext): Promise<WmiSource> {
  throw new Error('not there');
}
