import { type ErrorCode, type ErrorKind, errorCodes } from './codes.ts';

export interface SluiceErrorOptions {
  readonly cause?: unknown;
  /** Earliest useful time of another try, in milliseconds from now. */
  readonly retryAfterMs?: number;
}

/** An error with a code from the table: what failed, on what, what to do, in one sentence. */
export class SluiceError extends Error {
  readonly code: ErrorCode;
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string, options: SluiceErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'SluiceError';
    this.code = code;
    this.retryAfterMs = options.retryAfterMs;
  }

  get kind(): ErrorKind {
    return errorCodes[this.code].kind;
  }
}

/** Throws SLUICE_BUG when `condition` is false: for invariants, never for input. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new SluiceError('SLUICE_BUG', message);
}

/** The message of anything thrown, without its stack. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
