import { securityAuditing } from '../../shared/windows_event/standard_names.ts';
import { systemFields } from '../../shared/windows_event/system_fields.ts';
import { parseSystemTime } from '../../shared/windows_event/value_text.ts';
import { valueTypes } from './binary_nodes.ts';
import type { EventPlan, FieldPlan, MemberPlan, ValuePlan } from './event_plan.ts';
import type { JsonSink } from './json_sink.ts';
import { NameTexts } from './name_texts.ts';
import { fixedSizes, itemSize } from './value_texts.ts';
import type { ValueFrames } from './value_frames.ts';
import { fileTimeSeconds, fileTimeTicks, stringEnd, writeValue } from './value_writer.ts';

/** Writes records' JSON by plans. What a plan cannot say of the values at hand sets `isGivenUp`:
 *  the tree does that record then. */
export class PlanWriter {
  isGivenUp = false;
  /** Time of the event written last; NaN when it has none. */
  seconds = Number.NaN;
  nanos = 0;

  private bytes: Buffer = Buffer.alloc(0);
  private readonly out: JsonSink;
  private readonly frames: ValueFrames;
  private readonly nameTexts = new NameTexts();
  /** Where the texts of inserts were written in the body, by slot. */
  private readonly slotStart = new Int32Array(slotsMax);
  private readonly slotEnd = new Int32Array(slotsMax);
  private base = 0;
  private count = 0;
  private isFirst = true;
  private isSecurity = false;
  /** The plan that wrote the body, and its values. */
  private bodyPlan: EventPlan | undefined;

  constructor(out: JsonSink, frames: ValueFrames) {
    this.out = out;
    this.frames = frames;
  }

  /** Begins an event: everything up to its body. The values are those read last. */
  system(bytes: Buffer, plan: EventPlan, base: number, count: number): void {
    // hot path
    this.bytes = bytes;
    this.base = base;
    this.count = count;
    this.isGivenUp = false;
    this.isFirst = true;
    this.isSecurity = false;
    this.bodyPlan = plan;
    this.seconds = Number.NaN;
    this.nanos = 0;
    this.out.byte(0x7b);
    const { system } = plan;
    for (let i = 0; i < system.length; i++) {
      const field = system[i];
      if (field !== undefined && this.hasAll(field.required)) this.field(i, field);
    }
    this.key(messageSourceKey);
    this.out.literal(noMessage);
  }

  /** Writes members of the event's body. */
  body(plan: EventPlan, base: number, count: number): void {
    // hot path
    this.base = base;
    this.count = count;
    this.bodyPlan = plan;
    this.members(plan.body);
  }

  /** Writes `StringInserts`, behind the body. */
  stringInserts(): void {
    // hot path
    const inserts = this.bodyPlan?.inserts;
    if (inserts === undefined) {
      this.isGivenUp = true;
      return;
    }
    this.key(stringInsertsKey);
    this.out.byte(0x5b);
    const count = this.hasAll(inserts.required) ? inserts.values.length : 0;
    let isFirst = true;
    for (let i = 0; i < count; i++) {
      const plan = inserts.values[i]!;
      if (!this.hasAll(plan.required)) continue;
      if (!isFirst) this.out.byte(0x2c);
      isFirst = false;
      if (plan.slot < 0) this.value(plan);
      else this.out.copy(this.slotStart[plan.slot]!, this.slotEnd[plan.slot]!);
    }
    this.out.byte(0x5d);
  }

  /** Ends the event; `extra` are more members, each with a comma in front, or nothing. */
  end(extra: Buffer): void {
    this.out.literal(extra);
    this.out.byte(0x7d);
  }

  private key(key: Buffer): void {
    if (this.isFirst) this.isFirst = false;
    else this.out.byte(0x2c);
    this.out.literal(key);
  }

  private hasAll(required: readonly number[]): boolean {
    for (let i = 0; i < required.length; i++) {
      const index = required[i]!;
      if (index >= this.count || this.frames.type[this.base + index] === valueTypes.null) {
        return false;
      }
    }
    return true;
  }

  // ── System ──────────────────────────────────────────────────────────────────────────────────

  private field(position: number, field: FieldPlan): void {
    // hot path
    if (field.text !== undefined) {
      this.constant(position, field.text, field.json);
      return;
    }
    if (field.index >= this.count) return;
    const value = this.base + field.index;
    const type = this.frames.type[value]!;
    const start = this.frames.start[value]!;
    const size = this.frames.size[value]!;
    const fixed = fixedSizes[type];
    if (type === valueTypes.null) return;
    if (fixed !== undefined && fixed !== size) {
      this.isGivenUp = true;
      return;
    }
    switch (systemFields[position]!.kind) {
      case 'text':
        this.text(position, type, start, size);
        break;
      case 'number':
        this.number(position, type, start);
        break;
      case 'keywords':
        this.keywords(type, start);
        break;
      case 'time':
        this.time(type, start);
        break;
    }
  }

  private constant(position: number, text: string, json: Buffer): void {
    this.key(systemKeys[position]!);
    this.out.literal(json);
    if (position === providerName) this.isSecurity = text === securityAuditing;
    else if (position === timeCreated) {
      const time = parseSystemTime(text);
      this.seconds = time?.seconds ?? Number.NaN;
      this.nanos = time?.nanos ?? 0;
    } else if (position === keywordsField) {
      // Not a value that real templates fix: the tree knows what to do.
      this.isGivenUp = true;
    } else if (json[0] !== 0x22) this.names(position, Number(text));
  }

  private text(position: number, type: number, start: number, size: number): void {
    // hot path
    if (type === valueTypes.string) {
      const end = stringEnd(this.bytes, start, size);
      if (end === start) return;
      if (position === providerName) {
        const length = end - start;
        this.isSecurity =
          length === securityBytes.length &&
          this.bytes.compare(securityBytes, 0, length, start, end) === 0;
      }
    } else if (type !== valueTypes.guid && type !== valueTypes.sid) {
      this.isGivenUp = true;
      return;
    }
    this.key(systemKeys[position]!);
    this.out.byte(0x22);
    writeValue(this.out, this.bytes, type, start, size);
    this.out.byte(0x22);
  }

  private number(position: number, type: number, start: number): void {
    // hot path
    const value = this.unsigned(type, start);
    // Beyond this a number becomes text.
    if (!(value <= 999_999_999_999_999)) {
      this.isGivenUp = true;
      return;
    }
    this.key(systemKeys[position]!);
    this.out.integer(value);
    this.names(position, value);
  }

  /** The value of an unsigned number; NaN for any other type. */
  private unsigned(type: number, start: number): number {
    const { bytes } = this;
    if (type === valueTypes.uint8) return bytes[start]!;
    if (type === valueTypes.uint16) return bytes[start]! | (bytes[start + 1]! << 8);
    if (type === valueTypes.uint32) return bytes.readUInt32LE(start);
    if (type === valueTypes.uint64) {
      return bytes.readUInt32LE(start) + bytes.readUInt32LE(start + 4) * 2 ** 32;
    }
    return Number.NaN;
  }

  private names(position: number, value: number): void {
    // hot path
    let member: Buffer;
    if (position === level) member = this.nameTexts.level(value);
    else if (position === opcode) member = this.nameTexts.opcode(value);
    else if (position === task && this.isSecurity) member = this.nameTexts.securityTask(value);
    else return;
    if (member.length > 0) this.key(member);
  }

  private keywords(type: number, start: number): void {
    if (type !== valueTypes.hexInt64) {
      this.isGivenUp = true;
      return;
    }
    const high = this.bytes.readUInt32LE(start + 4);
    this.key(systemKeys[keywordsField]!);
    this.out.byte(0x22);
    this.out.hex64(high, this.bytes.readUInt32LE(start));
    this.out.byte(0x22);
    const names = this.nameTexts.keywords(high);
    if (names.length > 0) this.key(names);
  }

  private time(type: number, start: number): void {
    const seconds = type === valueTypes.fileTime ? fileTimeSeconds(this.bytes, start) : Number.NaN;
    if (!(seconds >= 0 && seconds < 253_402_300_800)) {
      this.isGivenUp = true;
      return;
    }
    const ticks = fileTimeTicks(this.bytes, start);
    this.seconds = seconds;
    this.nanos = ticks * 100;
    this.key(systemKeys[timeCreated]!);
    this.out.byte(0x22);
    this.out.time(seconds, ticks);
    this.out.byte(0x22);
  }

  // ── the body ────────────────────────────────────────────────────────────────────────────────

  private members(members: readonly MemberPlan[]): void {
    // hot path
    for (let i = 0; i < members.length; i++) this.member(members[i]!);
  }

  private member({ key, values }: MemberPlan): void {
    // hot path
    if (values.length === 1 && !this.isArray(values[0]!.repeatable)) {
      const only = values[0]!;
      if (!this.hasAll(only.required)) return;
      this.key(key);
      this.value(only);
      return;
    }
    const count = this.countValues(values);
    if (count === 0) return;
    this.key(key);
    if (count > 1) this.out.byte(0x5b);
    let isFirst = true;
    for (let i = 0; i < values.length; i++) {
      const plan = values[i]!;
      if (!this.hasAll(plan.required)) continue;
      if (!isFirst) this.out.byte(0x2c);
      isFirst = false;
      this.value(plan);
    }
    if (count > 1) this.out.byte(0x5d);
  }

  /** How many values there are under a key: more than one make a list. */
  private countValues(values: readonly ValuePlan[]): number {
    let count = 0;
    for (let i = 0; i < values.length; i++) {
      const plan = values[i]!;
      if (!this.hasAll(plan.required)) continue;
      if (this.isArray(plan.repeatable)) count += this.countItems(this.base + plan.repeatable);
      else count++;
    }
    return count;
  }

  private isArray(index: number): boolean {
    if (index < 0 || index >= this.count) return false;
    return (this.frames.type[this.base + index]! & valueTypes.array) !== 0;
  }

  private value(plan: ValuePlan): void {
    // hot path
    if (plan.slot < 0) {
      this.writeValue(plan);
      return;
    }
    this.slotStart[plan.slot] = this.out.at;
    this.writeValue(plan);
    this.slotEnd[plan.slot] = this.out.at;
  }

  private writeValue(plan: ValuePlan): void {
    // hot path
    if (plan.members !== undefined) {
      this.object(plan.members, plan.mayBeEmpty);
      return;
    }
    if (this.isArray(plan.repeatable)) {
      this.items(this.base + plan.repeatable);
      return;
    }
    this.out.byte(0x22);
    for (let i = 0; i < plan.text.length; i++) {
      const part = plan.text[i]!;
      if (part.literal !== undefined) this.out.literal(part.literal);
      else if (part.index < this.count) this.single(this.base + part.index);
    }
    this.out.byte(0x22);
  }

  private object(members: readonly MemberPlan[], mayBeEmpty: boolean): void {
    this.out.byte(0x7b);
    this.isFirst = true;
    for (let i = 0; i < members.length; i++) {
      const member = members[i]!;
      // Without other members it is text, no object.
      if (this.isFirst && !mayBeEmpty && member.name === '#text') this.isGivenUp = true;
      this.member(member);
    }
    if (this.isFirst && !mayBeEmpty) this.isGivenUp = true;
    this.isFirst = false;
    this.out.byte(0x7d);
  }

  private single(value: number): void {
    const type = this.frames.type[value]!;
    if (type === valueTypes.binaryXml || (type & valueTypes.array) !== 0) this.isGivenUp = true;
    else
      writeValue(this.out, this.bytes, type, this.frames.start[value]!, this.frames.size[value]!);
  }

  // ── arrays: one value an item ───────────────────────────────────────────────────────────────

  private countItems(value: number): number {
    const size = this.frames.size[value]!;
    if (size === 0) return 1;
    let count = 0;
    const end = this.frames.start[value]! + size;
    for (let at = this.frames.start[value]!; at < end; count++) {
      const next = this.itemEnd(value, at, end);
      if (next < 0) return 1;
      at = next;
    }
    return count;
  }

  private items(value: number): void {
    const size = this.frames.size[value]!;
    const type = this.frames.type[value]! & ~valueTypes.array;
    let at = this.frames.start[value]!;
    const end = at + size;
    let isFirst = true;
    while (isFirst || at < end) {
      if (!isFirst) this.out.byte(0x2c);
      isFirst = false;
      const next = size === 0 ? at : this.itemEnd(value, at, end);
      if (next < 0) {
        this.isGivenUp = true;
        return;
      }
      this.out.byte(0x22);
      if (next > at) writeValue(this.out, this.bytes, type, at, next - at);
      this.out.byte(0x22);
      at = next;
    }
  }

  /** Where the item at `at` ends, or -1 where the array is not one. */
  private itemEnd(value: number, at: number, end: number): number {
    const type = this.frames.type[value]! & ~valueTypes.array;
    if (type === valueTypes.string) {
      if ((this.frames.size[value]! & 1) !== 0) return -1;
      for (let place = at; place < end; place += 2) {
        if (this.bytes[place] === 0 && this.bytes[place + 1] === 0) return place + 2;
      }
      return end;
    }
    const size = itemSize(this.bytes, type, at, this.frames.size[value]!);
    return size === 0 || at + size > end ? -1 : at + size;
  }
}

/** A chunk has no room for more elements. */
export const slotsMax = 4096;

const indexOf = (key: string) => systemFields.findIndex((field) => field.key === key);
const providerName = indexOf('ProviderName');
const level = indexOf('Level');
const task = indexOf('Task');
const opcode = indexOf('Opcode');
const keywordsField = indexOf('Keywords');
const timeCreated = indexOf('TimeCreated');
const systemKeys = systemFields.map(({ key }) => Buffer.from(`"${key}":`));
const stringInsertsKey = Buffer.from('"StringInserts":');
const messageSourceKey = Buffer.from('"message_source":');
const noMessage = Buffer.from('"none"');
const securityBytes = Buffer.from(securityAuditing, 'utf16le');
