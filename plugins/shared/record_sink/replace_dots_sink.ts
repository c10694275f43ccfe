import type { Batch, EncodedRun, RecordSink } from '../../../core/sdk/index.ts';

const quote = 0x22;
const backslash = 0x5c;

/** Replaces dots in the keys of every record by underscores, at every depth, in place. Records look
 *  as `MemberSink` says. */
export class ReplaceDotsSink implements RecordSink {
  private readonly lines: number;
  private inner: RecordSink | undefined;

  constructor(lines: number) {
    this.lines = lines;
  }

  /** The sink itself, passing on to another from now on. */
  over(inner: RecordSink): this {
    this.inner = inner;
    return this;
  }

  appendRun(sectionKey: string, run: EncodedRun): void {
    let start = run.start;
    for (let k = 0; k < run.count; k++) {
      const end = run.ends[k]!;
      let object = start;
      for (let line = 1; line < this.lines; line++) object = run.bytes.indexOf(0x0a, object) + 1;
      replaceDots(run.bytes, object, end);
      start = end;
    }
    this.inner!.appendRun(sectionKey, run);
  }

  reject(batch: Batch, index: number, reason: string): void {
    this.inner!.reject(batch, index, reason);
  }
}

/** Replaces the dots in the keys of a JSON text. An escaped dot counts as one. */
export function replaceDots(bytes: Buffer, start: number, end: number): void {
  let at = start;
  while (at < end) {
    if (bytes[at] !== quote) {
      at++;
      continue;
    }
    const keyStart = at + 1;
    at = keyStart;
    while (at < end && bytes[at] !== quote) at += bytes[at] === backslash ? 2 : 1;
    const keyEnd = at++;
    let next = at;
    while (next < end && isSpace(bytes[next]!)) next++;
    // Only a key has a colon behind it.
    if (bytes[next] === 0x3a && next < end) replaceInKey(bytes, keyStart, keyEnd);
  }
}

function replaceInKey(bytes: Buffer, start: number, end: number): void {
  for (let at = start; at < end; at++) {
    if (bytes[at] === 0x2e) bytes[at] = 0x5f;
    else if (bytes[at] === backslash) {
      const isDot = bytes[at + 1] === 0x75 && /^002e$/i.test(bytes.latin1Slice(at + 2, at + 6));
      if (isDot) bytes.latin1Write('005f', at + 2);
      at++;
    }
  }
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}
