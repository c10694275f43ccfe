import { SluiceError } from '../errors/sluice_error.ts';
import { latestSeconds, secondsPerDay } from './calendar.ts';

/** A zone of civil time. All times are in whole seconds since 1970-01-01, UTC or local. */
export interface TimeZone {
  readonly name: string;
  /** Seconds that local time is ahead of UTC at an instant. */
  offsetSecondsAt(utcSeconds: number): number;
  /** Turns local time into UTC. A local time that a change of the clock skips moves forward by the gap;
   *  one that occurs twice means the first time, the offset before the change. */
  toUtc(localSeconds: number): number;
}

/** Gives the zone of an IANA name (`Europe/Berlin`), `UTC`, `Z`, or a fixed offset (`+05:30`).
 *  Errors: SLUICE_DATE_FORMAT_INVALID, with the nearest known name. */
export function timeZone(name: string): TimeZone {
  const zone = findTimeZone(name);
  if (zone !== undefined) return zone;
  const nearest = nearestZoneName(name);
  const advice =
    nearest === undefined ? 'use an IANA name such as Europe/Berlin' : `did you mean ${nearest}`;
  throw new SluiceError(
    'SLUICE_DATE_FORMAT_INVALID',
    `Time zone "${name.slice(0, 64)}" is unknown; ${advice}.`,
  );
}

/** The zone of the machine, as an IANA name. */
export function systemTimeZoneName(): string {
  return new Intl.DateTimeFormat('en-US').resolvedOptions().timeZone;
}

const zonesMax = 64;
const unknownNamesMax = 256;
// Pure caches: a zone depends on nothing but its name.
const zones = new Map<string, TimeZone>();
const unknownNames = new Set<string>();

/** Like `timeZone`, but gives undefined for an unknown name: for names that come with the data. */
export function findTimeZone(name: string): TimeZone | undefined {
  const key = name.toLowerCase();
  const known = zones.get(key);
  if (known !== undefined) return known;
  if (unknownNames.has(key)) return undefined;
  const zone = makeZone(name);
  if (zone === undefined) {
    if (unknownNames.size >= unknownNamesMax) unknownNames.clear();
    unknownNames.add(key);
    return undefined;
  }
  if (zones.size >= zonesMax) zones.delete(zones.keys().next().value!);
  zones.set(key, zone);
  return zone;
}

function makeZone(name: string): TimeZone | undefined {
  if (/^(z|utc|gmt|etc\/utc|etc\/gmt)$/i.test(name)) return new FixedZone('UTC', 0);
  const fixed = /^([+-])([01]\d|2[0-3])(?::?([0-5]\d))?$/.exec(name);
  if (fixed !== null) {
    const magnitude = Number(fixed[2]) * 3600 + Number(fixed[3] ?? 0) * 60;
    return new FixedZone(name, fixed[1] === '-' ? -magnitude : magnitude);
  }
  if (!/^[A-Za-z][A-Za-z0-9_+\-/]{1,63}$/.test(name)) return undefined;
  try {
    return new NamedZone(name);
  } catch {
    // Intl throws RangeError for a name that it does not know.
    return undefined;
  }
}

class FixedZone implements TimeZone {
  readonly name: string;
  readonly #offset: number;

  constructor(name: string, offset: number) {
    this.name = name;
    this.#offset = offset;
  }

  offsetSecondsAt(): number {
    return this.#offset;
  }

  toUtc(localSeconds: number): number {
    return localSeconds - this.#offset;
  }
}

/** Length of a mean Gregorian year: the span of time whose changes are looked up together. */
const chunkSeconds = 31_556_952;
const chunksMax = 128;
/** About 11 days apart: shorter than any known pair of changes that cancel out (a month, for Ramadan). */
const samplesPerChunk = 32;
/** Before this (the year 1800) no zone had standard time; the local mean time of 1800 holds. */
const rulesBegin = -5_364_662_400;

interface Chunk {
  /** Instants from which `offsets` hold, ascending; the first is the start of the chunk. */
  readonly starts: readonly number[];
  readonly offsets: readonly number[];
  readonly end: number;
}

/** A zone with changes, found through Intl and kept by year; asking it costs no Intl call once its year is known. */
class NamedZone implements TimeZone {
  readonly name: string;
  readonly #format: Intl.DateTimeFormat;
  readonly #chunks = new Map<number, Chunk>();
  // The stretch of constant offset that answered last: log lines stay in it for months.
  #start = 0;
  #end = 0;
  #offset = 0;

  constructor(name: string) {
    this.#format = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      calendar: 'gregory',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    this.name = name;
  }

  offsetSecondsAt(utcSeconds: number): number {
    if (utcSeconds < this.#start || utcSeconds >= this.#end) this.#findStretch(utcSeconds);
    return this.#offset;
  }

  toUtc(localSeconds: number): number {
    const guess = localSeconds - this.#offset;
    // A day into the stretch the clock cannot read the same twice: no change is larger.
    if (guess >= this.#start + secondsPerDay && guess < this.#end) return guess;
    const before = this.offsetSecondsAt(localSeconds - secondsPerDay);
    const after = this.offsetSecondsAt(localSeconds + secondsPerDay);
    if (before === after) return localSeconds - before;
    const first = localSeconds - before;
    if (this.offsetSecondsAt(first) === before) return first;
    const second = localSeconds - after;
    return this.offsetSecondsAt(second) === after ? second : first;
  }

  #findStretch(utcSeconds: number): void {
    const instant = Math.min(Math.max(utcSeconds, rulesBegin), latestSeconds);
    const chunk = this.#chunkAt(Math.floor(instant / chunkSeconds));
    let low = 0;
    let high = chunk.starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (chunk.starts[middle]! <= instant) low = middle;
      else high = middle - 1;
    }
    this.#start = instant === rulesBegin ? Number.NEGATIVE_INFINITY : chunk.starts[low]!;
    this.#end = chunk.starts[low + 1] ?? chunk.end;
    this.#offset = chunk.offsets[low]!;
  }

  #chunkAt(index: number): Chunk {
    const known = this.#chunks.get(index);
    if (known !== undefined) return known;
    if (this.#chunks.size >= chunksMax) this.#chunks.clear();
    const chunk = this.#buildChunk(index * chunkSeconds);
    this.#chunks.set(index, chunk);
    return chunk;
  }

  #buildChunk(start: number): Chunk {
    const starts = [start];
    const offsets = [this.#askOffset(start)];
    const step = chunkSeconds / samplesPerChunk;
    let from = start;
    for (let sample = 1; sample <= samplesPerChunk; sample++) {
      const to =
        sample === samplesPerChunk ? start + chunkSeconds - 1 : Math.floor(start + sample * step);
      const offsetThere = this.#askOffset(to);
      // Several changes may lie in one step: each round finds the first of those that are left.
      while (offsets.at(-1) !== offsetThere) {
        from = this.#firstChange(from, to, offsets.at(-1)!);
        starts.push(from);
        offsets.push(this.#askOffset(from));
      }
      from = to;
    }
    return { starts, offsets, end: start + chunkSeconds };
  }

  /** The first second in (from, to] whose offset is not `offset`; there is one. */
  #firstChange(from: number, to: number, offset: number): number {
    let same = from;
    let changed = to;
    while (changed - same > 1) {
      const middle = Math.floor((same + changed) / 2);
      if (this.#askOffset(middle) === offset) same = middle;
      else changed = middle;
    }
    return changed;
  }

  #askOffset(utcSeconds: number): number {
    const fields = [0, 0, 0, 0, 0, 0];
    for (const part of this.#format.formatToParts(utcSeconds * 1000)) {
      const at = partOrder.indexOf(part.type);
      if (at >= 0) fields[at] = Number(part.value);
    }
    const [year, month, day, hour, minute, second] = fields;
    const local = Date.UTC(year!, month! - 1, day!, hour!, minute!, second!) / 1000;
    return local - utcSeconds;
  }
}

const partOrder: readonly string[] = ['year', 'month', 'day', 'hour', 'minute', 'second'];

function nearestZoneName(name: string): string | undefined {
  const wanted = name.toLowerCase();
  let nearest: string | undefined;
  if (wanted.length > 64) return undefined;
  // Farther than a third of its letters, a name is another name.
  let leastDistance = Math.floor(wanted.length / 3) + 1;
  for (const candidate of ['UTC', ...Intl.supportedValuesOf('timeZone')]) {
    const lower = candidate.toLowerCase();
    if (lower.endsWith(`/${wanted.replaceAll(' ', '_')}`)) return candidate;
    const distance = editDistance(wanted, lower);
    if (distance < leastDistance) {
      leastDistance = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

function editDistance(left: string, right: string): number {
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const replaced = previous[column - 1]! + (left[row - 1] === right[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, previous[column]! + 1, current[column - 1]! + 1));
    }
    previous = current;
  }
  return previous[right.length]!;
}
