import type { Kernel } from '../kernel/kernel.ts';
import { type Literal, ObjectWriter } from '../kernel/object_writer.ts';
import type { Batch } from './batch.ts';
import { PlainObjectReader } from './plain_object_reader.ts';
import { valueKind } from './value_kind.ts';

/** A key of objects that came, behind certain others. */
interface KeyNode {
  readonly key: string;
  readonly literal: Literal;
  /** What came behind it last, and all that did. */
  latest: KeyNode | undefined;
  readonly following: Map<string, KeyNode>;
  /** Place where the reader had its value last, or -1; true for this round of the reader. */
  place: number;
  round: number;
  /** How often the reader did not have it. */
  misses: number;
  /** The value written last, and where; in the batch of this number. */
  text: string | undefined;
  start: number;
  end: number;
  batchNumber: number;
}

/** After so many values that are new, those of a key are not sought any more. */
const missesMax = 32;
const nodesMax = 1024;
/** Longer texts are for JSON.stringify, with the rest of their object. */
const textLengthMax = 256;

/** Events that are nothing but columns as plain objects, and such objects as events again. What a
 *  plugin leaves as it is, is not written anew: the kernel makes the event's root of the spans that
 *  the values came from. Whatever is not that simple is the caller's. */
export class PlainObjects {
  private readonly kernel: Kernel;
  private readonly reader = new PlainObjectReader();
  private writer: ObjectWriter | undefined;
  private first = nodeOf('', { at: 0, length: 0 });
  private nodes = 0;
  private batch: Batch | undefined;
  private batchNumber = 0;
  private canWork = false;
  /** The event that the reader's values are of; -1 once its columns are others. */
  private readIndex = -1;

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  /** Turns to a batch. `settle` ends it. */
  begin(batch: Batch): void {
    this.batch = batch;
    this.batchNumber++;
    this.readIndex = -1;
    this.canWork = batch.inKernelMemory && batch.bytes === this.kernel.bytes;
    if (!this.canWork) return;
    this.reader.begin(batch);
    this.writer?.begin(batch);
  }

  /** The event as an object; undefined when it is more than columns of plain text. */
  read(index: number): Record<string, unknown> | undefined {
    if (!this.canWork) return undefined;
    const object = this.reader.read(index);
    this.readIndex = object === undefined ? -1 : index;
    return object;
  }

  /** The event's columns are not what was read any more. */
  forget(): void {
    this.readIndex = -1;
  }

  /** Makes the object the event's root with the next `settle`. False when it does not: nothing is
   *  changed then. */
  replace(index: number, object: Record<string, unknown>): boolean {
    // hot path
    if (!this.canWork || !isPlain(object)) return false;
    this.writer ??= this.newWriter();
    const { writer } = this;
    if (writer === undefined) return false;
    writer.open();
    let node = this.first;
    for (const key in object) {
      const next = node.latest?.key === key ? node.latest : this.follow(node, key);
      if (next === undefined || !this.add(writer, next, index, object[key])) return false;
      node = next;
    }
    writer.end(index);
    const { columns, rootKind } = this.batch!;
    for (let i = 0; i < columns.length; i++) columns[i]!.kind[index] = valueKind.absent;
    rootKind[index] = 0;
    this.readIndex = -1;
    return true;
  }

  /** Writes the roots that are due. */
  settle(): void {
    this.writer?.flush();
  }

  close(): void {
    this.writer?.close();
    this.writer = undefined;
  }

  private newWriter(): ObjectWriter | undefined {
    const writer = ObjectWriter.create(this.kernel);
    if (writer === undefined) this.canWork = false;
    else writer.begin(this.batch!);
    return writer;
  }

  private add(writer: ObjectWriter, node: KeyNode, index: number, value: unknown): boolean {
    // hot path
    switch (typeof value) {
      case 'string': {
        const place = this.readIndex === index ? this.placeOf(node, value) : -1;
        if (place < 0) return this.addWritten(writer, node, value, valueKind.text);
        const { starts, ends } = this.reader;
        return writer.add(node.literal, starts[place]!, ends[place]!, valueKind.text);
      }
      case 'number':
        return this.addWritten(
          writer,
          node,
          Number.isFinite(value) ? String(value) : 'null',
          valueKind.json,
        );
      case 'boolean':
        return this.addWritten(writer, node, value ? 'true' : 'false', valueKind.json);
      case 'undefined':
      case 'function':
      case 'symbol':
        // JSON.stringify leaves such members out.
        return true;
      default:
        return value === null && this.addWritten(writer, node, 'null', valueKind.json);
    }
  }

  /** Where the reader has this value, under its own name or another; -1 when it is new. */
  private placeOf(node: KeyNode, value: string): number {
    // hot path
    const { reader } = this;
    if (node.round !== reader.round) {
      node.place = reader.placeOf(node.key);
      node.round = reader.round;
      node.misses = 0;
    }
    if (reader.hasText(node.place, value)) return node.place;
    if (node.misses === missesMax) return -1;
    const place = reader.placeOfText(value);
    if (place < 0) node.misses++;
    else node.place = place;
    return place;
  }

  private addWritten(writer: ObjectWriter, node: KeyNode, text: string, kind: 1 | 2): boolean {
    // hot path
    if (node.text !== text || node.batchNumber !== this.batchNumber) {
      const at = this.written(text);
      if (at < 0) return false;
      node.text = text;
      node.start = at;
      node.end = at + text.length;
      node.batchNumber = this.batchNumber;
    }
    return writer.add(node.literal, node.start, node.end, kind);
  }

  /** Puts a short text of ASCII into the batch and returns where; -1 for others. */
  private written(text: string): number {
    // hot path
    const { length } = text;
    if (length > textLengthMax) return -1;
    for (let i = 0; i < length; i++) if (text.charCodeAt(i) > 0x7f) return -1;
    const batch = this.batch!;
    const at = batch.reserveScratch(length);
    if (at < 0) return -1;
    for (let i = 0; i < length; i++) batch.bytes[at + i] = text.charCodeAt(i);
    return at;
  }

  private follow(node: KeyNode, key: string): KeyNode | undefined {
    let next = node.following.get(key);
    if (next === undefined) {
      const literal = this.nodes < nodesMax ? this.writer!.keyLiteral(key) : undefined;
      if (literal === undefined) {
        // Keys made of data: the next object begins anew.
        this.settle();
        this.close();
        this.first = nodeOf('', { at: 0, length: 0 });
        this.nodes = 0;
        return undefined;
      }
      this.nodes++;
      next = nodeOf(key, literal);
      node.following.set(key, next);
    }
    node.latest = next;
    return next;
  }
}

function nodeOf(key: string, literal: Literal): KeyNode {
  return {
    key,
    literal,
    latest: undefined,
    following: new Map(),
    place: -1,
    round: -1,
    misses: 0,
    text: undefined,
    start: 0,
    end: 0,
    batchNumber: -1,
  };
}

/** True for an object whose members are all its own, and that JSON.stringify takes as it is. */
function isPlain(object: Record<string, unknown>): boolean {
  // hot path
  const prototype: unknown = Object.getPrototypeOf(object);
  if (prototype !== Object.prototype && prototype !== null) return false;
  if (object['toJSON'] !== undefined) return false;
  if (prototype === null) return true;
  // What others put on the prototype would be among the members.
  for (const _ in Object.prototype) return false;
  return true;
}
