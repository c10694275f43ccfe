import type { RenderedNames } from '../../shared/windows_event/event_record.ts';

/** Asks a publisher's metadata about the event at hand. */
export interface PublisherNames {
  /** `kind` as EvtFormatMessage numbers them. Undefined where the publisher has none. */
  format(kind: number): string | undefined;
}

/** Facts of an event that its names depend on. */
export interface NamedEvent {
  readonly publisher: string;
  readonly level: string;
  readonly task: string;
  readonly opcode: string;
  readonly keywords: string;
}

/** winevt.h, EVT_FORMAT_MESSAGE_FLAGS. */
export const formatKind = { message: 1, level: 2, task: 3, opcode: 4, keywords: 5 } as const;

const namesMax = 512;
/** A publisher that was not there may be installed meanwhile. */
const missingForMs = 5 * 60_000;

type Writable<Type> = { -readonly [Key in keyof Type]: Type[Key] };

interface Publisher<Handle> {
  readonly handle: Handle | undefined;
  readonly openedMs: number;
  readonly names: Map<string, string | undefined>;
}

/** Open metadata of the publishers seen last, and the names of their levels, tasks, opcodes and
 *  keywords: opening one reads its files, and asking for names costs more than reading an event. */
export class PublisherCache<Handle> {
  private readonly publishers = new Map<string, Publisher<Handle>>();
  private readonly publishersMax: number;
  private readonly openPublisher: (name: string) => Handle | undefined;
  private readonly closePublisher: (handle: Handle) => void;
  private readonly nowMs: () => number;

  constructor(
    publishersMax: number,
    open: (name: string) => Handle | undefined,
    close: (handle: Handle) => void,
    nowMs: () => number,
  ) {
    this.publishersMax = publishersMax;
    this.openPublisher = open;
    this.closePublisher = close;
    this.nowMs = nowMs;
  }

  get size(): number {
    return this.publishers.size;
  }

  /** What the publisher says of an event; undefined when its metadata is not there. */
  rendered(
    event: NamedEvent,
    format: (handle: Handle, kind: number) => string | undefined,
  ): RenderedNames | undefined {
    const publisher = this.publisher(event.publisher);
    const { handle } = publisher;
    if (handle === undefined) return undefined;
    const { names } = publisher;
    const nameOf = (kind: number, value: string): string | undefined => {
      if (value === '') return undefined;
      const key = `${kind}:${value}`;
      const known = names.get(key);
      if (known !== undefined || names.has(key)) return known;
      if (names.size >= namesMax) names.clear();
      const text = format(handle, kind);
      names.set(key, text);
      return text;
    };
    const rendered: Writable<RenderedNames> = {};
    const keywords = nameOf(formatKind.keywords, event.keywords);
    // A list of texts, each with a zero behind it.
    if (keywords !== undefined) rendered.keywords = keywords.split('\0').filter(Boolean);
    const message = format(handle, formatKind.message);
    if (message) rendered.message = message;
    const level = nameOf(formatKind.level, event.level);
    if (level) rendered.level = level;
    const task = nameOf(formatKind.task, event.task);
    if (task) rendered.task = task;
    // An opcode may have another name in another task.
    const inTask = event.opcode === '' ? '' : `${event.task}/${event.opcode}`;
    const opcode = nameOf(formatKind.opcode, inTask);
    if (opcode) rendered.opcode = opcode;
    return rendered;
  }

  clear(): void {
    for (const { handle } of this.publishers.values()) {
      if (handle !== undefined) this.closePublisher(handle);
    }
    this.publishers.clear();
  }

  private publisher(name: string): Publisher<Handle> {
    const known = this.publishers.get(name);
    if (known !== undefined) {
      // Behind the others: the first is the one not used for longest.
      this.publishers.delete(name);
      const isFresh = known.handle !== undefined || this.nowMs() - known.openedMs < missingForMs;
      if (isFresh) {
        this.publishers.set(name, known);
        return known;
      }
    }
    if (this.publishers.size >= this.publishersMax) this.dropOldest();
    const opened = { handle: this.openPublisher(name), openedMs: this.nowMs(), names: new Map() };
    this.publishers.set(name, opened);
    return opened;
  }

  private dropOldest(): void {
    for (const [name, { handle }] of this.publishers) {
      if (handle !== undefined) this.closePublisher(handle);
      this.publishers.delete(name);
      return;
    }
  }
}
