import { type DeadLetterCodec, syncMarkerBytes } from './avro_container.ts';
import { intactLetterEnd } from './letter_frame.ts';

export interface ScannedLetter {
  /** Where its encoding starts in the file. */
  readonly position: number;
  /** Both checksums agree. */
  readonly encoded: Buffer;
}

export interface DamagedBytes {
  readonly start: number;
  readonly end: number;
}

export interface ContainerScan {
  readonly sync: Buffer;
  readonly letters: ScannedLetter[];
  readonly damaged: DamagedBytes[];
  /** Where an unfinished block at the end starts; the file's length when there is none. */
  readonly tornAt: number;
  /** Intact letters of that block. */
  readonly torn: ScannedLetter[];
}

/**
 * Finds every intact letter in a container's bytes. After a damaged block it goes on behind the
 * next sync marker; within a block each letter stands for itself by its checksums. Never throws.
 */
export function scanContainer(content: Buffer, codec: DeadLetterCodec): ContainerScan {
  const { headerBytes } = codec;
  const own = content.subarray(headerBytes - syncMarkerBytes, headerBytes);
  if (content.length < headerBytes) {
    return { sync: own, letters: [], damaged: [], tornAt: 0, torn: [] };
  }
  const isHeaderIntact = content.subarray(0, headerBytes).equals(codec.encodeHeader(own));
  const scan = scanBlocks(content, codec, own);
  const last = content.subarray(content.length - syncMarkerBytes);
  // With the marker itself damaged, an intact file still ends with it; and nothing fits.
  if (scoreOf(scan) > 0 && !last.equals(own)) {
    const other = scanBlocks(content, codec, last);
    if (other.letters.length > 0 && scoreOf(other) < scoreOf(scan)) {
      return { ...other, damaged: [{ start: 0, end: headerBytes }, ...other.damaged] };
    }
  }
  if (isHeaderIntact) return scan;
  // All zero: the file was created and nothing of it reached the disk.
  if (content.every((byte) => byte === 0)) return { ...scan, damaged: [], tornAt: 0, torn: [] };
  return { ...scan, damaged: [{ start: 0, end: headerBytes }, ...scan.damaged] };
}

function scanBlocks(content: Buffer, codec: DeadLetterCodec, sync: Buffer): ContainerScan {
  const letters: ScannedLetter[] = [];
  const damaged: DamagedBytes[] = [];
  let position = codec.headerBytes;
  while (position < content.length) {
    const block = codec.decodeBlockHead(content, position);
    const dataEnd = block ? block.start + block.bytes : Number.POSITIVE_INFINITY;
    const end = dataEnd + syncMarkerBytes;
    const isFramed = end <= content.length && content.subarray(dataEnd, end).equals(sync);
    if (block && isFramed) {
      const [lettersBefore, rangesBefore] = [letters.length, damaged.length];
      findLetters(content, block, letters, damaged);
      const isWhole = damaged.length === rangesBefore;
      if (isWhole && letters.length - lettersBefore !== block.count) {
        // Only the number of letters in its head is damaged.
        damaged.push({ start: position, end: block.start });
      }
      position = end;
      continue;
    }
    const whole = block && end <= content.length ? wholeLetters(content, block) : undefined;
    if (whole) {
      // Only the marker behind it is damaged.
      letters.push(...whole);
      damaged.push({ start: dataEnd, end });
      position = end;
      continue;
    }
    const next = content.indexOf(sync, position);
    if (next < 0) {
      const found: ScannedLetter[] = [];
      findLetters(content, { start: position, bytes: content.length - position }, found, []);
      const torn = (block !== undefined && end > content.length) || isTornRest(content, position);
      if (torn) return { sync, letters, damaged, tornAt: position, torn: found };
      letters.push(...found);
      damaged.push({ start: position, end: content.length });
      break;
    }
    // The length may be what is damaged, or the marker: letters that are whole are still taken, from
    // where the head began, since nobody knows where it ends.
    findLetters(content, { start: position, bytes: next - position }, letters, []);
    damaged.push({ start: position, end: next + syncMarkerBytes });
    position = next + syncMarkerBytes;
  }
  return { sync, letters, damaged, tornAt: content.length, torn: [] };
}

/**
 * Finds the letters of a block. Behind one whose checksums disagree it goes on where the next
 * intact one starts; what lies between goes to `damaged`.
 */
function findLetters(
  content: Buffer,
  block: { start: number; bytes: number },
  letters: ScannedLetter[],
  damaged: DamagedBytes[],
): void {
  const end = block.start + block.bytes;
  const searchEnd = endOfContent(content, block.start, end);
  let damagedFrom = -1;
  for (let position = block.start; position < end; ) {
    if (position >= searchEnd) {
      if (damagedFrom < 0) damagedFrom = position;
      break;
    }
    const letterEnd = intactLetterEnd(content, position, end);
    if (letterEnd === undefined) {
      if (damagedFrom < 0) damagedFrom = position;
      position++;
      continue;
    }
    if (damagedFrom >= 0) damaged.push({ start: damagedFrom, end: position });
    damagedFrom = -1;
    letters.push({ position, encoded: content.subarray(position, letterEnd) });
    position = letterEnd;
  }
  if (damagedFrom >= 0) damaged.push({ start: damagedFrom, end });
}

/** Where only zeros follow, which are no letter however many of them a crash leaves. */
function endOfContent(content: Buffer, start: number, end: number): number {
  while (end > start && content[end - 1] === 0) end--;
  return end;
}

/** The letters of a block if all of them are intact. */
function wholeLetters(
  content: Buffer,
  block: { start: number; bytes: number },
): ScannedLetter[] | undefined {
  const letters: ScannedLetter[] = [];
  const damaged: DamagedBytes[] = [];
  findLetters(content, block, letters, damaged);
  return damaged.length === 0 ? letters : undefined;
}

/** A rest too short for a block, or zeros that a crash left. */
function isTornRest(content: Buffer, position: number): boolean {
  const rest = content.subarray(position);
  return rest.length < syncMarkerBytes + 2 || rest.every((byte) => byte === 0);
}

function scoreOf(scan: ContainerScan): number {
  return scan.damaged.reduce((total, range) => total + range.end - range.start, 0);
}
