/** How an error is treated: by whom it is mended, and whether trying again can help. */
export type ErrorKind = 'config' | 'retryable' | 'permanent' | 'shutdown' | 'bug';

export interface ErrorCodeEntry {
  readonly kind: ErrorKind;
  /** What it means, as a noun phrase. */
  readonly title: string;
  /** What the reader does about it, as a sentence. */
  readonly help: string;
}

/** Every error code that Sluice raises. `docs/reference/errors.md` is generated from this table. */
export const errorCodes = {
  SLUICE_CONFIG_INVALID: {
    kind: 'config',
    title: 'Invalid pipeline file',
    help: 'Correct the places named; `sluice check FILE` lists all of them at once.',
  },
  SLUICE_CONFIG_UNREADABLE: {
    kind: 'config',
    title: 'Pipeline file cannot be read',
    help: 'Check that the path exists and that the agent may read it.',
  },
  SLUICE_OPTION_INVALID: {
    kind: 'config',
    title: 'Invalid option value',
    help: 'Correct the option; `sluice docs PLUGIN` lists what it accepts.',
  },
  SLUICE_REGEX_INVALID: {
    kind: 'config',
    title: 'Invalid regular expression',
    help: 'Correct the expression at the position named.',
  },
  SLUICE_GROK_INVALID: {
    kind: 'config',
    title: 'Invalid grok pattern',
    help: 'Correct the pattern, or define the name it refers to under pattern_definitions.',
  },
  SLUICE_DATE_FORMAT_INVALID: {
    kind: 'config',
    title: 'Invalid date format or time zone',
    help: 'Use strptime (%Y-%m-%d), Joda (yyyy-MM-dd), ISO8601, UNIX, UNIX_MS or TAI64N, and an IANA zone.',
  },
  SLUICE_EXPRESSION_INVALID: {
    kind: 'config',
    title: 'Invalid expression',
    help: 'Correct the expression at the position named.',
  },
  SLUICE_PLUGIN_UNKNOWN: {
    kind: 'config',
    title: 'Unknown plugin',
    help: '`sluice plugins` lists what is installed; third-party plugins are named under `plugins:`.',
  },
  SLUICE_DRIVER_MISSING: {
    kind: 'config',
    title: 'Optional library missing',
    help: 'Install the library that the message names, with npm.',
  },
  SLUICE_STORAGE_FAILED: {
    kind: 'retryable',
    title: 'Storage failed',
    help: 'Check free space, permissions and the health of the disk under `storage.path`.',
  },
  SLUICE_STORAGE_LOCKED: {
    kind: 'config',
    title: 'Storage in use',
    help: 'Another agent uses this `storage.path`: stop it, or choose another path.',
  },
  SLUICE_STORAGE_DAMAGED: {
    kind: 'permanent',
    title: 'Stored data damaged',
    help: 'The damaged bytes are kept under `quarantine/` beside the store; check the disk.',
  },
  SLUICE_OUTPUT_UNREACHABLE: {
    kind: 'retryable',
    title: 'Destination unreachable',
    help: 'Check the address, the network and that the server is up; delivery is retried.',
  },
  SLUICE_OUTPUT_REFUSED: {
    kind: 'permanent',
    title: 'Record refused by its destination',
    help: '`sluice dlq show` has the record and the reason.',
  },
  SLUICE_LISTEN_FAILED: {
    kind: 'config',
    title: 'Cannot listen on address',
    help: 'Choose a free port, or stop the process that holds it.',
  },
  SLUICE_SERVICE_FAILED: {
    kind: 'config',
    title: 'Service manager refused',
    help: 'Do what the message says; installing, starting and stopping a service needs root.',
  },
  SLUICE_RECORD_TOO_LARGE: {
    kind: 'permanent',
    title: 'Record too large',
    help: 'Raise the limit that the message names, or shorten the record at its source.',
  },
  SLUICE_WORKER_DIED: {
    kind: 'permanent',
    title: 'Worker thread died',
    help: 'The agent ends and reads again what was not acknowledged; the message says what ended the thread.',
  },
  SLUICE_SHUTDOWN: {
    kind: 'shutdown',
    title: 'Stopping',
    help: 'Nothing to do: the agent is shutting down.',
  },
  SLUICE_BUG: {
    kind: 'bug',
    title: 'Broken invariant',
    help: 'Please report this with the log lines around it.',
  },
} as const satisfies Record<string, ErrorCodeEntry>;

export type ErrorCode = keyof typeof errorCodes;
