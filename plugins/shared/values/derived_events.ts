import { type Batch, ByteWriter, type DerivedEmitter } from '../../../core/sdk/index.ts';
import { derivedPart } from './derived_part.ts';

const eventsMax = 1024;
const bytesMax = 1024 * 1024;

/** Collects events that a filter makes out of others, and sends them on in batches of a handy
 *  size. Use one per filter; `flush` at the end of each batch. */
export class DerivedEvents {
  private readonly maker: string;
  private readonly writer = new ByteWriter(4096);
  private readonly parents: number[] = [];
  private readonly parts: number[] = [];
  private readonly ends: number[] = [];

  /** `maker` is the filter's id: part numbers depend on it. */
  constructor(maker: string) {
    this.maker = maker;
  }

  /** Adds piece `number` (from 1) of event `parent`, a JSON object. */
  add(
    batch: Batch,
    parent: number,
    number: number,
    json: Buffer,
    emitter: DerivedEmitter,
    to: 'next' | 'first',
  ): void {
    const isFull = this.parents.length === eventsMax || this.writer.length + json.length > bytesMax;
    if (isFull) this.flush(batch, emitter, to);
    this.writer.bytes(json);
    this.parents.push(parent);
    this.parts.push(derivedPart(batch.part[parent]!, number, this.maker));
    this.ends.push(this.writer.length);
  }

  /** Sends on what was added since the last time. */
  flush(batch: Batch, emitter: DerivedEmitter, to: 'next' | 'first'): void {
    if (this.parents.length === 0) return;
    const derived = emitter.derive(batch, this.parents.length, this.writer.length);
    this.writer.buffer.copy(derived.bytes, derived.dataStart, 0, this.writer.length);
    let start = derived.dataStart;
    for (let i = 0; i < this.parents.length; i++) {
      const parent = this.parents[i]!;
      const made = derived.addDerived(batch, parent, this.parts[i]!);
      const end = derived.dataStart + this.ends[i]!;
      derived.setRoot(made, start, end);
      start = end;
    }
    emitter.forward(derived, to);
    this.writer.clear();
    this.parents.length = 0;
    this.parts.length = 0;
    this.ends.length = 0;
  }
}
