import { importDriver } from '../../../core/sdk/index.ts';

export type Koffi = typeof import('koffi')['default'];

/** The library that calls Windows' own functions. Loaded when an input first needs it. */
export async function loadKoffi(): Promise<Koffi> {
  const { default: koffi } = await importDriver('koffi', () => import('koffi'));
  return koffi;
}
