import { type DeadLetterCodec, type DecodedLetter, syncMarkerBytes } from './avro_container.ts';

export interface ScannedLetter {
  /** Where its encoding starts in the file. */
  readonly position: number;
  readonly bytes: number;
  readonly letter: DecodedLetter;
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
}

/** How far before a marker the start of its block is looked for. */
const blockSearchBytesMax = 64 * 1024;

/**
 * Finds every intact letter in a container's bytes. After a damaged block it goes on behind the
 * next sync marker; within a block each letter stands for itself by its checksums. Never throws.
 */
export function scanContainer(content: Buffer, codec: DeadLetterCodec): ContainerScan {
  const { headerBytes } = codec;
  const own = content.subarray(headerBytes - syncMarkerBytes, headerBytes);
  if (content.length < headerBytes) {
    return { sync: own, letters: [], damaged: [], tornAt: 0 };
  }
  const isHeaderIntact = content.subarray(0, headerBytes).equals(codec.encodeHeader(own));
  const scan = scanBlocks(content, codec, own);
  const last = content.subarray(content.length - syncMarkerBytes);
  // With the marker itself damaged, an intact file still ends with it.
  const other = last.equals(own) ? scan : scanBlocks(content, codec, last);
  if (other.letters.length > 0 && scoreOf(other) < scoreOf(scan)) {
    return { ...other, damaged: [{ start: 0, end: headerBytes }, ...other.damaged] };
  }
  if (isHeaderIntact) return scan;
  // All zero: the file was created and nothing of it reached the disk.
  if (content.every((byte) => byte === 0)) return { ...scan, damaged: [], tornAt: 0 };
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
      decodeLetters(content, codec, block, letters, damaged);
      position = end;
      continue;
    }
    const whole = block && end <= content.length ? wholeLetters(content, codec, block) : undefined;
    if (whole) {
      // Only the marker behind it is damaged.
      letters.push(...whole);
      damaged.push({ start: dataEnd, end });
      position = end;
      continue;
    }
    const next = content.indexOf(sync, position);
    if (next < 0) {
      const torn = (block !== undefined && end > content.length) || isTornRest(content, position);
      if (torn) return { sync, letters, damaged, tornAt: position };
      damaged.push({ start: position, end: content.length });
      break;
    }
    // The length may be what is damaged, or the marker: letters that are whole are still taken.
    const start = block?.start ?? position;
    const bytes = next - start;
    const first: ScannedLetter[] = [];
    decodeLetters(content, codec, { start, bytes, count: bytes }, first, []);
    const decodedTo = first.at(-1) ? first.at(-1)!.position + first.at(-1)!.bytes : position;
    letters.push(...first, ...blockEndingAt(content, codec, decodedTo, next));
    damaged.push({ start: position, end: next + syncMarkerBytes });
    position = next + syncMarkerBytes;
  }
  return { sync, letters, damaged, tornAt: content.length };
}

/** Reads the letters of a block; what does not decode or agree goes to `damaged`. */
function decodeLetters(
  content: Buffer,
  codec: DeadLetterCodec,
  block: { start: number; bytes: number; count: number },
  letters: ScannedLetter[],
  damaged: DamagedBytes[],
): void {
  const end = block.start + block.bytes;
  const bounded = content.subarray(0, end);
  let position = block.start;
  for (let index = 0; index < block.count && position < end; index++) {
    const found = codec.decodeLetter(bounded, position);
    if (!found) break;
    if (found.letter) {
      letters.push({ position, bytes: found.end - position, letter: found.letter });
    } else {
      damaged.push({ start: position, end: found.end });
    }
    position = found.end;
  }
  if (position < end) damaged.push({ start: position, end });
}

/** The letters of a block if all of them are intact. */
function wholeLetters(
  content: Buffer,
  codec: DeadLetterCodec,
  block: { start: number; bytes: number; count: number },
): ScannedLetter[] | undefined {
  const letters: ScannedLetter[] = [];
  const damaged: DamagedBytes[] = [];
  decodeLetters(content, codec, block, letters, damaged);
  return damaged.length === 0 ? letters : undefined;
}

/**
 * The letters of a whole block that starts somewhere from `from` on and ends at `end`: its own
 * marker is intact, the one before it is not.
 */
function blockEndingAt(
  content: Buffer,
  codec: DeadLetterCodec,
  from: number,
  end: number,
): ScannedLetter[] {
  for (let start = Math.max(from, end - blockSearchBytesMax); start < end; start++) {
    const block = codec.decodeBlockHead(content, start);
    if (!block || block.start + block.bytes !== end) continue;
    const whole = wholeLetters(content, codec, block);
    if (whole) return whole;
  }
  return [];
}

/** A rest too short for a block, or zeros that a crash left. */
function isTornRest(content: Buffer, position: number): boolean {
  const rest = content.subarray(position);
  return rest.length < syncMarkerBytes + 2 || rest.every((byte) => byte === 0);
}

function scoreOf(scan: ContainerScan): number {
  return scan.damaged.reduce((total, range) => total + range.end - range.start, 0);
}
