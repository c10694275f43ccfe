import type { ByteWriter } from './byte_writer.ts';

/** Forms in which an event's time is written. The numbers are part of the kernel's contract. */
export const timeForms = { iso8601: 1, epoch: 2, epoch_ms: 3 } as const;

export interface TimeFormat {
  /** `iso8601`: a string, UTC. `epoch`: a JSON number of seconds with a fraction. `epoch_ms`: a
   *  whole JSON number. */
  readonly form: keyof typeof timeForms;
  /** Digits of the second's fraction; `epoch_ms` ignores it. */
  readonly digits: 0 | 3 | 6 | 9;
}

/** Seconds that a four-digit year can say: from 0000-01-01 to 9999-12-31T23:59:59. */
const secondsMin = -62_167_219_200;
const secondsMax = 253_402_300_799;

/** Writes a time as a JSON value, cut (not rounded) to its digits. A time that four-digit years
 *  cannot say is written as the nearest that they can. */
export function writeEventTime(
  out: ByteWriter,
  seconds: number,
  nanos: number,
  format: TimeFormat,
): void {
  const whole = Math.min(Math.max(Number.isNaN(seconds) ? 0 : seconds, secondsMin), secondsMax);
  const part = Math.min(Math.max(nanos, 0), 999_999_999);
  if (format.form === 'iso8601') {
    const text = new Date(whole * 1000).toISOString().slice(0, 19);
    out.text(`"${text}${fraction(part, format.digits)}Z"`);
  } else if (format.form === 'epoch_ms') {
    out.text(String(whole * 1000 + Math.floor(part / 1_000_000)));
  } else if (whole >= 0) out.text(`${whole}${fraction(part, format.digits)}`);
  else if (part === 0) out.text(`${whole}${fraction(0, format.digits)}`);
  else {
    // Seconds are rounded down, so a time before 1970 counts its nanoseconds upwards.
    out.text(`-${-whole - 1}${fraction(1_000_000_000 - part, format.digits)}`);
  }
}

function fraction(nanos: number, digits: number): string {
  if (digits === 0) return '';
  return `.${String(nanos).padStart(9, '0').slice(0, digits)}`;
}
