import {
  type Batch,
  ByteWriter,
  type DerivedEmitter,
  type Field,
  fieldOf,
  JsonEventEncoder,
  valueKind,
} from '../../../core/sdk/index.ts';
import type { AssembledRecord } from '../../shared/multiline/index.ts';

/** The first record of an unfinished one, copied out of its batch. */
export interface HeldEvent {
  readonly json: Buffer;
  readonly offset: number;
  /** Behind the last record that belongs to it. */
  offsetEnd: number;
  readonly seconds: number;
  readonly nanos: number;
  readonly part: number;
  readonly tag: string;
}

const encoder = () => new JsonEventEncoder();

/** Copies event `index` with its origin. */
export function holdEvent(batch: Batch, index: number): HeldEvent {
  const out = new ByteWriter(1024);
  encoder().write(batch, index, out);
  return {
    json: Buffer.from(out.view()),
    offset: batch.offset[index]!,
    offsetEnd: batch.offsetEnd[index]!,
    seconds: batch.seconds[index]!,
    nanos: batch.nanos[index]!,
    part: batch.part[index]!,
    tag: batch.tagName(index),
  };
}

/** What a joined record changes in its first one. */
export class JoinedContent {
  private readonly bytes: Buffer;
  private readonly kind: 1 | 2;
  private readonly keys: readonly string[];
  private readonly values: readonly unknown[];
  private readonly removed: readonly Field[];

  /** Copies what it needs of the record. */
  constructor(record: AssembledRecord, removed: readonly Field[]) {
    this.bytes = Buffer.from(record.bytes.subarray(record.start, record.end));
    this.kind = record.format === 'docker' ? valueKind.json : valueKind.text;
    const isParsed = record.format === 'fields';
    this.keys = isParsed ? record.keys.filter((key) => key !== record.contentKey) : [];
    this.values = isParsed ? this.keys.map((key) => record.values[record.keys.indexOf(key)]) : [];
    this.removed = removed;
  }

  writeTo(batch: Batch, index: number, field: Field): void {
    this.keys.forEach((key, i) => {
      batch.setValue(index, fieldOf([key]), this.values[i]);
    });
    batch.setField(index, field, this.bytes, this.kind);
    for (const one of this.removed) batch.removeField(index, one);
  }
}

/** A held event that goes on. */
export interface LeavingEvent {
  readonly event: HeldEvent;
  readonly content: JoinedContent;
}

/** Sends held events on, before all of the batch, in the order in which they were read. */
export function sendOn(
  leaving: LeavingEvent[],
  field: Field,
  batch: Batch,
  emitter: DerivedEmitter,
): void {
  if (leaving.length === 0) return;
  leaving.sort((a, b) => a.event.offset - b.event.offset || a.event.part - b.event.part);
  const bytes = leaving.reduce((sum, { event }) => sum + event.json.length, 0);
  const derived = emitter.derive(batch, leaving.length, bytes);
  let start = derived.dataStart;
  for (const { event, content } of leaving) {
    const index = derived.addEvent(event.offset, event.offsetEnd, event.seconds, event.nanos);
    derived.part[index] = event.part;
    derived.parents[index] = -1;
    derived.setTag(index, event.tag);
    event.json.copy(derived.bytes, start);
    derived.setRoot(index, start, start + event.json.length);
    start += event.json.length;
    content.writeTo(derived, index, field);
  }
  emitter.forward(derived, 'next');
}
