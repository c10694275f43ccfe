import { SluiceError } from '../errors/sluice_error.ts';

/** Loads an optional or heavy library when it is first needed. `load` is the import itself, so
 *  that bundlers see it: `importDriver('@duckdb/node-api', () => import('@duckdb/node-api'))`. */
export async function importDriver<Module>(
  packageName: string,
  load: () => Promise<Module>,
): Promise<Module> {
  try {
    return await load();
  } catch (cause) {
    throw new SluiceError(
      'SLUICE_DRIVER_MISSING',
      `The library ${packageName} could not be loaded: install it with "npm install ${packageName}".`,
      { cause },
    );
  }
}
