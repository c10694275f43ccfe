import {
  AssembledRecord,
  HeldBytes,
  type LineAt,
  type RecordReceiver,
} from '../../shared/multiline/index.ts';
import type { Joiner } from './joiner.ts';

export interface PartialLimits {
  /** Bytes held for all messages of a stream together; what goes beyond leaves in pieces. */
  readonly bytesMax: number;
  readonly flushMs: number;
  onCut(): void;
}

/** What a record says of itself. */
export interface PartialMark {
  /** Undefined for a record that is whole. */
  readonly id: string | undefined;
  readonly isLast: boolean;
}

interface OpenMessage {
  readonly content: HeldBytes;
  readonly offset: number;
  offsetEnd: number;
  deadlineMs: number;
}

/** Messages of a stream that are open at a time; the oldest makes room. */
const messagesMax = 32;

/** Joins the parts of messages that a container runtime cut, by the fields it adds. */
export class PartialJoiner implements Joiner {
  /** What the next line's record says; set before `push`. */
  mark: PartialMark = { id: undefined, isLast: false };
  private readonly limits: PartialLimits;
  /** In the order in which they began. */
  private readonly open = new Map<string, OpenMessage>();
  private readonly record = new AssembledRecord();

  constructor(limits: PartialLimits) {
    this.limits = limits;
  }

  push(line: LineAt, nowMs: number, receive: RecordReceiver): void {
    const { id, isLast } = this.mark;
    if (id === undefined) {
      this.pass(line.bytes, line.start, line.end, line, receive);
      return;
    }
    this.makeRoom(id, line.end - line.start, receive);
    let message = this.open.get(id);
    if (message === undefined) {
      const { offset, offsetEnd } = line;
      message = { content: new HeldBytes(), offset, offsetEnd, deadlineMs: 0 };
      this.open.set(id, message);
    }
    message.content.append(line.bytes, line.start, line.end);
    message.offsetEnd = line.offsetEnd;
    message.deadlineMs = nowMs + this.limits.flushMs;
    if (isLast) this.close(id, message, receive);
  }

  flushDue(nowMs: number, receive: RecordReceiver, most: number): void {
    let left = most;
    for (const [id, message] of this.open) {
      if (message.deadlineMs > nowMs || left-- <= 0) continue;
      this.close(id, message, receive);
    }
  }

  flushAll(receive: RecordReceiver): void {
    for (const [id, message] of this.open) this.close(id, message, receive);
  }

  nextDeadlineMs(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { deadlineMs } of this.open.values()) next = Math.min(next, deadlineMs);
    return next;
  }

  forEachHeld(visit: (offset: number, offsetEnd: number) => void): void {
    for (const { offset, offsetEnd } of this.open.values()) visit(offset, offsetEnd);
  }

  heldBytes(): number {
    let bytes = 0;
    for (const { content } of this.open.values()) bytes += content.length;
    return bytes;
  }

  private makeRoom(id: string, length: number, receive: RecordReceiver): void {
    const isFull = this.heldBytes() + length > this.limits.bytesMax;
    if (isFull) this.limits.onCut();
    const isNew = !this.open.has(id);
    const leaving = isFull && !isNew ? id : [...this.open.keys()][0];
    if (leaving === undefined || (!isFull && !(isNew && this.open.size >= messagesMax))) return;
    this.close(leaving, this.open.get(leaving)!, receive);
  }

  private close(id: string, message: OpenMessage, receive: RecordReceiver): void {
    this.open.delete(id);
    this.pass(message.content.bytes, 0, message.content.length, message, receive);
  }

  private pass(
    bytes: Buffer,
    start: number,
    end: number,
    origin: { readonly offset: number; readonly offsetEnd: number },
    receive: RecordReceiver,
  ): void {
    const { record } = this;
    record.format = 'text';
    record.bytes = bytes;
    record.start = start;
    record.end = end;
    record.offset = origin.offset;
    record.offsetEnd = origin.offsetEnd;
    receive(record);
  }
}
