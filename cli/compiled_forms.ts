import { closeSync, openSync, readSync } from 'node:fs';
import { crc32 } from 'node:zlib';

/** A script in the form that V8 compiles it to. */
export interface CompiledForm {
  readonly name: string;
  readonly source: Buffer;
  readonly code: Buffer;
}

interface Entry {
  readonly name: string;
  readonly sourceCrc: number;
  readonly codeCrc: number;
  readonly start: number;
  readonly end: number;
}

/** A file of compiled forms: the bytes of a table as a 32-bit number, the table in JSON, the forms.
 *  Never trusted blindly: V8 looks at its own version and flags, the table names the version of Node,
 *  and checksums hold both the form and the source that it was made from. What does not fit is
 *  compiled from the source, as if there were no file. */
export class CompiledForms {
  private readonly path: string;
  private readonly entries = new Map<string, Entry>();

  constructor(path: string) {
    this.path = path;
    try {
      const file = openSync(path, 'r');
      try {
        this.readTable(file);
      } finally {
        closeSync(file);
      }
    } catch {
      this.entries.clear();
    }
  }

  private readTable(file: number): void {
    const tableEnd = 4 + read(file, 0, 4).readUInt32LE(0);
    if (tableEnd > tableBytesMax) return;
    // Written below; anything else does not parse or does not name this Node.
    const table = JSON.parse(read(file, 4, tableEnd).toString()) as {
      made: string;
      entries: Entry[];
    };
    if (table.made !== madeBy()) return;
    for (const entry of table.entries) {
      const { start, end } = entry;
      this.entries.set(entry.name, { ...entry, start: start + tableEnd, end: end + tableEnd });
    }
  }

  /** The form of a script, read now: it is needed once. Undefined where there is none of this source. */
  of(name: string, source: Buffer): Buffer | undefined {
    const entry = this.entries.get(name);
    if (entry === undefined || crc32(source) !== entry.sourceCrc) return undefined;
    let file: number | undefined;
    try {
      file = openSync(this.path, 'r');
      const code = read(file, entry.start, entry.end);
      return crc32(code) === entry.codeCrc ? code : undefined;
    } catch {
      return undefined;
    } finally {
      if (file !== undefined) closeSync(file);
    }
  }

  /** The bytes of such a file. */
  static fileOf(forms: readonly CompiledForm[]): Buffer {
    let at = 0;
    const entries = forms.map(({ name, source, code }): Entry => {
      const start = at;
      at += code.length;
      return { name, sourceCrc: crc32(source), codeCrc: crc32(code), start, end: at };
    });
    const table = Buffer.from(JSON.stringify({ made: madeBy(), entries }), 'latin1');
    const length = Buffer.alloc(4);
    length.writeUInt32LE(table.length);
    return Buffer.concat([length, table, ...forms.map(({ code }) => code)]);
  }
}

const tableBytesMax = 1 << 20;

/** Errors: of the file system; RangeError where the file is shorter. */
function read(file: number, start: number, end: number): Buffer {
  const bytes = Buffer.allocUnsafeSlow(end - start);
  if (readSync(file, bytes, 0, bytes.length, start) < bytes.length) throw new RangeError('short');
  return bytes;
}

function madeBy(): string {
  return `${process.version} ${process.platform} ${process.arch}`;
}
