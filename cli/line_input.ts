import { SluiceError } from '../core/errors/sluice_error.ts';

/** A line that is longer is refused: it would have to be held whole. */
export const lineBytesMax = 16 * 1024 * 1024;

/** Reads a stream line by line: the lines of each block that comes, without their ends (LF or
 *  CR LF). A last line without an end counts. Holds one block and one line at a time.
 *  Errors: SLUICE_RECORD_TOO_LARGE. */
export async function* readLines(stream: NodeJS.ReadableStream): AsyncGenerator<string[]> {
  let rest: Buffer[] = [];
  let restBytes = 0;
  for await (const part of stream) {
    const block = typeof part === 'string' ? Buffer.from(part) : (part as Buffer);
    const lines: string[] = [];
    let start = 0;
    for (;;) {
      const end = block.indexOf(0x0a, start);
      if (end < 0) break;
      rest.push(block.subarray(start, end));
      lines.push(lineOf(rest));
      rest = [];
      restBytes = 0;
      start = end + 1;
    }
    if (start < block.length) {
      rest.push(block.subarray(start));
      restBytes += block.length - start;
    }
    if (restBytes > lineBytesMax) {
      throw new SluiceError(
        'SLUICE_RECORD_TOO_LARGE',
        `A line of standard input is longer than ${lineBytesMax / 1024 / 1024} MiB.`,
      );
    }
    if (lines.length > 0) yield lines;
  }
  if (restBytes > 0) yield [lineOf(rest)];
}

function lineOf(parts: readonly Buffer[]): string {
  const text = (parts.length === 1 ? parts[0]! : Buffer.concat(parts)).toString();
  return text.endsWith('\r') ? text.slice(0, -1) : text;
}
