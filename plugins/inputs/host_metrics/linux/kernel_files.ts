import { open, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';

/** Of one file; what the kernel writes is far below. */
const fileBytesMax = 8 * 1024 * 1024;

/** The kernel's files below `/proc` and `/sys`, wherever these are mounted. */
export class KernelFiles {
  readonly procPath: string;
  readonly sysPath: string;

  constructor(procPath: string, sysPath: string) {
    this.procPath = procPath;
    this.sysPath = sysPath;
  }

  /** Text of a file below /proc. Errors: those of the system. */
  proc(...path: string[]): Promise<string> {
    return readText(join(this.procPath, ...path));
  }

  /** Text of a file below /proc; undefined where this kernel has none, or gives it to nobody. */
  async procIfThere(...path: string[]): Promise<string | undefined> {
    return this.proc(...path).catch(() => undefined);
  }

  /** First line of a file below /sys; undefined where it is missing or cannot be read: drivers
   *  answer EINVAL for what a device has not. */
  async sysText(...path: string[]): Promise<string | undefined> {
    return readText(join(this.sysPath, ...path)).then(
      (text) => text.trim(),
      () => undefined,
    );
  }

  async sysNumber(...path: string[]): Promise<number | undefined> {
    const text = await this.sysText(...path);
    if (text === undefined || text === '') return undefined;
    const value = Number(text);
    return Number.isNaN(value) ? undefined : value;
  }

  async procNames(...path: string[]): Promise<string[]> {
    return readdir(join(this.procPath, ...path));
  }

  async sysNames(...path: string[]): Promise<string[]> {
    return readdir(join(this.sysPath, ...path)).catch(() => []);
  }

  async sysLink(...path: string[]): Promise<string | undefined> {
    return readlink(join(this.sysPath, ...path)).catch(() => undefined);
  }
}

async function readText(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const parts: Buffer[] = [];
    let bytes = 0;
    for (;;) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(16_384), 0, 16_384, null);
      if (bytesRead === 0) break;
      bytes += bytesRead;
      if (bytes > fileBytesMax) throw new Error(`${path} has more than ${fileBytesMax} bytes`);
      parts.push(buffer.subarray(0, bytesRead));
    }
    return Buffer.concat(parts).toString();
  } finally {
    await file.close();
  }
}

/** Columns of a line, without the white space between. */
export function columnsOf(line: string): string[] {
  const trimmed = line.trim();
  return trimmed === '' ? [] : trimmed.split(/\s+/);
}

/** `name value` or `name: value unit` lines. */
export function pairsOf(text: string): Map<string, string> {
  const pairs = new Map<string, string>();
  for (const line of text.split('\n')) {
    const found = /^(\S+?):?\s+(.*\S)\s*$/.exec(line);
    if (found !== null) pairs.set(found[1]!, found[2]!);
  }
  return pairs;
}

/** A column as a number; undefined for a missing one, and for what is none. */
export function numberOf(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  const value = Number(text);
  return Number.isNaN(value) ? undefined : value;
}

/** Scales a number that may be missing. */
export function scaled(value: number | undefined, factor: number): number | undefined {
  return value === undefined ? undefined : value * factor;
}
