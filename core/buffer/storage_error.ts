import { messageOf, SluiceError } from '../errors/sluice_error.ts';
import { errorCodeOf } from './file_system.ts';

/** Where storage says what it found. Fits a pino logger. */
export interface StorageLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/**
 * Wraps what the disk answered as a retryable SLUICE_STORAGE_FAILED.
 * `action` reads after "Cannot": `append to /var/lib/sluice/…`.
 */
export function storageFailed(action: string, cause: unknown): SluiceError {
  if (cause instanceof SluiceError) return cause;
  const reason = errorCodeOf(cause) ?? messageOf(cause);
  return new SluiceError(
    'SLUICE_STORAGE_FAILED',
    `Cannot ${action} (${reason}): check free space, permissions and the health of the disk.`,
    { cause },
  );
}

/** The answer to a call after `close`. */
export function storageClosed(): SluiceError {
  return new SluiceError('SLUICE_SHUTDOWN', 'The store is closed: it takes nothing more.');
}

/** The answer to a chunk that no emptying makes room for. */
export function chunkTooLarge(bytes: number, limitBytes: number): SluiceError {
  return new SluiceError(
    'SLUICE_RECORD_TOO_LARGE',
    `A chunk of ${bytes} bytes can never fit the disk buffer of ${limitBytes} bytes: raise ` +
      '`storage.total_limit_size`, or make chunks smaller.',
  );
}
