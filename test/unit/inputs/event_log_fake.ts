import {
  type EventLog,
  EventLogError,
  type LogEvent,
  type LogTarget,
  type NewestEvent,
  type SubscribeRequest,
  type Subscription,
} from '../../../plugins/inputs/winevtlog/event_log.ts';

interface FakeEvent {
  readonly id: number;
  readonly event: LogEvent;
}

/** Event logs in memory. It stands for what neither this system nor a Windows at rest can show: a
 *  log that is cleared or wraps between two reads, a service that goes away, a remote call that is
 *  refused for its size, an event that cannot be rendered. The calls themselves are tested against
 *  a library in C under Wine. */
export class FakeEventLog {
  readonly channels = new Map<string, FakeEvent[]>();
  readonly subscriptions: (string | undefined)[] = [];
  readonly asked: number[] = [];
  /** Errors that the next calls of `next` or `subscribe` give, in order. */
  readonly nextFaults: number[] = [];
  readonly subscribeFaults: number[] = [];
  open = 0;

  readonly openLog = async (): Promise<EventLog> => {
    this.open++;
    return {
      subscribe: async (request) => this.subscribe(request),
      newest: async (target) => this.newest(target),
      close: () => void this.open--,
    };
  };

  add(channel: string, id: number, event: LogEvent = { xml: eventXml(channel, id) }): void {
    const events = this.channels.get(channel) ?? [];
    events.push({ id, event });
    this.channels.set(channel, events);
  }

  private newest(target: LogTarget): NewestEvent | undefined {
    const last = this.events(target.channel ?? '').at(-1);
    if (last?.event.xml === undefined) return undefined;
    return { xml: last.event.xml, bookmarkXml: bookmarkXml(last.id) };
  }

  private subscribe(request: SubscribeRequest): Subscription {
    const channel = request.channel ?? 'Query';
    this.subscriptions.push(request.bookmarkXml);
    const fault = this.subscribeFaults.shift();
    if (fault !== undefined) throw new EventLogError('EvtSubscribe', fault);
    const events = this.events(channel);
    let after = 0;
    if (request.bookmarkXml !== undefined) {
      after = Number(/RecordId='(\d+)'/.exec(request.bookmarkXml)?.[1]);
      const isThere = events.some(({ id }) => id === after);
      if (!isThere) throw new EventLogError('EvtSubscribe', 15011);
    }
    let at = events.findIndex(({ id }) => id === after) + 1;
    let last = after;
    return {
      next: async (eventsMax) => {
        this.asked.push(eventsMax);
        const code = this.nextFaults.shift();
        if (code !== undefined) throw new EventLogError('EvtNext', code);
        const found = this.events(channel).slice(at, at + eventsMax);
        at += found.length;
        last = found.at(-1)?.id ?? last;
        return found.map(({ event }) => event);
      },
      bookmark: () => bookmarkXml(last),
      close: () => undefined,
    };
  }

  private events(channel: string): FakeEvent[] {
    const events = this.channels.get(channel);
    if (events === undefined) throw new EventLogError('EvtSubscribe', 15007);
    return events;
  }
}

export interface EventParts {
  /** Minutes, which is the time of the event. */
  readonly minute?: number;
  readonly extra?: string;
}

export function eventXml(channel: string, id: number, parts: EventParts = {}): string {
  const time = new Date(Date.UTC(2026, 0, 1, 0, parts.minute ?? id)).toISOString();
  return (
    `<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>` +
    `<Provider Name='Maker'/><EventID>7</EventID><Level>4</Level><Task>2</Task><Opcode>0</Opcode>` +
    `<Keywords>0x8000000000000000</Keywords><TimeCreated SystemTime='${time}'/>` +
    `<EventRecordID>${id}</EventRecordID><Channel>${channel}</Channel><Computer>host</Computer>` +
    `</System><EventData><Data Name='number'>${id}</Data></EventData>${parts.extra ?? ''}</Event>`
  );
}

function bookmarkXml(id: number): string {
  return `<BookmarkList><Bookmark Channel='X' RecordId='${id}' IsCurrent='true'/></BookmarkList>`;
}
