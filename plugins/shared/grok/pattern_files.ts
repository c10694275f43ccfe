import { readFile, stat } from 'node:fs/promises';
import { messageOf, SluiceError } from '../../../core/sdk/index.ts';

/** A file of pattern definitions: `NAME expression` a line, `#` comments. */
export interface PatternFile {
  readonly name: string;
  readonly text: string;
}

const wildcards = /[*?[{]/;
const fileBytesMax = 4 * 1024 * 1024;
const filesMax = 1000;

/** Reads pattern files: those that a path names, that lie in a directory and match `filesGlob`, or that
 *  match a path with wildcards; each path's in the order of their names. As in Logstash, hidden files and
 *  directories within are passed over.
 *  Errors: SLUICE_GROK_INVALID naming the path. */
export async function loadPatternFiles(
  paths: readonly string[],
  filesGlob = '*',
): Promise<readonly PatternFile[]> {
  const files: PatternFile[] = [];
  for (const path of paths) {
    for (const file of await filesAt(path, filesGlob)) {
      if (files.length >= filesMax) return refuse(path, `there are more than ${filesMax} files`);
      files.push({ name: file, text: await readText(file) });
    }
  }
  return files;
}

async function filesAt(path: string, filesGlob: string): Promise<readonly string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path];
  } catch (error) {
    if (!wildcards.test(path)) return refuse(path, messageOf(error));
    const files = await matchingFiles(path);
    return files.length > 0 ? files : refuse(path, 'no file matches');
  }
  return matchingFiles(`${path.replace(/[*?[\]{}()!]/g, '\\$&')}/${filesGlob}`);
}

async function matchingFiles(pattern: string): Promise<readonly string[]> {
  const { FileFinder } = await import('../file_finder/file_finder.ts');
  const { files, problems } = await new FileFinder([pattern], [], process.cwd()).find();
  for (const [place, problem] of problems) refuse(place, problem);
  return [...files.keys()].sort();
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

/** Reads the definitions of a file. A line that is only a name is skipped, and blanks behind an expression
 *  belong to it, as in Logstash. */
export function parsePatternFile(file: PatternFile): Record<string, string> {
  const definitions: Record<string, string> = {};
  for (const line of file.text.split(/\r?\n/)) {
    const match = /^\s*([^\s#]\S*)\s+(.*)$/.exec(line);
    if (match !== null) definitions[match[1]!] = match[2]!;
  }
  return definitions;
}

/** The definitions whose expression ends in blanks, each as `NAME in FILE`: rarely what was meant. */
export function definitionsEndingInBlanks(files: readonly PatternFile[]): readonly string[] {
  return files.flatMap((file) =>
    Object.entries(parsePatternFile(file)).flatMap(([name, expression]) =>
      /[ \t]$/.test(expression) ? [`${name} in ${file.name}`] : [],
    ),
  );
}
