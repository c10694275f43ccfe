import {
  type Chunk,
  type Counter,
  type Delivery,
  type DeliveryOutcome,
  type Field,
  JsonRecordEncoder,
  type Output,
  type OutputContext,
  pause,
  type RecordEncoder,
  SluiceError,
} from '../../../core/sdk/index.ts';
import { levelOfNumber, levelOfText, namedLevel } from '../../shared/severity/levels.ts';
import type { WindowsEventLogOptions } from './config.ts';
import { EventRate } from './event_rate.ts';
import { EventText, valueAt } from './event_text.ts';
import {
  type EventType,
  type EventWriter,
  type EventWriterOptions,
  eventType,
  openEventWriter,
} from '../../shared/windows_native/event_writer.ts';

/** Time over which records left out are summed up in one event. */
const summaryMs = 60_000;
const accessDenied = 5;
/** ERROR_INVALID_PARAMETER, ERROR_BUFFER_OVERFLOW, RPC_X_BAD_STUB_DATA: of the record, not the log. */
const recordCodes: ReadonlySet<number> = new Set([87, 111, 1783]);
const warningLevel = namedLevel('warn')!;
const errorLevel = namedLevel('error')!;

/** Writes each record that is severe enough as an event, in order, one at a time. */
export class WindowsEventLogOutput implements Output {
  readonly encoder: RecordEncoder;
  private readonly options: WindowsEventLogOptions;
  private readonly context: OutputContext;
  private readonly openWriter: (options: EventWriterOptions) => Promise<EventWriter>;
  private readonly severityField: Field;
  private readonly least: number;
  private readonly missing: number;
  private readonly text: EventText;
  private readonly rate: EventRate;
  private readonly below: Counter;
  private readonly leftOut: Counter;
  private readonly cutTexts: Counter;
  private writer: EventWriter | undefined;
  private working: Promise<unknown> = Promise.resolve();
  private unsaid = 0;
  private cancelSummary: (() => void) | undefined;

  /** `openWriter` stands in for Windows' Event Log. */
  constructor(
    options: WindowsEventLogOptions,
    context: OutputContext,
    openWriter?: (options: EventWriterOptions) => Promise<EventWriter>,
  ) {
    this.options = options;
    this.context = context;
    this.openWriter = openWriter ?? openWindowsWriter;
    this.encoder = new JsonRecordEncoder({
      fingerprint: 'windows_event_log',
      ...(context.kernel === undefined ? {} : { kernel: context.kernel }),
    });
    this.severityField = context.field(options.severity_key);
    // The schema allows names of levels only.
    this.least = namedLevel(options.severity_min)!;
    this.missing = namedLevel(options.severity_missing)!;
    this.text = new EventText({
      message: options.message,
      includesRecord: options.include_record,
      charactersMax: options.text_max,
    });
    this.rate = new EventRate(options.rate, context.clock.monotonicMs());
    const { metrics } = context;
    this.below = metrics.counter('sluice_windows_event_log_below_severity_total');
    this.leftOut = metrics.counter('sluice_windows_event_log_left_out_total');
    this.cutTexts = metrics.counter('sluice_windows_event_log_cut_texts_total');
  }

  /** Not `open`, which may register the source. */
  async check(): Promise<void> {
    const { source, log } = this.options;
    const writer = await this.openWriter({ source: { log, name: source }, register: false });
    writer.close();
  }

  async open(): Promise<void> {
    const { source, log, register_source: register } = this.options;
    this.writer = await this.openWriter({ source: { log, name: source }, register });
    const { registration } = this.writer;
    if (registration === 'made') {
      this.context.log.info({ source, log }, 'The event source is registered.');
    } else if (typeof registration === 'object') {
      const { code } = registration;
      const reason = code === accessDenied ? 'it takes an administrator' : `error ${code}`;
      this.context.log.warn(
        { source, log, reason },
        'The event source is not registered, so Event Viewer says before each text that a description is missing: start the agent once as an administrator, or use "sluice service install --event-source".',
      );
    }
  }

  /** One chunk at a time, so that events keep the order of their records. */
  deliver(chunk: Chunk, { signal }: Delivery): Promise<DeliveryOutcome> {
    const done = this.working.then(() => this.write(chunk, signal));
    this.working = done.catch(() => undefined);
    return done;
  }

  async probe(): Promise<void> {
    // `open` has loaded the library and looked for the source; an event would be one too many.
  }

  async close(): Promise<void> {
    this.cancelSummary?.();
    await this.working;
    await this.summarize();
    this.writer?.close();
    this.writer = undefined;
  }

  private async write(chunk: Chunk, signal: AbortSignal): Promise<DeliveryOutcome> {
    const rejected: { index: number; reason: string; code: string }[] = [];
    for (let index = 0; index < chunk.count; index++) {
      if (signal.aborted) return restAgain(chunk, index, rejected, 'the agent stops');
      const event = this.eventOf(chunk, index);
      if (event === undefined) continue;
      if (!(await this.mayWrite(signal))) {
        if (signal.aborted) return restAgain(chunk, index, rejected, 'the agent stops');
        this.leaveOut();
        continue;
      }
      const code = await this.writer!.write({ ...event, id: this.options.event_id });
      if (code === 0) continue;
      const reason = `ReportEventW failed with error ${code}${adviceOn(code)}`;
      if (!recordCodes.has(code)) return restAgain(chunk, index, rejected, reason);
      rejected.push({ index, reason, code: String(code) });
    }
    if (rejected.length === 0) return { kind: 'accepted' };
    return { kind: 'partial', retry: [], rejected, reason: rejected[0]!.reason };
  }

  /** The event that a record becomes; undefined for one that is not severe enough. */
  private eventOf(chunk: Chunk, index: number): { type: EventType; text: string } | undefined {
    const json = this.encoder.recordJson(chunk.recordAt(index));
    // The encoder wrote it as an object.
    const record = JSON.parse(json) as Readonly<Record<string, unknown>>;
    const level = this.levelOf(valueAt(record, this.severityField));
    if (level < this.least) {
      this.below.value++;
      return undefined;
    }
    const { tag, seconds, nanos } = chunk.originAt(index);
    const text = this.text.of({ record, json, tag, seconds, nanos });
    if (this.text.wasCut) this.cutTexts.value++;
    return { type: typeOf(level), text };
  }

  private levelOf(value: unknown): number {
    const numbers = this.options.severity_numbers;
    let level = -1;
    if (typeof value === 'string') level = levelOfText(value, numbers);
    else if (typeof value === 'number') level = levelOfNumber(value, numbers);
    return level < 0 ? this.missing : level;
  }

  private async mayWrite(signal: AbortSignal): Promise<boolean> {
    const { clock } = this.context;
    while (!signal.aborted) {
      if (this.rate.take(clock.monotonicMs())) return true;
      if (this.options.over_rate === 'summarize') return false;
      await pause(clock, this.rate.waitMs(clock.monotonicMs()), signal);
    }
    return false;
  }

  private leaveOut(): void {
    this.leftOut.value++;
    this.unsaid++;
    if (this.cancelSummary !== undefined) return;
    this.cancelSummary = this.context.clock.after(summaryMs, () => {
      this.cancelSummary = undefined;
      this.working = this.working.then(() => this.summarize()).catch(() => undefined);
    });
  }

  /** Above the rate by one event a minute at most. */
  private async summarize(): Promise<void> {
    if (this.unsaid === 0 || this.writer === undefined) return;
    const records = this.unsaid;
    this.unsaid = 0;
    const { rate, severity_min: least, event_id: id } = this.options;
    const text = `${records} more records of level ${least} and above are not shown here: the output ${this.context.id} writes at most ${rate} events a minute.`;
    const code = await this.writer.write({ type: eventType.warning, id, text });
    const fields = { records, rate, ...(code === 0 ? {} : { code }) };
    this.context.log.warn(fields, 'Records above the rate were not written to the Event Log.');
  }
}

function openWindowsWriter(options: EventWriterOptions): Promise<EventWriter> {
  if (process.platform === 'win32') return openEventWriter(options);
  throw new SluiceError(
    'SLUICE_OPTION_INVALID',
    'The output windows_event_log needs Windows: its Event Log is written there.',
  );
}

function restAgain(
  chunk: Chunk,
  from: number,
  rejected: readonly { index: number; reason: string; code: string }[],
  reason: string,
): DeliveryOutcome {
  const retry = Array.from({ length: chunk.count - from }, (_, k) => from + k);
  return { kind: 'partial', retry, rejected, reason };
}

function typeOf(level: number): EventType {
  if (level >= errorLevel) return eventType.error;
  return level >= warningLevel ? eventType.warning : eventType.information;
}

/** What to do about Windows' commonest refusals. */
function adviceOn(code: number): string {
  if (code === accessDenied) return ' (access denied: the account may not write this log)';
  if (code === 1502) return ' (the log is full: let it overwrite as needed, or make it larger)';
  if (code === 1722 || code === 1717) return ' (the service Windows Event Log does not run)';
  return '';
}
