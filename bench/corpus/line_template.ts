/** What stands at the beginning of a record's number. It occurs nowhere else in generated lines and
 *  no output format escapes it, so that a sink finds records by one byte. */
export const markByte = 0x7e;
export const markDigits = 10;

/** Stands for a line's number while a template is written. */
export const markSlot = '~##########';

/** How a line says when it was written. All lines of a kind say it in one form, of fixed length. */
export type StampForm = 'apache' | 'iso_millis' | 'iso_nanos';

/** Stands for the time. */
export const stampSlots: Readonly<Record<StampForm, string>> = {
  apache: 'dd/MMM/yyyy:HH:mm:ss',
  iso_millis: 'yyyy-MM-ddTHH:mm:ss.SSS',
  iso_nanos: 'yyyy-MM-ddTHH:mm:ss.SSS000000',
};

/** Lines whose number and time are still to be written. */
export interface LineTemplate {
  readonly bytes: Buffer;
  readonly count: number;
  /** Where each line ends, its line feed included. */
  readonly ends: Uint32Array;
  /** Where each line's ten digits stand. */
  readonly marks: Uint32Array;
  /** Where each line's time stands; `noStamp` where it has none. */
  readonly stamps: Uint32Array;
  readonly form: StampForm;
  /** Time between two lines. */
  readonly stepMs: number;
}

export const noStamp = 0xffff_ffff;
const firstMs = Date.UTC(2026, 9, 10, 13);
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Reads lines, each with `markSlot` and at most one time slot, into a template. */
export function lineTemplate(
  lines: readonly string[],
  form: StampForm,
  stepMs: number,
): LineTemplate {
  const bytes = Buffer.from(`${lines.join('\n')}\n`);
  const ends = new Uint32Array(lines.length);
  const marks = new Uint32Array(lines.length);
  const stamps = new Uint32Array(lines.length);
  const slot = stampSlots[form];
  let start = 0;
  for (let i = 0; i < lines.length; i++) {
    const end = bytes.indexOf(10, start) + 1;
    const mark = bytes.indexOf(markByte, start);
    if (mark < 0 || mark >= end) throw new Error(`line ${i} of the template has no number`);
    const stamp = bytes.subarray(start, end).indexOf(slot);
    ends[i] = end;
    marks[i] = mark + 1;
    stamps[i] = stamp < 0 ? noStamp : start + stamp;
    start = end;
  }
  return { bytes, count: lines.length, ends, marks, stamps, form, stepMs };
}

/** Writes the numbers `first`, `first + 1`, ... and their times into the lines up to `count`, and
 *  leaves those before `from` as they are. */
export function fillTemplate(template: LineTemplate, first: number, count: number, from = 0): void {
  const { bytes, marks, stamps, form, stepMs } = template;
  let stamp = Buffer.alloc(0);
  let stampMs = Number.NaN;
  for (let i = from; i < count; i++) {
    writeDigits(bytes, marks[i]!, first + i);
    const at = stamps[i]!;
    if (at === noStamp) continue;
    const exactMs = firstMs + (first + i) * stepMs;
    const ms = form === 'apache' ? Math.floor(exactMs / 1000) * 1000 : Math.floor(exactMs);
    if (ms !== stampMs) {
      stampMs = ms;
      stamp = Buffer.from(stampText(ms, form), 'latin1');
    }
    for (let j = 0; j < stamp.length; j++) bytes[at + j] = stamp[j]!;
  }
}

/** The line of a number, without its line feed. */
export function lineText(template: LineTemplate, number: number): string {
  const at = number % template.count;
  const one = oneLine(template, at);
  fillTemplate(one, number, 1);
  return one.bytes.toString('utf8', 0, one.bytes.length - 1);
}

function oneLine(template: LineTemplate, at: number): LineTemplate {
  const start = at === 0 ? 0 : template.ends[at - 1]!;
  const stamp = template.stamps[at]!;
  return {
    ...template,
    bytes: Buffer.from(template.bytes.subarray(start, template.ends[at]!)),
    count: 1,
    marks: Uint32Array.of(template.marks[at]! - start),
    stamps: Uint32Array.of(stamp === noStamp ? noStamp : stamp - start),
  };
}

function writeDigits(bytes: Buffer, at: number, value: number): void {
  let rest = value;
  for (let digit = markDigits - 1; digit >= 0; digit--) {
    const next = Math.floor(rest / 10);
    bytes[at + digit] = 48 + (rest - next * 10);
    rest = next;
  }
}

function stampText(ms: number, form: StampForm): string {
  const iso = new Date(ms).toISOString();
  if (form === 'iso_millis') return iso.slice(0, 23);
  if (form === 'iso_nanos') return `${iso.slice(0, 23)}000000`;
  const month = months[Number(iso.slice(5, 7)) - 1]!;
  return `${iso.slice(8, 10)}/${month}/${iso.slice(0, 4)}:${iso.slice(11, 19)}`;
}
