import {
  type BatchEmitter,
  type InputContext,
  messageOf,
  type OpenSource,
  pause,
} from '../../../core/sdk/index.ts';
import {
  eventRecord,
  recordJson,
  type RenderedNames,
} from '../../shared/windows_event/event_record.ts';
import { type EventTime, parseSystemTime } from '../../shared/windows_event/value_text.ts';
import { PositionMarks } from '../../shared/position_marks/position_marks.ts';
import type { XmlElement } from '../../shared/windows_event/xml_element.ts';
import { parseXml, XmlError } from '../../shared/windows_event/xml_text.ts';
import { type ChannelMark, firstMark, readMark } from './channel_mark.ts';
import type { WinevtlogOptions } from './config.ts';
import {
  type EventLog,
  EventLogError,
  type LogEvent,
  type LogTarget,
  type Subscription,
} from './event_log.ts';
import { PlaceInLog } from './place_in_log.ts';
import { reconnectDelayMs } from './reconnect_pace.ts';
import { inForm } from './record_form.ts';
import type { WinevtlogMetrics } from './winevtlog_metrics.ts';

export interface ReaderParts {
  readonly options: WinevtlogOptions;
  readonly context: InputContext;
  readonly metrics: WinevtlogMetrics;
  readonly openLog: () => Promise<EventLog>;
  /** Says that the channel is read or, with a reason, that it is not. */
  readonly setProblem: (problem: string | undefined) => void;
}

/** What one subscription reads: a channel, or a QueryList. */
export interface ReaderTarget extends LogTarget {
  /** For the checkpoint and for messages. */
  readonly name: string;
  readonly tag: string;
  /** Record ids grow: the events of one log of this host. */
  readonly isOrdered: boolean;
}

interface Row {
  readonly json: string;
  readonly bytes: number;
  readonly offset: number;
  readonly offsetEnd: number;
  readonly time: EventTime;
}

/** Reads one subscription for as long as the input runs. Any error closes it, and it is opened
 *  again behind the last event that was read, sooner or later; it never gives up. */
export class ChannelReader {
  private readonly target: ReaderTarget;
  private readonly parts: ReaderParts;
  private source: OpenSource | undefined;
  private place: PlaceInLog | undefined;
  private marks = new PositionMarks<ChannelMark>(firstMark);
  private eventsMax: number;
  /** The channel was not there at first: all that it will have is new. */
  private wasMissing = false;
  private failures = 0;

  constructor(target: ReaderTarget, parts: ReaderParts) {
    this.target = target;
    this.parts = parts;
    this.eventsMax = parts.options.batch_events;
  }

  async run(emitter: BatchEmitter, signal: AbortSignal): Promise<void> {
    const { options, context } = this.parts;
    const { clock } = context;
    while (!signal.aborted) {
      try {
        await this.follow(emitter, signal);
      } catch (error) {
        if (!(error instanceof EventLogError)) throw error;
        this.report(error);
        await pause(clock, reconnectDelayMs(options, this.failures, Math.random()), signal);
      }
    }
    this.source?.close();
  }

  /** Subscribes and reads until something fails or the input stops. */
  private async follow(emitter: BatchEmitter, signal: AbortSignal): Promise<void> {
    const log = await this.parts.openLog();
    try {
      const source = this.source ?? (await this.openSource(log));
      const subscription = await this.subscribe(log);
      try {
        await this.read(subscription, source, emitter, signal);
      } finally {
        subscription.close();
      }
    } finally {
      log.close();
    }
  }

  private async openSource(log: EventLog): Promise<OpenSource> {
    const { context, options } = this.parts;
    const { name, isOrdered } = this.target;
    const stored = context.sources.checkpoints().get(name);
    const known = readMark(stored?.identity);
    const isFromNewest = known === undefined && !options.read_existing_events && !this.wasMissing;
    const start = known ?? (isFromNewest ? await this.newestMark(log) : firstMark);
    this.marks = new PositionMarks(start);
    let positions = stored?.positions ?? {};
    // Without an order of ids, positions say nothing beyond the mark: what some outputs have behind
    // it comes again.
    if (!isOrdered) positions = mapValues(positions, () => start.position);
    this.place = new PlaceInLog(start, {
      isOrdered,
      countsGaps: isOrdered && this.target.query === '*',
      positionFloor: Math.max(start.position, ...Object.values(positions)),
    });
    this.source = await context.sources.open({
      name,
      checkpointKey: name,
      startPosition: start.position,
      ...(stored === undefined ? {} : { generation: stored.generation, positions }),
      identity: async (position) => this.marks.at(position),
      onSettled: (position) => this.marks.settle(position),
    });
    return this.source;
  }

  /** The place behind the newest event: what comes during a restart before the first event was
   *  acknowledged is not lost. */
  private async newestMark(log: EventLog): Promise<ChannelMark> {
    const newest = await log.newest(this.target);
    if (newest === undefined) return firstMark;
    const place = new PlaceInLog(firstMark, {
      isOrdered: true,
      countsGaps: false,
      positionFloor: 0,
    });
    const root = parseXml(newest.xml);
    const facts = factsOf(root, parseSystemTime(timeTextOf(root)));
    place.take(facts.recordId, facts.timeText);
    return place.mark(newest.bookmarkXml);
  }

  private async subscribe(log: EventLog): Promise<Subscription> {
    const bookmarkXml = this.marks.last.bookmark;
    try {
      return await log.subscribe({ ...this.target, bookmarkXml });
    } catch (error) {
      const isStale = error instanceof EventLogError && error.isStaleBookmark;
      if (!isStale || bookmarkXml === undefined) throw error;
      const { metrics, context } = this.parts;
      metrics.bookmarksLost.value++;
      const { name } = this.target;
      context.log.warn(
        { channel: name, error: error.message, record_id: this.marks.last.recordId },
        'Windows does not take the bookmark: reading goes on at the oldest event that was not read.',
      );
      this.place!.reread();
      return log.subscribe({ ...this.target, bookmarkXml: undefined });
    }
  }

  private async read(
    subscription: Subscription,
    source: OpenSource,
    emitter: BatchEmitter,
    signal: AbortSignal,
  ): Promise<void> {
    const { clock } = this.parts.context;
    while (!signal.aborted) {
      const events = await subscription.next(this.eventsMax);
      this.failures = 0;
      this.parts.setProblem(undefined);
      if (events.length === 0) {
        await pause(clock, pollMs(this.parts.options), signal);
        continue;
      }
      const bookmark = subscription.bookmark();
      const rows: Row[] = [];
      for (const event of events) this.addRow(event, rows);
      // Ahead of the batch, so that a checkpoint that is written meanwhile finds it.
      const mark = this.place!.mark(bookmark);
      this.marks.add(mark);
      await this.emit(rows, mark.position, source, emitter);
    }
  }

  private addRow(event: LogEvent, rows: Row[]): void {
    const { metrics, context } = this.parts;
    if (event.xml === undefined) {
      metrics.unrendered.value++;
      context.log.warn(
        { channel: this.target.name, error: event.problem },
        'An event cannot be rendered; it is left out.',
      );
      return;
    }
    const read = this.readXml(event.xml, event.rendered);
    const step = this.place!.take(read.recordId ?? this.nextId(), read.timeText);
    if (step.kind === 'known') return;
    metrics.missed.value += step.missed;
    const { json } = read;
    const bytes = Buffer.byteLength(json);
    if (bytes > context.service.eventBytesMax) {
      metrics.tooLarge.value++;
      return;
    }
    const time = read.time ?? nowTime(context.clock.nowMs());
    rows.push({ json, bytes, offset: step.offset, offsetEnd: this.place!.position, time });
  }

  /** The record of an event; XML that cannot be read becomes the record's `Xml`. */
  private readXml(xml: string, rendered: RenderedNames | undefined): ReadEvent {
    const { options, metrics } = this.parts;
    try {
      const root = parseXml(xml);
      const { members, time } = eventRecord(root, {
        stringInserts: options.string_inserts,
        ...(rendered === undefined ? {} : { rendered }),
        ...(options.render_event_as_xml ? { xml } : {}),
      });
      return { ...factsOf(root, time), json: recordJson(inForm(members, options)), time };
    } catch (error) {
      if (!(error instanceof XmlError)) throw error;
      metrics.malformed.value++;
      const json = JSON.stringify({ message_source: 'none', Xml: xml, XmlError: messageOf(error) });
      return { recordId: undefined, timeText: '', json, time: undefined };
    }
  }

  private nextId(): number {
    return this.place!.mark('').recordId + 1;
  }

  private async emit(
    rows: readonly Row[],
    positionEnd: number,
    source: OpenSource,
    emitter: BatchEmitter,
  ): Promise<void> {
    for (let next = 0; next < rows.length; ) {
      const batch = await emitter.batch(source, this.target.tag, rows[next]!.bytes);
      let to = batch.dataStart;
      for (; next < rows.length && batch.count < batch.capacity; next++) {
        const { json, bytes, offset, offsetEnd, time } = rows[next]!;
        if (to + bytes > batch.dataEnd) break;
        batch.bytes.utf8Write(json, to, bytes);
        const index = batch.addEvent(offset, offsetEnd, time.seconds, time.nanos);
        batch.setRoot(index, to, to + bytes);
        to += bytes;
      }
      batch.positionEnd = next < rows.length ? rows[next - 1]!.offsetEnd : positionEnd;
      batch.inputBytes = to - batch.dataStart;
      await emitter.emit(batch);
    }
  }

  private report(error: EventLogError): void {
    const { context, metrics, options, setProblem } = this.parts;
    const { name } = this.target;
    this.failures++;
    metrics.resubscriptions.value++;
    if (error.isTooMuchAtOnce && this.eventsMax > 1) this.eventsMax >>= 1;
    if (error.isMissingChannel && this.source === undefined) this.wasMissing = true;
    const isTolerated = error.isMissingChannel && options.ignore_missing_channels;
    setProblem(isTolerated ? undefined : `${name}: ${error.message}`);
    if (this.failures !== 1) return;
    const fields = { channel: name, error: error.message, events_at_once: this.eventsMax };
    if (isTolerated) context.log.info(fields, 'A channel is not there; it is looked for again.');
    else context.log.warn(fields, 'Reading a channel failed; it is subscribed to again.');
  }
}

interface EventFacts {
  readonly recordId: number;
  readonly timeText: string;
}

interface ReadEvent {
  readonly recordId: number | undefined;
  readonly timeText: string;
  readonly json: string;
  readonly time: EventTime | undefined;
}

function factsOf(root: XmlElement, time: EventTime | undefined): EventFacts {
  const recordId = Number(root.child('System')?.child('EventRecordID')?.text() ?? 0);
  return {
    recordId: Number.isSafeInteger(recordId) && recordId > 0 ? recordId : 0,
    timeText: time === undefined ? '' : timeTextOf(root),
  };
}

function timeTextOf(root: XmlElement): string {
  return root.child('System')?.child('TimeCreated')?.attribute('SystemTime') ?? '';
}

/** Fluent Bit's names for it come first: they are there only where they were written. */
function pollMs({ interval_sec, interval_nsec, poll_interval }: WinevtlogOptions): number {
  if (interval_sec === undefined && interval_nsec === undefined) return poll_interval;
  return Math.max(10, (interval_sec ?? 0) + (interval_nsec ?? 0) / 1e6);
}

function nowTime(nowMs: number): EventTime {
  const seconds = Math.floor(nowMs / 1000);
  return { seconds, nanos: Math.floor((nowMs - seconds * 1000) * 1e6) };
}

function mapValues(
  values: Readonly<Record<string, number>>,
  to: () => number,
): Record<string, number> {
  return Object.fromEntries(Object.keys(values).map((key) => [key, to()]));
}
