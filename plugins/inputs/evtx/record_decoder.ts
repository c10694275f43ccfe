import { eventRecord, recordJson } from '../../shared/windows_event/event_record.ts';
import { fileTimeEpochSeconds } from '../../shared/windows_event/value_text.ts';
import { writeXml } from '../../shared/windows_event/xml_text.ts';
import { valueTypes } from './binary_nodes.ts';
import { BinaryReader, definitionHeaderBytes } from './binary_reader.ts';
import { recordHeaderBytes, recordIdAt } from './chunk.ts';
import { Damage } from './damage.ts';
import { JsonSink } from './json_sink.ts';
import { PlanWriter } from './plan_writer.ts';
import { Template, TemplateCache } from './template_cache.ts';
import { TreeBuilder } from './tree_builder.ts';
import { ValueFrames } from './value_frames.ts';

export interface DecoderOptions {
  readonly renderXml: boolean;
  readonly stringInserts: boolean;
  /** Most characters of a record's XML. */
  readonly charactersMax: number;
}

const fragmentToken = 0x0f;
const instanceToken = 0x0c;

/** Turns the records of one chunk after another into JSON text.
 *
 *  A template is compiled once, whatever chunk it stands in; a record of it is then one pass over its values, without
 *  an object of its own. Whatever the plan cannot do, and raw XML, goes through a tree of elements. */
export class RecordDecoder {
  readonly out = new JsonSink();
  /** Time of the record written last: the event's, else the one when it was stored. */
  seconds = 0;
  nanos = 0;

  private readonly options: DecoderOptions;
  private readonly frames = new ValueFrames();
  private readonly writer: PlanWriter;
  private readonly cache = new TemplateCache();
  /** Of this chunk, by place. */
  private readonly templates = new Map<number, Template>();
  private bytes: Buffer = Buffer.alloc(0);
  private reader!: BinaryReader;
  private builder!: TreeBuilder;

  constructor(options: DecoderOptions) {
    this.options = options;
    this.writer = new PlanWriter(this.out, this.frames);
  }

  /** Goes on with the chunk in `bytes`. */
  open(bytes: Buffer): void {
    this.bytes = bytes;
    this.templates.clear();
    this.reader = new BinaryReader(bytes, bytes.length);
    this.builder = new TreeBuilder(
      bytes,
      this.reader,
      (offset) => this.templateAt(offset).nodes,
      this.options.charactersMax,
    );
  }

  /** Writes the record at `start` to `out`; `extra` are further members, each with a comma in
   *  front. When `out.isFull` is set then, nothing of it counts. Errors: Damage, TooLarge. */
  write(start: number, size: number, extra: Buffer): void {
    // hot path
    const { out, writer } = this;
    const { at } = out;
    if (!this.options.renderXml && this.writeByPlan(start, start + size - 4, extra)) {
      this.seconds = writer.seconds;
      this.nanos = writer.nanos;
    } else {
      out.rewind(at);
      this.writeByTree(start, start + size - 4, extra);
    }
    if (Number.isNaN(this.seconds)) this.takeStoredTime(start);
  }

  private writeByPlan(start: number, end: number, extra: Buffer): boolean {
    // hot path
    const { bytes, writer, frames } = this;
    const instance = this.instanceIn(start + recordHeaderBytes, end);
    if (instance < 0) return false;
    const plan = this.templateAt(bytes.readUInt32LE(instance + 6)).plan;
    if (plan === undefined || !plan.isEvent) return false;
    frames.clear();
    const base = frames.read(bytes, this.valuesOf(instance, end), end);
    const { count } = frames;
    writer.system(bytes, plan, base, count);
    if (plan.body.length > 0) writer.body(plan, base, count);
    let bodies = plan.body.length > 0 ? 1 : 0;
    for (let i = 0; i < plan.bodyHoles.length; i++) {
      const index = plan.bodyHoles[i]!;
      if (index >= count || frames.size[base + index] === 0) continue;
      const type = frames.type[base + index]!;
      if ((type & valueTypes.array) !== 0) return false;
      if (type !== valueTypes.binaryXml) continue;
      // Two bodies may have the same keys.
      if (++bodies > 1 || !this.writeBody(base + index)) return false;
    }
    if (this.options.stringInserts) writer.stringInserts();
    if (writer.isGivenUp) return false;
    writer.end(extra);
    return true;
  }

  /** Writes what binary XML in a value adds to the event. */
  private writeBody(value: number): boolean {
    // hot path
    const { bytes, frames } = this;
    const start = frames.start[value]!;
    const end = start + frames.size[value]!;
    const instance = this.instanceIn(start, end);
    if (instance < 0) return false;
    const plan = this.templateAt(bytes.readUInt32LE(instance + 6)).plan;
    if (plan === undefined || plan.isEvent || plan.bodyHoles.length > 0) return false;
    const base = frames.read(bytes, this.valuesOf(instance, end), end);
    const { count } = frames;
    const last = base + count - 1;
    const behind =
      count === 0 ? this.valuesOf(instance, end) + 4 : frames.start[last]! + frames.size[last]!;
    if (behind < end && bytes[behind] !== 0) return false;
    this.writer.body(plan, base, count);
    return true;
  }

  /** Where the template instance stands that [start, end) begins with, or -1. */
  private instanceIn(start: number, end: number): number {
    const at = start + 4 <= end && this.bytes[start] === fragmentToken ? start + 4 : start;
    return at + 10 <= end && this.bytes[at] === instanceToken ? at : -1;
  }

  /** Where the values of an instance begin: behind its definition, if that stands there. */
  private valuesOf(instance: number, end: number): number {
    const behind = instance + 10;
    if (this.bytes.readUInt32LE(instance + 6) !== behind) return behind;
    if (behind + definitionHeaderBytes > end)
      throw new Damage('a template that ends early', behind);
    return behind + definitionHeaderBytes + this.bytes.readUInt32LE(behind + 20);
  }

  private templateAt(offset: number): Template {
    const known = this.templates.get(offset);
    if (known !== undefined) return known;
    const template = this.cache.find(this.bytes, offset) ?? this.readTemplate(offset);
    this.templates.set(offset, template);
    return template;
  }

  private readTemplate(offset: number): Template {
    // The decoder's reader is in the middle of something when a tree asks.
    const reader = new BinaryReader(this.bytes, this.bytes.length);
    const template = new Template(reader.definition(offset));
    this.cache.add(this.bytes, offset, template, reader.references);
    return template;
  }

  private writeByTree(start: number, end: number, extra: Buffer): void {
    const root = this.builder.build(start + recordHeaderBytes, end);
    const { renderXml, stringInserts } = this.options;
    const xml = renderXml ? { xml: writeXml(root) } : {};
    const { members, time } = eventRecord(root, { stringInserts, ...xml });
    const isEvent = root.name === 'Event';
    const id = isEvent ? '' : `,"EventRecordID":${recordIdAt(this.bytes, start + 8)}`;
    this.out.text(`${recordJson(members).slice(0, -1)}${id}`);
    this.out.literal(extra);
    this.out.byte(0x7d);
    this.seconds = time?.seconds ?? Number.NaN;
    this.nanos = time?.nanos ?? 0;
  }

  private takeStoredTime(start: number): void {
    const ticks = this.bytes.readBigUInt64LE(start + 16);
    this.seconds = Number(ticks / 10_000_000n) - fileTimeEpochSeconds;
    this.nanos = Number(ticks % 10_000_000n) * 100;
  }
}
