import type { RenderedNames } from '../../shared/windows_event/event_record.ts';

/** What the input needs of the Event Log. `koffi_event_log.ts` calls Windows; tests bring their own.
 *  Errors of every call: EventLogError. */
export interface EventLog {
  subscribe(request: SubscribeRequest): Promise<Subscription>;
  /** The newest event of a channel and the bookmark behind it; undefined when it has none. */
  newest(target: LogTarget): Promise<NewestEvent | undefined>;
  /** Closes publishers' metadata and the session; subscriptions before. */
  close(): void;
}

/** A channel with an XPath query, or a QueryList, which names its channels itself. */
export interface LogTarget {
  readonly channel: string | undefined;
  readonly query: string;
}

export interface SubscribeRequest extends LogTarget {
  /** Where to begin: behind this bookmark, or at the oldest event when absent. */
  readonly bookmarkXml: string | undefined;
}

export interface NewestEvent {
  readonly xml: string;
  readonly bookmarkXml: string;
}

export interface Subscription {
  /** Up to `eventsMax` events in the log's order; none when there are no more for now. */
  next(eventsMax: number): Promise<readonly LogEvent[]>;
  /** The bookmark behind the events of the last `next`. */
  bookmark(): string;
  close(): void;
}

/** An event as its XML text, or why that could not be rendered. */
export interface LogEvent {
  readonly xml?: string;
  readonly problem?: string;
  readonly rendered?: RenderedNames;
}

/** A refusal of Windows, with its code. */
export class EventLogError extends Error {
  override readonly name = 'EventLogError';
  readonly call: string;
  readonly code: number;

  constructor(call: string, code: number) {
    super(
      `${call} failed with ${code}${meanings[code] === undefined ? '' : `: ${meanings[code]}`}`,
    );
    this.call = call;
    this.code = code;
  }

  /** The channel is not there, or not yet. */
  get isMissingChannel(): boolean {
    return this.code === 15007;
  }

  /** The bookmark is of no use: what it names is gone from the log, or it cannot be read. */
  get isStaleBookmark(): boolean {
    return staleCodes.has(this.code) || this.call === 'EvtCreateBookmark';
  }

  /** The events asked for at once are too many bytes for one remote call. */
  get isTooMuchAtOnce(): boolean {
    return this.code === 1734;
  }
}

/** winerror.h: ERROR_NOT_FOUND, ERROR_EVT_QUERY_RESULT_STALE, ERROR_EVT_QUERY_RESULT_INVALID_POSITION. */
const staleCodes: ReadonlySet<number> = new Set([1168, 15011, 15012]);

const meanings: Readonly<Record<number, string>> = {
  5: 'access is denied; the account needs to be in the group Event Log Readers (Security: also the right "Manage auditing and security log")',
  6: 'the handle is no longer valid',
  1168: 'the bookmark names an event that is gone',
  1722: 'the Event Log service cannot be reached; is it running, and does a firewall let "Remote Event Log Management" through?',
  1734: 'the events are too large for one remote call',
  1818: 'the remote call was cancelled',
  15001: 'the query cannot be understood; test it in Event Viewer under Filter, XML',
  15007: 'there is no such channel; list them with "wevtutil el"',
  15011: 'the log was cleared or has wrapped',
  15012: 'the place in the log is gone',
};
