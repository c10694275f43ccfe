import { errorCodeOf } from '../core/buffer/file_system.ts';
import { SluiceError } from '../core/errors/sluice_error.ts';
import { exitCode } from './exit_codes.ts';

/** What the system says of a place that the pipeline file names wrongly, or may not use. */
const wrongPlace: ReadonlySet<string> = new Set([
  ...['EACCES', 'EPERM', 'EROFS', 'ENOENT', 'ENOTDIR', 'EISDIR', 'EEXIST'],
  ...['ENAMETOOLONG', 'ELOOP'],
]);

/** What a process ends with whose agent did not start: 78 where the pipeline file, or a place that it
 *  names, is to be put right. */
export function startFailureCode(error: unknown): number {
  if (!(error instanceof SluiceError)) return exitCode.failure;
  if (error.kind === 'config') return exitCode.configuration;
  const cause = errorCodeOf(error.cause) ?? '';
  return wrongPlace.has(cause) ? exitCode.configuration : exitCode.failure;
}
