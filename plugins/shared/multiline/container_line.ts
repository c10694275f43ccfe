/** Parts of one line of a container's log. Spans of the line's bytes; reused line by line. */
export class ContainerLine {
  timeStart = 0;
  timeEnd = 0;
  streamStart = 0;
  streamEnd = 0;
  /** The content: for CRI as it stands, for Docker the inside of a JSON string. */
  logStart = 0;
  logEnd = 0;
  /** More parts of the same record follow. */
  isPartial = false;
  /** CRI: where the mark (`P` or `F`) is. */
  markAt = 0;
  /** Docker: the members were found. */
  hasTime = false;
  hasStream = false;

  copySpans(from: ContainerLine): void {
    this.timeStart = from.timeStart;
    this.timeEnd = from.timeEnd;
    this.streamStart = from.streamStart;
    this.streamEnd = from.streamEnd;
    this.markAt = from.markAt;
  }

  /** Reads `TIME stdout|stderr F|P CONTENT` (Kubernetes CRI log format). False when the line is
   *  something else. */
  readCri(bytes: Buffer, start: number, end: number): boolean {
    // hot path
    let at = start;
    while (at < end && bytes[at] !== space) at++;
    if (at === start || at + 9 > end) return false;
    this.timeStart = start;
    this.timeEnd = at;
    const stream = at + 1;
    if (bytes[stream] !== 0x73 || bytes[stream + 1] !== 0x74 || bytes[stream + 2] !== 0x64) {
      return false;
    }
    const isOut =
      bytes[stream + 3] === 0x6f && bytes[stream + 4] === 0x75 && bytes[stream + 5] === 0x74;
    const isError =
      bytes[stream + 3] === 0x65 && bytes[stream + 4] === 0x72 && bytes[stream + 5] === 0x72;
    if ((!isOut && !isError) || bytes[stream + 6] !== space) return false;
    this.streamStart = stream;
    this.streamEnd = stream + 6;
    const mark = stream + 7;
    // Further tags may follow the first, separated by colons (`F:tag`).
    if (bytes[mark] !== markFull && bytes[mark] !== markPartial) return false;
    let behind = mark + 1;
    while (behind < end && bytes[behind] !== space) behind++;
    if (behind > mark + 1 && bytes[mark + 1] !== colon) return false;
    this.markAt = mark;
    this.isPartial = bytes[mark] === markPartial;
    this.logStart = behind < end ? behind + 1 : end;
    this.logEnd = end;
    this.hasTime = true;
    this.hasStream = true;
    return true;
  }
}

const space = 0x20;
const colon = 0x3a;
const markFull = 0x46;
const markPartial = 0x50;

const twoDigits = (bytes: Buffer, at: number) => (bytes[at]! - 48) * 10 + bytes[at + 1]! - 48;

/** An RFC 3339 time read from bytes. */
export class LineTime {
  seconds = 0;
  nanos = 0;

  /** Reads `2024-05-01T10:00:00.123456789Z` or with `+02:00`. False when it is no such time. */
  read(bytes: Buffer, start: number, end: number): boolean {
    // hot path
    if (end - start < 20 || bytes[start + 4] !== 0x2d || bytes[start + 7] !== 0x2d) return false;
    const month = twoDigits(bytes, start + 5);
    const day = twoDigits(bytes, start + 8);
    const hour = twoDigits(bytes, start + 11);
    const minute = twoDigits(bytes, start + 14);
    const second = twoDigits(bytes, start + 17);
    const year = twoDigits(bytes, start) * 100 + twoDigits(bytes, start + 2);
    const isSane =
      year >= 1970 &&
      year <= 9999 &&
      month >= 1 &&
      month <= 12 &&
      day >= 1 &&
      day <= 31 &&
      hour >= 0 &&
      hour <= 23 &&
      minute >= 0 &&
      minute <= 59 &&
      second >= 0 &&
      second <= 60;
    if (!isSane) return false;
    let at = start + 19;
    let nanos = 0;
    if (bytes[at] === 0x2e) {
      let unit = 100_000_000;
      for (at++; at < end && bytes[at]! >= 48 && bytes[at]! <= 57; at++) {
        nanos += (bytes[at]! - 48) * unit;
        unit = Math.floor(unit / 10);
      }
    }
    const offset = this.readOffset(bytes, at, end);
    if (Number.isNaN(offset)) return false;
    this.seconds =
      daysSinceEpoch(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset;
    this.nanos = nanos;
    return true;
  }

  private readOffset(bytes: Buffer, at: number, end: number): number {
    if (bytes[at] === 0x5a && at + 1 === end) return 0;
    const isSigned = bytes[at] === 0x2b || bytes[at] === 0x2d;
    const minutesAt = bytes[at + 3] === 0x3a ? at + 4 : at + 3;
    if (!isSigned || minutesAt + 2 !== end) return Number.NaN;
    const offset = twoDigits(bytes, at + 1) * 3600 + twoDigits(bytes, minutesAt) * 60;
    return bytes[at] === 0x2d ? -offset : offset;
  }
}

/** Days from 1970-01-01 in the Gregorian calendar; years begin in March so that the leap day is
 *  the last. */
function daysSinceEpoch(year: number, month: number, day: number): number {
  const shifted = month > 2 ? year : year - 1;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const leaps = Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100);
  return era * 146_097 + yearOfEra * 365 + leaps + dayOfYear - 719_468;
}
