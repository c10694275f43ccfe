/** One query against one namespace of one host. */
export interface WmiRequest {
  readonly namespace: string;
  readonly wql: string;
  /** The properties asked for: rows have their names as they are written here, whatever the letter
   *  case that the provider gives them. */
  readonly properties: readonly string[];
  /** Rows beyond are left out. */
  readonly rowsMax: number;
  readonly timeoutMs: number;
}

export interface WmiRow {
  /** The class of the object, which may be derived from the one that was asked for. */
  readonly class: string;
  /** Its properties, as the text of a JSON object. */
  readonly properties: string;
}

export interface WmiAnswer {
  readonly rows: readonly WmiRow[];
  /** There were more than `rowsMax`. */
  readonly isCut: boolean;
}

/** A way to WMI: COM, or WinRM. Creating one does no I/O. */
export interface WmiSource {
  /** Errors: an Error whose message is a whole reason; WmiError where WMI said no. */
  query(request: WmiRequest, signal: AbortSignal): Promise<WmiAnswer>;
  close(): Promise<void>;
}

/** WMI refused. */
export class WmiError extends Error {
  /** Its HRESULT, unsigned. */
  readonly code: number;

  constructor(message: string, code: number) {
    super(message);
    this.name = 'WmiError';
    this.code = code;
  }

  get isAccessDenied(): boolean {
    return this.code === 0x80041003 || this.code === 0x80070005;
  }
}
