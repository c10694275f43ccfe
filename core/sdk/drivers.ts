import { messageOf, SluiceError } from '../errors/sluice_error.ts';

/** Loads an optional or heavy library when it is first needed. `load` is the import itself, so
 *  that bundlers see it: `importDriver('@duckdb/node-api', () => import('@duckdb/node-api'))`. */
export async function importDriver<Module>(
  packageName: string,
  load: () => Promise<Module>,
): Promise<Module> {
  try {
    return await load();
  } catch (cause) {
    // One that is there and does not fit this system is another matter than one that is not there.
    const isMissing = /^ERR_MODULE_NOT_FOUND|^MODULE_NOT_FOUND/.test(codeOf(cause));
    const why = isMissing ? '' : ` (${messageOf(cause).split('\n')[0]})`;
    throw new SluiceError(
      'SLUICE_DRIVER_MISSING',
      `The library ${packageName} could not be loaded${why}: install it with "npm install ${packageName}".`,
      { cause },
    );
  }
}

function codeOf(error: unknown): string {
  return String((error as { code?: unknown } | undefined)?.code);
}
