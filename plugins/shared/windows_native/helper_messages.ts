/** What a helper process is asked, and what it answers. Bodies are plain data. */
export type ToHelper =
  | { readonly kind: 'request'; readonly id: number; readonly body: unknown }
  | { readonly kind: 'cancel'; readonly id: number };

export interface FromHelper {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: HelperErrorText;
}

export interface HelperErrorText {
  readonly message: string;
  /** Windows' own code, unsigned, where there is one. */
  readonly code?: number | undefined;
}

/** A failure in a helper process: its message is a whole reason. */
export class HelperError extends Error {
  readonly code: number | undefined;

  constructor(message: string, code?: number) {
    super(message);
    this.name = 'HelperError';
    this.code = code;
  }
}
