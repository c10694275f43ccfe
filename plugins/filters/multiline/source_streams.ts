import type { HeldEvent } from './held_event.ts';
import type { Joiner } from './joiner.ts';

/** The records of one tag of a source. */
export interface Stream<J extends Joiner> {
  readonly joiner: J;
  /** First records of unfinished ones, by their number. */
  readonly held: Map<number, HeldEvent>;
}

/** Tags of one source whose records are told apart; others' leave with their batch. */
const tagsMax = 1024;

/** What the filter knows of one source. */
export class SourceStreams<J extends Joiner> {
  /** Stands for what is held of the source. */
  holder: object | undefined;
  /** Bytes held at the end of the last batch. */
  bytes = 0;
  private readonly streams = new Map<string, Stream<J>>();
  /** Records of tags past the bound; empty between batches. */
  private readonly others = new Map<string, Stream<J>>();
  private readonly make: () => J;

  constructor(make: () => J) {
    this.make = make;
  }

  of(tag: string): Stream<J> {
    let stream = this.streams.get(tag) ?? this.others.get(tag);
    if (stream === undefined) {
      stream = { joiner: this.make(), held: new Map() };
      (this.streams.size < tagsMax ? this.streams : this.others).set(tag, stream);
    }
    return stream;
  }

  all(): Iterable<Stream<J>> {
    return this.streams.values();
  }

  /** Streams that must not outlast their batch. */
  takeOthers(): readonly Stream<J>[] {
    if (this.others.size === 0) return none;
    const taken = [...this.others.values()];
    this.others.clear();
    return taken;
  }

  heldBytes(): number {
    let bytes = 0;
    for (const { joiner, held } of this.streams.values()) {
      bytes += joiner.heldBytes();
      for (const { json } of held.values()) bytes += json.length;
    }
    return bytes;
  }
}

const none: readonly never[] = [];
