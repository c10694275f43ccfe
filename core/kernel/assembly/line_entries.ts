import { copy } from './bytes';
import { writeEscaped } from './escape';
import { writeDigits, writeInteger } from './numbers';

/** What the TypeScript side (`line_entries.ts`) puts into memory before a call. */
@unmanaged
class Entries {
  count: i32;
  /** Spans of the lines. */
  starts: usize;
  ends: usize;
  /** Index in the batch of each line's event. */
  events: usize;
  seconds: usize;
  nanos: usize;
  /** End of each entry written. */
  entryEnds: usize;
  isProtobuf: i32;
  outStart: usize;
  outEnd: usize;
  /** Set by the kernel: the entry ended for want of room, not because its time is beyond it. */
  isFull: i32;
}

// Behind an entry: what copies in steps of 64 write too much.
const slack: usize = 96;

// What stands before a line for the time that was written last: most lines share it with the one
// before, as they come out of one read.
const head: usize = memory.data(48);
let headBytes: usize = 0;
let headSeconds: f64 = -1;
let headNanos: i32 = -1;
let headIsProtobuf: i32 = -1;

/** Writes lines from number `from` on as entries with their time; returns the number of the first
 *  that it did not write. JSON: `["nanoseconds","line"],`. Protobuf: field 2, a message of a
 *  timestamp (1) and a text (2). */
export function writeEntries(entries: Entries, from: i32): i32 {
  let out = entries.outStart;
  entries.isFull = 0;
  let number = from;
  for (; number < entries.count; number++) {
    const word = <usize>number << 2;
    const event = <usize>load<u32>(entries.events + word);
    const seconds = load<f64>(entries.seconds + (event << 3));
    const nanos = load<i32>(entries.nanos + (event << 2));
    if (seconds != headSeconds || nanos != headNanos || entries.isProtobuf != headIsProtobuf) {
      if (!writeHead(seconds, nanos, entries.isProtobuf)) break;
    }
    const start = <usize>load<u32>(entries.starts + word);
    const end = <usize>load<u32>(entries.ends + word);
    const most = entries.isProtobuf ? end - start : (end - start) * 6;
    if (out + most + slack > entries.outEnd) {
      entries.isFull = 1;
      break;
    }
    if (entries.isProtobuf) out = writeMessage(out, start, end);
    else {
      copy(out, head, 32);
      out = writeEscaped(out + headBytes, start, end);
      // "],
      store<u32>(out, 0x2c5d22);
      out += 3;
    }
    store<u32>(entries.entryEnds + word, <u32>out);
  }
  return number;
}

function writeMessage(out: usize, start: usize, end: usize): usize {
  const length = end - start;
  const bytes = headBytes + 1 + varintBytes(length) + length;
  store<u8>(out, 0x12);
  out = writeVarint(out + 1, bytes);
  copy(out, head, 32);
  out += headBytes;
  store<u8>(out, 0x12);
  out = writeVarint(out + 1, length);
  return copy(out, start, length);
}

/** False when the time is none after 1970, which JavaScript writes. */
function writeHead(seconds: f64, nanos: i32, isProtobuf: i32): bool {
  headIsProtobuf = -1;
  if (!(seconds >= 1.0 && seconds < 253402300800.0) || <u32>nanos > 999999999) return false;
  let at = head;
  if (isProtobuf) {
    store<u16>(at, 0x0a);
    store<u8>(at + 2, 0x08);
    at = writeVarint(at + 3, <u64>seconds);
    if (nanos) {
      store<u8>(at, 0x10);
      at = writeVarint(at + 1, nanos);
    }
    store<u8>(head + 1, <u8>(at - head - 2));
  } else {
    // ["
    store<u16>(at, 0x225b);
    at = writeInteger(at + 2, <u64>seconds);
    at = writeDigits(at, nanos, 9);
    // ","
    store<u32>(at, 0x222c22);
    at += 3;
  }
  headBytes = at - head;
  headSeconds = seconds;
  headNanos = nanos;
  headIsProtobuf = isProtobuf;
  return true;
}

// @ts-ignore: decorator
@inline
function writeVarint(out: usize, value: u64): usize {
  while (value >= 0x80) {
    store<u8>(out++, <u8>(value | 0x80));
    value >>= 7;
  }
  store<u8>(out, <u8>value);
  return out + 1;
}

// @ts-ignore: decorator
@inline
function varintBytes(value: usize): usize {
  let bytes: usize = 1;
  while (value >= 0x80) {
    value >>= 7;
    bytes++;
  }
  return bytes;
}
