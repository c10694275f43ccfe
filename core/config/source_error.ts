import type { ErrorCode } from '../errors/codes.ts';
import { SluiceError } from '../errors/sluice_error.ts';

export interface SourceErrorDetail {
  /** 1-based column in the text given, in UTF-16 units. */
  readonly column: number;
  /** What would have been right there, as a noun phrase. */
  readonly expected?: string;
  readonly cause?: unknown;
}

/** An error at a place in a short text that a person wrote: an expression, a field reference, a template. */
export class SourceError extends SluiceError {
  readonly column: number;
  readonly expected: string | undefined;

  constructor(code: ErrorCode, message: string, detail: SourceErrorDetail) {
    super(code, message, { cause: detail.cause });
    this.name = 'SourceError';
    this.column = detail.column;
    this.expected = detail.expected;
  }
}
