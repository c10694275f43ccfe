import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, SluiceError } from '../../../core/sdk/index.ts';

/** A file of pattern definitions: `NAME expression` a line, `#` comments. */
export interface PatternFile {
  readonly name: string;
  readonly text: string;
}

const fileBytesMax = 4 * 1024 * 1024;
const filesMax = 1000;

/** Reads pattern files, and all files of pattern directories in the order of their names.
 *  Errors: SLUICE_GROK_INVALID naming the path. */
export async function loadPatternFiles(paths: readonly string[]): Promise<readonly PatternFile[]> {
  const files: PatternFile[] = [];
  for (const path of paths) {
    for (const file of await filesAt(path)) {
      if (files.length >= filesMax) return refuse(path, `there are more than ${filesMax} files`);
      files.push({ name: file, text: await readText(file) });
    }
  }
  return files;
}

async function filesAt(path: string): Promise<readonly string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    const entries = await readdir(path, { withFileTypes: true });
    return entries
      .filter((entry) => !entry.isDirectory())
      .map((entry) => join(path, entry.name))
      .sort();
  } catch (error) {
    return refuse(path, messageOf(error));
  }
}

async function readText(path: string): Promise<string> {
  try {
    if ((await stat(path)).size > fileBytesMax) {
      return refuse(path, `it is larger than ${fileBytesMax} bytes`);
    }
    return await readFile(path, 'utf8');
  } catch (error) {
    return error instanceof SluiceError ? Promise.reject(error) : refuse(path, messageOf(error));
  }
}

function refuse(path: string, problem: string): never {
  throw new SluiceError(
    'SLUICE_GROK_INVALID',
    `Cannot read grok patterns from ${path}: ${problem}.`,
  );
}

/** Reads the definitions of a file. A line that is only a name is skipped, as in Logstash. */
export function parsePatternFile(file: PatternFile): Record<string, string> {
  const definitions: Record<string, string> = {};
  for (const [index, line] of file.text.split(/\r?\n/).entries()) {
    const match = /^\s*([^\s#]\S*)\s+(.*)$/.exec(line);
    if (match === null) continue;
    if (/\s$/.test(match[2]!)) {
      throw new SluiceError(
        'SLUICE_GROK_INVALID',
        `Grok pattern ${match[1]} in ${file.name}, line ${index + 1}, ends in blanks: remove them, or write \\s or [ ].`,
      );
    }
    definitions[match[1]!] = match[2]!;
  }
  return definitions;
}
