import type { RenderedNames } from '../../shared/windows_event/event_record.ts';
import { loadKoffi } from '../../shared/windows_native/load_koffi.ts';
import {
  type EventLog,
  EventLogError,
  type LogEvent,
  type LogTarget,
  type NewestEvent,
  type SubscribeRequest,
  type Subscription,
} from './event_log.ts';
import { type EventLogCalls, eventLogCalls, type Handle } from './event_log_calls.ts';
import { PublisherCache } from './publisher_cache.ts';

/** winevt.h and winerror.h. */
const startAtOldest = 2;
const startAfterBookmark = 3;
const strict = 0x10000;
const queryReverse = 0x200;
const renderXml = 1;
const renderBookmark = 2;
const loginRpc = 1;
const insufficientBuffer = 122;
const noMoreItems = 259;
/** A value, an insert or its depth was not resolved: the text is there, but for that. */
const partlyResolved: ReadonlySet<number> = new Set([15029, 15030, 15031]);
const waitSignalled = 0;
/** An event is at most 64 KiB as the service stores it; its text is bounded all the same. */
const textBytesMax = 16 * 1024 * 1024;

export interface RemoteHost {
  readonly server: string;
  readonly domain?: string;
  readonly username?: string;
  readonly password?: string;
}

export interface EventLogOptions {
  readonly remote?: RemoteHost;
  readonly renderMessages: boolean;
  readonly publishersMax: number;
  /** Another library than Windows' own. */
  readonly libraryPath?: string;
}

/** Opens the Event Log of this host or another. Errors: SLUICE_DRIVER_MISSING, EventLogError. */
export async function openEventLog(options: EventLogOptions): Promise<EventLog> {
  const calls = eventLogCalls(await loadKoffi(), options.libraryPath ?? 'wevtapi.dll');
  const session = options.remote === undefined ? null : await openSession(calls, options.remote);
  return new KoffiEventLog(calls, session, options);
}

async function openSession(calls: EventLogCalls, remote: RemoteHost): Promise<Handle> {
  const login = {
    Server: remote.server,
    User: remote.username ?? null,
    Domain: remote.domain ?? null,
    Password: remote.password ?? null,
    Flags: 0,
  };
  const { result: session, code } = await settled<Handle>(calls, (done) =>
    calls.openSession.async(loginRpc, login, 0, 0, done),
  );
  if (!session) throw new EventLogError('EvtOpenSession', code);
  return session;
}

class KoffiEventLog implements EventLog {
  private readonly calls: EventLogCalls;
  private readonly session: Handle;
  private readonly renderer: Renderer;

  constructor(calls: EventLogCalls, session: Handle, options: EventLogOptions) {
    this.calls = calls;
    this.session = session;
    this.renderer = new Renderer(calls, session, options);
  }

  async subscribe(request: SubscribeRequest): Promise<Subscription> {
    const { calls, session } = this;
    const { channel, query, bookmarkXml } = request;
    const bookmark = calls.createBookmark(bookmarkXml ?? null);
    if (!bookmark) throw new EventLogError('EvtCreateBookmark', calls.lastError());
    const signal = calls.createEvent(null, 1, 1, null);
    const flags = bookmarkXml === undefined ? startAtOldest : startAfterBookmark | strict;
    const from = bookmarkXml === undefined ? null : bookmark;
    const { result: handle, code } = await settled<Handle>(calls, (done) =>
      calls.subscribe.async(session, signal, channel ?? null, query, from, null, null, flags, done),
    );
    if (!handle) {
      calls.close(bookmark);
      calls.closeHandle(signal);
      throw new EventLogError('EvtSubscribe', code);
    }
    return new KoffiSubscription(calls, this.renderer, { handle, bookmark, signal });
  }

  async newest({ channel, query }: LogTarget): Promise<NewestEvent | undefined> {
    const { calls, session } = this;
    const { result: results, code } = await settled<Handle>(calls, (done) =>
      calls.query.async(session, channel ?? null, query, queryReverse, done),
    );
    if (!results) throw new EventLogError('EvtQuery', code);
    try {
      const [event] = await nextHandles(calls, results, 1);
      if (event === undefined) return undefined;
      const bookmark = calls.createBookmark(null);
      try {
        if (!calls.updateBookmark(bookmark, event)) {
          throw new EventLogError('EvtUpdateBookmark', calls.lastError());
        }
        const xml = this.renderer.text(event, renderXml);
        return { xml, bookmarkXml: this.renderer.text(bookmark, renderBookmark) };
      } finally {
        calls.close(bookmark);
        calls.close(event);
      }
    } finally {
      calls.close(results);
    }
  }

  close(): void {
    this.renderer.close();
    if (this.session) this.calls.close(this.session);
  }
}

interface SubscriptionHandles {
  readonly handle: Handle;
  readonly bookmark: Handle;
  readonly signal: Handle;
}

class KoffiSubscription implements Subscription {
  private readonly calls: EventLogCalls;
  private readonly renderer: Renderer;
  private readonly handles: SubscriptionHandles;
  private hasMore = true;
  private isClosed = false;

  constructor(calls: EventLogCalls, renderer: Renderer, handles: SubscriptionHandles) {
    this.calls = calls;
    this.renderer = renderer;
    this.handles = handles;
  }

  async next(eventsMax: number): Promise<readonly LogEvent[]> {
    const { calls, renderer } = this;
    const { handle, bookmark, signal } = this.handles;
    if (calls.waitForOne(signal, 0) === waitSignalled) {
      // Before reading: what comes meanwhile sets it again.
      calls.resetEvent(signal);
      this.hasMore = true;
    }
    if (!this.hasMore) return [];
    const events = await nextHandles(calls, handle, eventsMax);
    if (events.length === 0) this.hasMore = false;
    try {
      const rendered = events.map((event) => renderer.event(event));
      const last = events.at(-1);
      if (last !== undefined && !calls.updateBookmark(bookmark, last)) {
        throw new EventLogError('EvtUpdateBookmark', calls.lastError());
      }
      return rendered;
    } finally {
      for (const event of events) calls.close(event);
    }
  }

  bookmark(): string {
    return this.renderer.text(this.handles.bookmark, renderBookmark);
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.calls.close(this.handles.handle);
    this.calls.close(this.handles.bookmark);
    this.calls.closeHandle(this.handles.signal);
  }
}

/** Turns events into text, with buffers that are used again. */
class Renderer {
  private readonly calls: EventLogCalls;
  private readonly renderMessages: boolean;
  private readonly publishers: PublisherCache<bigint>;
  private buffer = Buffer.alloc(64 * 1024);
  private readonly used = Buffer.alloc(4);
  private readonly properties = Buffer.alloc(4);

  constructor(calls: EventLogCalls, session: Handle, options: EventLogOptions) {
    this.calls = calls;
    this.renderMessages = options.renderMessages;
    const open = (name: string): bigint | undefined =>
      calls.openPublisher(session, name, null, 0, 0) ?? undefined;
    const close = (handle: bigint): void => void calls.close(handle);
    this.publishers = new PublisherCache(options.publishersMax, open, close, () =>
      performance.now(),
    );
  }

  event(handle: Handle): LogEvent {
    let xml: string;
    try {
      xml = this.text(handle, renderXml);
    } catch (error) {
      if (error instanceof EventLogError) return { problem: error.message };
      throw error;
    }
    const rendered = this.names(handle, xml);
    return rendered === undefined ? { xml } : { xml, rendered };
  }

  /** Text of an event or a bookmark. */
  text(handle: Handle, flags: number): string {
    const { calls, used, properties } = this;
    for (;;) {
      const { buffer } = this;
      if (calls.render(null, handle, flags, buffer.length, buffer, used, properties)) {
        return withoutEnd(buffer.toString('utf16le', 0, used.readUInt32LE()));
      }
      const code = calls.lastError();
      if (code !== insufficientBuffer || !this.grow(used.readUInt32LE())) {
        throw new EventLogError('EvtRender', code);
      }
    }
  }

  close(): void {
    this.publishers.clear();
  }

  /** What the publisher calls things, unless the event brings that itself. */
  private names(handle: Handle, xml: string): RenderedNames | undefined {
    if (!this.renderMessages || xml.includes('<RenderingInfo')) return undefined;
    const publisher = /<Provider[^>]*? Name=(["'])(.*?)\1/.exec(xml)?.[2] ?? '';
    if (publisher === '') return undefined;
    const value = (name: string): string => {
      const at = xml.indexOf(`<${name}>`);
      if (at < 0) return '';
      return xml.slice(at + name.length + 2, xml.indexOf('<', at + 1));
    };
    const event = {
      publisher: unescaped(publisher),
      level: value('Level'),
      task: value('Task'),
      opcode: value('Opcode'),
      keywords: value('Keywords'),
    };
    return this.publishers.rendered(event, (metadata, kind) => this.format(metadata, handle, kind));
  }

  private format(metadata: bigint, event: Handle, kind: number): string | undefined {
    const { calls, used } = this;
    for (;;) {
      const { buffer } = this;
      const size = buffer.length / 2;
      const done = calls.formatMessage(metadata, event, 0, 0, null, kind, size, buffer, used);
      const code = done ? 0 : calls.lastError();
      const characters = used.readUInt32LE();
      // It may say that all is well of a text that was cut.
      const isWhole = done && characters <= size;
      if (isWhole || partlyResolved.has(code)) {
        return withoutEnd(buffer.toString('utf16le', 0, Math.min(characters, size) * 2));
      }
      if ((!done && code !== insufficientBuffer) || !this.grow(characters * 2)) return undefined;
    }
  }

  private grow(bytes: number): boolean {
    if (bytes <= this.buffer.length || bytes > textBytesMax) return false;
    this.buffer = Buffer.alloc(Math.min(textBytesMax, 2 ** Math.ceil(Math.log2(bytes))));
    return true;
  }
}

/** The next events; none when there are no more for now. On another thread: it may ask a network. */
async function nextHandles(
  calls: EventLogCalls,
  results: Handle,
  eventsMax: number,
): Promise<bigint[]> {
  const handles = Buffer.alloc(8 * eventsMax);
  const count = Buffer.alloc(4);
  const { result: isDone, code } = await settled<number>(calls, (done) =>
    calls.next.async(results, eventsMax, handles, 0, 0, count, done),
  );
  if (!isDone) {
    if (code === noMoreItems) return [];
    throw new EventLogError('EvtNext', code);
  }
  return Array.from({ length: count.readUInt32LE() }, (_, at) => handles.readBigUInt64LE(8 * at));
}

interface Settled<Result> {
  readonly result: Result;
  /** Windows' error code, which is only to be had while the answer is handed over. */
  readonly code: number;
}

/** Waits for a call on another thread. */
function settled<Result>(
  calls: EventLogCalls,
  start: (done: (error: Error | null, result: Result) => void) => void,
): Promise<Settled<Result>> {
  return new Promise((resolve, reject) => {
    start((error, result) => {
      const code = calls.lastError();
      if (error) reject(error);
      else resolve({ result, code });
    });
  });
}

function withoutEnd(text: string): string {
  let end = text.length;
  while (end > 0 && text.charCodeAt(end - 1) === 0) end--;
  return text.slice(0, end);
}

function unescaped(text: string): string {
  if (!text.includes('&')) return text;
  return text
    .replaceAll('&apos;', "'")
    .replaceAll('&quot;', '"')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}
