import { findMember, isJsonObject, ParsedFields } from '../../../core/sdk/index.ts';
import { AssembledRecord, type RecordReceiver } from './assembled_record.ts';
import { ContainerLine } from './container_line.ts';
import { type MultilineRules, startState } from './definition.ts';
import { HeldGroup } from './held_group.ts';
import { LineText } from './line_text.ts';
import { lastTextKey, parseInto, textOf } from './parsed_content.ts';
import type { WatchedPattern } from './watched_pattern.ts';

/** A line in its block: `bytes[start, end)`, from `offset` to `offsetEnd` in its source. */
export interface LineAt {
  bytes: Buffer;
  start: number;
  end: number;
  offset: number;
  offsetEnd: number;
  /** It has no line feed inside: `bytes` is a file's. */
  isOneLine?: boolean;
  /** The bytes stay as they are until `settle`. */
  isKept?: boolean;
}

export interface AssemblerLimits {
  /** Bytes held for all streams together; what goes beyond is passed on in pieces. */
  readonly bytesMax: number;
  /** Called for each record that was cut. */
  onCut(): void;
}

/** Records that can leave for one line pushed: the line, what it ends, and what makes room. */
export const recordsPerLineMax = 4;

/** Streams of one file that are told apart; the oldest open record makes room. */
const groupsMax = 32;
const lineFeed = 0x0a;

/** Puts lines together to records, one assembler a file.
 *
 *  Of several rules the one that took the last line is asked first, then the others in order. A
 *  line that none takes is a record. Records of one stream keep their order; what is held is
 *  copied, so that the lines' block can be used again at once. */
export class MultilineAssembler {
  private readonly rules: readonly MultilineRules[];
  private readonly limits: AssemblerLimits;
  private readonly groups: HeldGroup[] = [];
  private readonly record = new AssembledRecord();
  private readonly container = new ContainerLine();
  private readonly fields = new ParsedFields();
  private readonly text = new LineText();
  /** Shorter lines need not be prepared. */
  readonly watchedBytesMin: number;
  private lastTaken = 0;
  private openCount = 0;
  /** Expressions that are tried on whole lines and may run away on long ones. */
  private readonly watched: readonly WatchedPattern[];

  constructor(rules: readonly MultilineRules[], limits: AssemblerLimits) {
    this.rules = rules;
    this.limits = limits;
    this.watched = rules
      .filter(({ format }) => format === 'text')
      .flatMap(({ patterns }) => patterns)
      .filter(({ guardedBytesMin }) => guardedBytesMin < Number.POSITIVE_INFINITY);
    this.watchedBytesMin = Math.min(...this.watched.map((one) => one.guardedBytesMin));
  }

  /** Tries the rules on the lines of a block in advance, those that could take long: under the
   *  watchdog, which costs as much for one line as for many. */
  async prepare(texts: readonly string[]): Promise<void> {
    for (const pattern of this.watched) {
      pattern.forget();
      await pattern.prepare(texts);
    }
  }

  /** The block of `prepare` is done, and its bytes may go. Returns how often a rule was given up on a line since then. */
  settle(): number {
    let givenUp = 0;
    for (const { content } of this.groups) content.own();
    for (const { patterns } of this.rules) {
      for (const pattern of patterns) {
        givenUp += pattern.givenUp;
        pattern.givenUp = 0;
        pattern.forget();
      }
    }
    return givenUp;
  }

  /** Offset of the oldest line held, or Infinity. */
  heldFrom(): number {
    let from = Number.POSITIVE_INFINITY;
    if (this.openCount === 0) return from;
    for (const group of this.groups) if (group.isOpen && group.offset < from) from = group.offset;
    return from;
  }

  /** Calls for each record that is not whole yet, with where it begins and ends so far. */
  forEachHeld(visit: (offset: number, offsetEnd: number) => void): void {
    if (this.openCount === 0) return;
    for (const { isOpen, offset, offsetEnd } of this.groups) if (isOpen) visit(offset, offsetEnd);
  }

  /** Bytes of records that are not whole yet. */
  heldBytes(): number {
    let bytes = 0;
    for (const { content, prefix } of this.groups) bytes += content.length + prefix.length;
    return bytes;
  }

  /** When the next record is due (monotonic ms), or Infinity. */
  nextDeadlineMs(): number {
    let next = Number.POSITIVE_INFINITY;
    if (this.openCount === 0) return next;
    for (const group of this.groups) {
      if (group.isOpen && group.deadlineMs < next) next = group.deadlineMs;
    }
    return next;
  }

  /** True while a container's line that is whole is a record of its own, whatever came before. */
  get passesCri(): boolean {
    return this.openCount === 0 && this.rules[this.lastTaken]!.format === 'cri';
  }

  /** Takes a line; passes on what is whole with it. */
  push(line: LineAt, nowMs: number, receive: RecordReceiver): void {
    // hot path
    if (this.take(this.lastTaken, line, nowMs, receive)) return;
    for (let index = 0; index < this.rules.length; index++) {
      if (index !== this.lastTaken && this.take(index, line, nowMs, receive)) {
        this.lastTaken = index;
        this.flushTexts(receive, index);
        return;
      }
    }
    this.flushTexts(receive, -1);
    this.passText(line, receive);
  }

  /** Passes on what has waited long enough; true when something was. */
  flushDue(nowMs: number, receive: RecordReceiver, most: number): boolean {
    let left = most;
    for (const group of this.groups) {
      if (!group.isOpen || group.deadlineMs > nowMs) continue;
      if (left-- === 0) break;
      this.close(group, receive);
    }
    return left < most;
  }

  /** Passes on everything held, oldest first. */
  flushAll(receive: RecordReceiver): void {
    const open = this.groups.filter((group) => group.isOpen);
    open.sort((left, right) => left.offset - right.offset);
    for (const group of open) this.close(group, receive);
  }

  private take(index: number, line: LineAt, nowMs: number, receive: RecordReceiver): boolean {
    const rules = this.rules[index]!;
    switch (rules.format) {
      case 'cri':
        return this.takeCri(index, line, nowMs, receive);
      case 'docker':
        return this.takeDocker(index, line, nowMs, receive);
      case 'parser':
        return this.takeParsed(index, line, nowMs, receive);
      case 'text':
        return rules.type === 'first_line'
          ? this.takeFirstLine(index, line, nowMs, receive)
          : this.takeText(index, line, nowMs, receive);
    }
  }

  private takeCri(index: number, line: LineAt, nowMs: number, receive: RecordReceiver): boolean {
    const at = this.container;
    if (!at.readCri(line.bytes, line.start, line.end)) return false;
    // stdout and stderr differ in their fourth letter.
    const name = line.bytes[at.streamStart + 3] === 0x6f ? 'stdout' : 'stderr';
    const isAlone = !at.isPartial && this.openCount === 0;
    const group = isAlone ? undefined : this.group(index, name, receive);
    if (!at.isPartial && !group?.isOpen) {
      const record = this.record;
      record.format = 'cri';
      this.point(line, at.logStart, at.logEnd);
      record.prefix = line.bytes;
      record.line.copySpans(at);
      receive(record);
      return true;
    }
    const length = at.logEnd - at.logStart;
    // A part of a longer record: it has a group.
    if (group === undefined) return false;
    if (!this.makeRoom(group, length, receive)) {
      this.open(group, line);
      group.keepLine(at, line.bytes, line.start, at.logStart);
    }
    group.content.append(line.bytes, at.logStart, at.logEnd);
    this.extend(group, line, nowMs);
    if (!at.isPartial) this.close(group, receive);
    return true;
  }

  private takeDocker(index: number, line: LineAt, nowMs: number, receive: RecordReceiver): boolean {
    const { bytes, start, end } = line;
    if (bytes[start] !== 0x7b || !isJsonObject(bytes, start, end)) return false;
    const log = findMember(bytes, start, logKey);
    if (log === undefined || bytes[log.start] !== 0x22) return false;
    const stream = findMember(bytes, start, streamKey);
    const isLast = endsWithLineFeed(bytes, log.start + 1, log.end - 1);
    const name =
      stream === undefined ? '' : bytes.latin1Slice(stream.start, stream.end).slice(0, 64);
    const group = this.group(index, name, receive);
    if (!group.isOpen && isLast) {
      const record = this.record;
      record.format = 'docker';
      this.point(line, log.start, log.end);
      record.prefix = bytes;
      record.prefixStart = start;
      record.prefixEnd = end;
      record.isJoined = false;
      receive(record);
      return true;
    }
    if (!this.makeRoom(group, log.end - log.start, receive)) {
      this.open(group, line);
      group.prefix.append(bytes, start, end);
      group.content.appendByte(0x22);
    }
    group.content.append(bytes, log.start + 1, log.end - 1);
    this.extend(group, line, nowMs);
    if (isLast) this.close(group, receive);
    return true;
  }

  private takeText(index: number, line: LineAt, nowMs: number, receive: RecordReceiver): boolean {
    const rules = this.rules[index]!;
    const { text } = this;
    text.set(line.bytes, line.start, line.end, line.isOneLine === true);
    const group = this.group(index, '', receive);
    if (rules.type !== 'regex') {
      this.gather(group, line, nowMs, receive, undefined);
      if (isMatch(rules, text.text)) this.close(group, receive);
      return true;
    }
    const next = this.nextState(group, rules, text, receive);
    if (next === undefined) return false;
    this.gather(group, line, nowMs, receive, lineFeed);
    group.state = next;
    return true;
  }

  /** The state behind a line that continues the group's record, or begins one: then the open
   *  record is passed on. Undefined when the line does neither. */
  private nextState(
    group: HeldGroup,
    rules: MultilineRules,
    text: LineText,
    receive: RecordReceiver,
  ): string | undefined {
    if (group.isOpen) {
      const next = transition(rules, group.state, text);
      if (next !== undefined) return next;
    }
    const first = transition(rules, startState, text);
    if (first !== undefined && group.isOpen) this.close(group, receive);
    return first;
  }

  private takeFirstLine(
    index: number,
    line: LineAt,
    nowMs: number,
    receive: RecordReceiver,
  ): boolean {
    const rules = this.rules[index]!;
    const group = this.group(index, '', receive);
    const text = line.bytes.utf8Slice(line.start, line.end);
    if (!parseInto(rules, text, this.fields)) {
      if (!group.isOpen) return false;
      this.gather(group, line, nowMs, receive, lineFeed);
      return true;
    }
    if (group.isOpen) this.close(group, receive);
    this.open(group, line);
    this.keepFields(group, lastTextKey(this.fields));
    const content = Buffer.from(String(heldValue(group, group.contentKey) ?? ''));
    group.content.append(content, 0, content.length);
    this.extend(group, line, nowMs);
    return true;
  }

  private takeParsed(index: number, line: LineAt, nowMs: number, receive: RecordReceiver): boolean {
    const rules = this.rules[index]!;
    const text = line.bytes.utf8Slice(line.start, line.end);
    if (!parseInto(rules, text, this.fields)) return false;
    const contentKey = rules.keyContent ?? lastTextKey(this.fields);
    const group = this.group(index, textOf(this.fields, rules.keyGroup).slice(0, 256), receive);
    const content = textOf(this.fields, contentKey);
    if (rules.type !== 'regex') {
      this.gatherParsed(group, line, nowMs, receive, content, contentKey, undefined);
      const tested =
        rules.keyPattern === undefined ? content : textOf(this.fields, rules.keyPattern);
      if (isMatch(rules, tested)) this.close(group, receive);
      return true;
    }
    this.text.setText(content);
    const next = this.nextState(group, rules, this.text, receive);
    // No part of a longer record, but understood: it leaves alone, as the parser's fields.
    if (next === undefined && group.isOpen) this.close(group, receive);
    this.gatherParsed(group, line, nowMs, receive, content, contentKey, lineFeed);
    if (next === undefined) this.close(group, receive);
    else group.state = next;
    return true;
  }

  /** Adds a whole line to the group's record, which is begun if there is none. */
  private gather(
    group: HeldGroup,
    line: LineAt,
    nowMs: number,
    receive: RecordReceiver,
    joint: number | undefined,
  ): void {
    const { content } = group;
    const { bytes, start, end } = line;
    const isContinued = this.makeRoom(group, end - start, receive);
    if (!isContinued) {
      this.open(group, line);
      if (line.isKept === true) content.beginLine(bytes, start, end);
      else content.append(bytes, start, end);
    } else if (joint === undefined) content.append(bytes, start, end);
    else content.appendLine(bytes, start, end, joint);
    this.extend(group, line, nowMs);
  }

  /** As `gather`, with the content that a parser found; the first line's fields are kept. */
  private gatherParsed(
    group: HeldGroup,
    line: LineAt,
    nowMs: number,
    receive: RecordReceiver,
    content: string,
    contentKey: string,
    joint: number | undefined,
  ): void {
    const bytes = Buffer.from(content);
    if (!this.makeRoom(group, bytes.length, receive)) {
      this.open(group, line);
      this.keepFields(group, contentKey);
    } else if (joint !== undefined) group.content.appendByte(joint);
    group.content.append(bytes, 0, bytes.length);
    this.extend(group, line, nowMs);
  }

  private open(group: HeldGroup, line: LineAt): void {
    group.begin(line.offset);
    this.openCount++;
  }

  private extend(group: HeldGroup, line: LineAt, nowMs: number): void {
    group.offsetEnd = line.offsetEnd;
    group.deadlineMs = nowMs + this.rules[group.rulesIndex]!.flushTimeoutMs;
  }

  private keepFields(group: HeldGroup, contentKey: string): void {
    group.keys = this.fields.keys.slice(0, this.fields.count);
    group.values = this.fields.values.slice(0, this.fields.count);
    group.contentKey = contentKey;
  }

  /** True when the group has an open record that can take `length` bytes more. A record that
   *  cannot is passed on as it is, and the line begins its next piece. */
  private makeRoom(group: HeldGroup, length: number, receive: RecordReceiver): boolean {
    let total = length + 1;
    const { groups } = this;
    for (let i = 0; i < groups.length; i++) total += groups[i]!.content.length;
    if (total <= this.limits.bytesMax) return group.isOpen;
    this.limits.onCut();
    const { state } = group;
    if (group.isOpen) this.close(group, receive);
    else this.closeOldest(receive);
    group.state = state;
    return false;
  }

  private closeOldest(receive: RecordReceiver): void {
    const open = this.groups.filter((group) => group.isOpen);
    open.sort((left, right) => left.offset - right.offset);
    if (open[0] !== undefined) this.close(open[0], receive);
  }

  private group(index: number, name: string, receive: RecordReceiver): HeldGroup {
    for (let i = 0; i < this.groups.length; i++) {
      const group = this.groups[i]!;
      if (group.rulesIndex === index && group.name === name) return group;
    }
    if (this.groups.length >= groupsMax) {
      const idle = this.groups.findIndex((group) => !group.isOpen);
      if (idle < 0) this.closeOldest(receive);
      this.groups.splice(
        this.groups.findIndex((group) => !group.isOpen),
        1,
      );
    }
    const group = new HeldGroup(index, name);
    this.groups.push(group);
    return group;
  }

  /** Passes a group's record on. */
  private close(group: HeldGroup, receive: RecordReceiver): void {
    const rules = this.rules[group.rulesIndex]!;
    const record = this.record;
    if (rules.format === 'docker') group.content.appendByte(0x22);
    record.bytes = group.content.bytes;
    record.start = group.content.start;
    record.end = record.start + group.content.length;
    record.offset = group.offset;
    record.offsetEnd = group.offsetEnd;
    record.prefix = group.prefix.bytes;
    record.prefixStart = 0;
    record.prefixEnd = group.prefix.length;
    record.isJoined = true;
    record.rulesIndex = group.rulesIndex;
    record.keys = group.keys;
    record.values = group.values;
    record.contentKey = group.contentKey;
    record.line.copySpans(group.line);
    record.format = formatOf(rules);
    this.openCount--;
    group.isOpen = false;
    receive(record);
    group.end();
    group.state = '';
  }

  private passText(line: LineAt, receive: RecordReceiver): void {
    this.record.format = 'text';
    this.point(line, line.start, line.end);
    receive(this.record);
  }

  private point(line: LineAt, start: number, end: number): void {
    const record = this.record;
    record.bytes = line.bytes;
    record.start = start;
    record.end = end;
    record.offset = line.offset;
    record.offsetEnd = line.offsetEnd;
  }

  /** A line that other rules took, or none, ends the records of lines without a stream. */
  private flushTexts(receive: RecordReceiver, taker: number): void {
    if (this.openCount === 0) return;
    for (const group of this.groups) {
      if (!group.isOpen || group.rulesIndex === taker) continue;
      if (this.rules[group.rulesIndex]!.format === 'text') this.close(group, receive);
    }
  }
}

/** True when the inside of a JSON string ends with `\\n`: Docker's mark of a record's last part. */
function endsWithLineFeed(bytes: Buffer, start: number, end: number): boolean {
  if (end - start < 2 || bytes[end - 1] !== 0x6e) return false;
  let backslashes = 0;
  while (end - 2 - backslashes >= start && bytes[end - 2 - backslashes] === 0x5c) backslashes++;
  return backslashes % 2 === 1;
}

const logKey = Buffer.from('log');
const streamKey = Buffer.from('stream');

function transition(rules: MultilineRules, state: string, text: LineText): string | undefined {
  const transitions = rules.transitions.get(state);
  if (transitions === undefined) return undefined;
  for (let i = 0; i < transitions.length; i++) {
    if (transitions[i]!.pattern.testLine(text)) return transitions[i]!.nextState;
  }
  return undefined;
}

function formatOf(rules: MultilineRules): AssembledRecord['format'] {
  if (rules.format === 'parser' || rules.type === 'first_line') return 'fields';
  return rules.format;
}

function isMatch(rules: MultilineRules, text: string): boolean {
  const isSame =
    rules.type === 'endswith' ? text.endsWith(rules.matchString) : text === rules.matchString;
  return isSame !== rules.negate;
}

function heldValue(group: HeldGroup, key: string): unknown {
  return group.values[group.keys.indexOf(key)];
}
