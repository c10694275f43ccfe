// Lines of containers' logs (Kubernetes CRI log format): TIME stdout|stderr F CONTENT.

// What core/kernel/cri_lines.ts puts into memory before a call.
@unmanaged
class CriRun {
  /** Spans of lines, and the position behind the last one's end. */
  starts: usize;
  ends: usize;
  count: i32;
  behind: u32;
  /** The event that the next line becomes, and how many there may be. */
  event: i32;
  eventsMax: i32;
  /** Per event. */
  offset: usize;
  offsetEnd: usize;
  seconds: usize;
  nanos: usize;
  part: usize;
  tag: usize;
  rootKind: usize;
  dropped: usize;
  /** Columns: start, end and kind of each. */
  timeStart: usize;
  timeEnd: usize;
  timeKind: usize;
  streamStart: usize;
  streamEnd: usize;
  streamKind: usize;
  markStart: usize;
  markEnd: usize;
  markKind: usize;
  logStart: usize;
  logEnd: usize;
  logKind: usize;
  /** What added to a position in memory gives the position in the source. */
  base: f64;
}

// Of the time that was read last.
let timeSeconds: f64 = 0;
let timeNanos: i32 = 0;

const text: u8 = 1;

/** Makes events of lines from `from` on, each a whole record with a time in its usual form. Returns the
 *  first line that is something else, or for which there is no room. */
export function takeCriLines(run: CriRun, from: i32): i32 {
  let i = from;
  for (; i < run.count && run.event < run.eventsMax; i++) {
    const word = <usize>i << 2;
    const start = <usize>load<u32>(run.starts + word);
    const end = <usize>load<u32>(run.ends + word);
    const timeEnd = readTime(start, end);
    // A blank, the stream, a blank, the mark.
    if (!timeEnd || timeEnd + 9 > end || load<u8>(timeEnd) != 0x20) break;
    const stream = timeEnd + 1;
    const name = load<u64>(stream);
    // `stdout F` or `stderr F`.
    if (name != 0x462074756f647473 && name != 0x4620727265647473) break;
    const mark = stream + 7;
    let log = end;
    if (mark + 1 < end) {
      // Further marks, and an empty content without a blank, are not usual.
      if (load<u8>(mark, 1) != 0x20) break;
      log = mark + 2;
    }
    const next = i + 1 < run.count ? load<u32>(run.starts + word, 4) : run.behind;
    const event = <usize>run.event;
    run.event++;
    store<f64>(run.offset + (event << 3), run.base + <f64>(<u32>start));
    store<f64>(run.offsetEnd + (event << 3), run.base + <f64>next);
    store<f64>(run.seconds + (event << 3), timeSeconds);
    store<i32>(run.nanos + (event << 2), timeNanos);
    store<i32>(run.part + (event << 2), 0);
    store<u16>(run.tag + (event << 1), 0);
    store<u8>(run.rootKind + event, 0);
    store<u8>(run.dropped + event, 0);
    const at = event << 2;
    store<u32>(run.timeStart + at, <u32>start);
    store<u32>(run.timeEnd + at, <u32>timeEnd);
    store<u8>(run.timeKind + event, text);
    store<u32>(run.streamStart + at, <u32>stream);
    store<u32>(run.streamEnd + at, <u32>(stream + 6));
    store<u8>(run.streamKind + event, text);
    store<u32>(run.markStart + at, <u32>mark);
    store<u32>(run.markEnd + at, <u32>(mark + 1));
    store<u8>(run.markKind + event, text);
    store<u32>(run.logStart + at, <u32>log);
    store<u32>(run.logEnd + at, <u32>end);
    store<u8>(run.logKind + event, text);
  }
  return i;
}

/** Reads `2024-05-01T10:00:00.123456789Z`, or with `+02:00`; returns where it ends, or 0. */
function readTime(start: usize, end: usize): usize {
  if (end < start + 20) return 0;
  const year = twoDigits(start) * 100 + twoDigits(start + 2);
  const month = twoDigits(start + 5);
  const day = twoDigits(start + 8);
  const hour = twoDigits(start + 11);
  const minute = twoDigits(start + 14);
  const second = twoDigits(start + 17);
  // Two characters that are no digits make at least 1000 less.
  if (year < 1970 || month < 1 || month > 12 || day < 1 || day > 31) return 0;
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) return 0;
  if (load<u8>(start, 4) != 0x2d || load<u8>(start, 7) != 0x2d) return 0;
  if (load<u8>(start, 10) != 0x54 || load<u8>(start, 13) != 0x3a || load<u8>(start, 16) != 0x3a) {
    return 0;
  }
  let at = start + 19;
  let nanos: i32 = 0;
  if (load<u8>(at) == 0x2e) {
    let unit: i32 = 100000000;
    for (at++; at < end; at++) {
      const digit = <u32>load<u8>(at) - 0x30;
      if (digit > 9) break;
      nanos += <i32>digit * unit;
      unit /= 10;
    }
  }
  let offset: i32 = 0;
  const sign = <u32>load<u8>(at);
  if (sign == 0x5a) at++;
  else {
    if ((sign != 0x2b && sign != 0x2d) || at + 6 > end || load<u8>(at, 3) != 0x3a) return 0;
    const hours = twoDigits(at + 1);
    const minutes = twoDigits(at + 4);
    if (hours < 0 || minutes < 0) return 0;
    offset = hours * 3600 + minutes * 60;
    if (sign == 0x2d) offset = -offset;
    at += 6;
  }
  timeSeconds =
    <f64>daysSinceEpoch(year, month, day) * 86400 +
    <f64>(hour * 3600 + minute * 60 + second - offset);
  timeNanos = nanos;
  return at;
}

/** A number of two digits; less than -1000 when they are none. */
// @ts-ignore: decorator
@inline
function twoDigits(at: usize): i32 {
  const high = <u32>load<u8>(at) - 0x30;
  const low = <u32>load<u8>(at, 1) - 0x30;
  return high > 9 || low > 9 ? -1000000 : <i32>(high * 10 + low);
}

/** Days from 1970-01-01 in the Gregorian calendar; years begin in March so that the leap day is the
 *  last. */
function daysSinceEpoch(year: i32, month: i32, day: i32): i32 {
  const shifted = month > 2 ? year : year - 1;
  const era = shifted / 400;
  const yearOfEra = shifted - era * 400;
  const dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  return era * 146097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719468;
}
