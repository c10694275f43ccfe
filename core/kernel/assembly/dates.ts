import { isDigit, sameBytes } from './bytes';

// What core/kernel/repeated_dates.ts puts into memory before a call.
@unmanaged
class DateRun {
  count: i32;
  select: usize;
  starts: usize;
  ends: usize;
  kinds: usize;
  seconds: usize;
  nanos: usize;
  /** The text that was read last and where the digits of its fraction stand in it. */
  text: usize;
  textBytes: i32;
  fractionStart: i32;
  fractionEnd: i32;
  padding: i32;
  /** The whole seconds that it says. */
  textSeconds: f64;
}

/** Sets the time of selected events from index `from` on whose text says the same date as the one
 *  that was read last: it is that text, but perhaps for the digits of the fraction. Returns the
 *  index of the first event of which that is not so, or the count. */
export function repeatDates(run: DateRun, from: i32): i32 {
  const length = run.textBytes;
  const fractionStart = <usize>run.fractionStart;
  const fractionEnd = <usize>run.fractionEnd;
  const text = run.text;
  for (let i = from; i < run.count; i++) {
    if (!load<u8>(run.select + i)) continue;
    const word = <usize>i << 2;
    if (load<u8>(run.kinds + i) != 1) return i;
    const start = <usize>load<u32>(run.starts + word);
    if (<i32>(load<u32>(run.ends + word) - <u32>start) != length) return i;
    if (!sameBytes(start, text, fractionStart)) return i;
    let nanos: i32 = 0;
    if (fractionEnd > fractionStart) {
      nanos = readFraction(start + fractionStart, start + fractionEnd);
      if (nanos < 0) return i;
      const rest = <usize>length - fractionEnd;
      if (!sameBytes(start + fractionEnd, text + fractionEnd, rest)) return i;
    }
    store<f64>(run.seconds + (<usize>i << 3), run.textSeconds);
    store<i32>(run.nanos + word, nanos);
  }
  return run.count;
}

/** Nanoseconds from the digits of a fraction, those beyond the ninth without effect; -1 when
 *  there is something else. */
// @ts-ignore: decorator
@inline
function readFraction(at: usize, end: usize): i32 {
  let nanos: i32 = 0;
  let unit: i32 = 100000000;
  for (; at < end; at++) {
    const byte = <u32>load<u8>(at);
    if (!isDigit(byte)) return -1;
    nanos += <i32>(byte - 0x30) * unit;
    unit /= 10;
  }
  return nanos;
}
