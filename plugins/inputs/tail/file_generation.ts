import type { OpenSource } from '../../../core/sdk/index.ts';
import type { MultilineAssembler } from '../../shared/multiline/assembler.ts';
import type { TextEncoding } from '../../shared/text_encoding/text_encoding.ts';
import type { TailedFile } from './tailed_file.ts';
import { beforeBytesMax, headBytesMax, printOf } from './content_print.ts';
import { RecentBytes } from './recent_bytes.ts';

/** The content of a file from its first byte until it is truncated or replaced, and how far it
 *  was read. It outlives its file: when the content is found again in a copy or an archive, the
 *  generation moves there and reading goes on at `position`.
 *
 *  Invariants: `position` is the beginning of a line, or the place where a line was cut;
 *  `position <= seenEnd`; `before` holds the bytes in front of `position`. */
export class FileGeneration {
  readonly checkpointKey: string;
  /** The path under which the content was first seen: in records and tags. */
  readonly name: string;
  readonly tag: string;
  /** Set right after creation, before anything is read. */
  source!: OpenSource;

  /** Everything before it was consumed. */
  position = 0;
  /** End of the bytes that were looked at; those from `position` on are an unfinished line. */
  seenEnd = 0;
  /** Largest size that the file was seen to have. */
  sizeSeen = 0;
  /** The last read came to the end of the file. */
  hitEnd = false;
  /** Since when the line at `position` has been unfinished (monotonic), or -1. */
  unfinishedSinceMs = -1;
  /** Beginning of a too long line whose rest is being skipped, or -1. */
  discardFrom = -1;
  /** How far the line at `position` was searched for its end in vain. */
  searchedTo = 0;
  /** How much to read at once: less when lines are so short that a batch is full before. */
  blockBytes = 256 * 1024;
  /** The last turn brought a few lines: so will the next, most likely. */
  bringsLittle = false;
  /** The last position that went out with a batch. */
  sentPosition = 0;

  /** Decided by the first bytes, or by the option. */
  encoding: TextEncoding | undefined;
  multiline: MultilineAssembler | undefined;

  /** The file that has the content now, and where it was last. */
  file: TailedFile | undefined;
  fileKey = '';
  fileBirth = '';
  path = '';

  readonly before = Buffer.alloc(beforeBytesMax);
  beforeLength = 0;
  /** How much of the content's first kilobyte is known. */
  headLength = 0;
  /** Those bytes; when they are all known their print is, and only the first are kept. */
  private head: Buffer = noBytes;
  private headPrint = '';
  /** The first bytes before any were consumed: by them a copy is known of content that was not
   *  read yet. Empty from the first line on. */
  peeked: Buffer = noBytes;
  readonly recent = new RecentBytes();

  constructor(checkpointKey: string, name: string, tag: string) {
    this.checkpointKey = checkpointKey;
    this.name = name;
    this.tag = tag;
  }

  /** Says which file the content is in from now on. */
  attach(file: TailedFile): void {
    if (this.file !== file) this.detach();
    this.file = file;
    file.generation = this;
    this.fileKey = file.key;
    this.fileBirth = file.birth;
    this.path = file.path;
  }

  /** The content is in no file any more. */
  detach(): void {
    // The file may have been given to another generation meanwhile.
    if (this.file?.generation === this) this.file.generation = undefined;
    this.file = undefined;
  }

  /** Starts at a position at which nothing was read yet. */
  moveTo(position: number): void {
    this.position = position;
    this.seenEnd = position;
    this.searchedTo = position;
    this.sentPosition = position;
    this.beforeLength = 0;
  }

  /** Moves on to `position`; `bytes[from, end)` are what was read up to it. */
  consume(position: number, bytes: Buffer, from: number, end: number): void {
    const { headLength } = this;
    if (headLength < headBytesMax && headLength === this.position) this.growHead(bytes, from, end);
    const count = Math.min(beforeBytesMax, end - from);
    if (count === beforeBytesMax) bytes.copy(this.before, 0, end - count, end);
    else {
      const kept = Math.min(this.beforeLength, beforeBytesMax - count);
      this.before.copyWithin(0, this.beforeLength - kept, this.beforeLength);
      bytes.copy(this.before, kept, end - count, end);
      this.beforeLength = kept + count;
    }
    if (count === beforeBytesMax) this.beforeLength = beforeBytesMax;
    this.recent.append(bytes, from, end, position);
    this.peeked = noBytes;
    this.position = position;
    this.unfinishedSinceMs = -1;
    this.searchedTo = position;
  }

  /** There is an unfinished line at the position. */
  noteUnfinished(nowMs: number): void {
    if (this.unfinishedSinceMs < 0) this.unfinishedSinceMs = nowMs;
  }

  /** Keeps the first bytes of what is there, as long as nothing was consumed. */
  peek(head: Buffer): void {
    const { peeked, position } = this;
    if (position > 0 || head.length <= peeked.length) return;
    // Other content stands there already.
    if (!head.subarray(0, peeked.length).equals(peeked)) return;
    this.peeked = Buffer.from(head.subarray(0, peekedBytesMax));
  }

  /** Takes the head from a file that was compared, as far as it was consumed. */
  learnHead(head: Buffer, upTo: number): void {
    const length = Math.min(headBytesMax, head.length, upTo);
    if (length > this.headLength) this.keepHead(Buffer.from(head.subarray(0, length)));
  }

  /** Print of the first `headLength` bytes. */
  get headHash(): string {
    if (this.headPrint === '' && this.headLength > 0) this.headPrint = printOf(this.head);
    return this.headPrint;
  }

  /** The first of the content's bytes. */
  get beginning(): Buffer {
    return this.head.subarray(0, beginningBytes);
  }

  /** Takes the head from what was just read: the file may hold other content by now. */
  private growHead(bytes: Buffer, from: number, end: number): void {
    const count = Math.min(headBytesMax - this.headLength, end - from);
    this.keepHead(Buffer.concat([this.head, bytes.subarray(from, from + count)]));
  }

  private keepHead(head: Buffer): void {
    this.headLength = head.length;
    this.head = head;
    this.headPrint = '';
    if (head.length < headBytesMax) return;
    this.headPrint = printOf(head);
    this.head = Buffer.from(this.beginning);
  }

  /** Where the acknowledgement may reach: in front of what is held back or half done. */
  sendPosition(): number {
    let position = this.position;
    if (this.discardFrom >= 0) position = Math.min(position, this.discardFrom);
    if (this.multiline !== undefined) position = Math.min(position, this.multiline.heldFrom());
    return position;
  }

  /** True when reading stands in the middle of a line that was cut before `position`. */
  isMidLine(): boolean {
    if (this.beforeLength === 0) return false;
    if (this.encoding?.unit === 'utf16be') return this.before[this.beforeLength - 1] !== 0x0a;
    if (this.encoding?.unit === 'utf16le') {
      return this.beforeLength >= 2 && this.before[this.beforeLength - 2] !== 0x0a;
    }
    return this.before[this.beforeLength - 1] !== 0x0a;
  }
}

const beginningBytes = 64;
const peekedBytesMax = 256;
const noBytes = Buffer.alloc(0);
