import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, relative, sep } from 'node:path';

/** Test files that share a process. A process and the modules it loads cost a small file of tests more
 *  than its tests do; together they load them once. */
export interface TestGroup {
  /** A file that imports them, for node's runner. */
  readonly path: string;
  readonly files: readonly string[];
}

/** Writes one file for every `sizeMax` files that stand beside each other. `directory` is emptied
 *  first; it stands below the same root as the files, so that what they import stays theirs. */
export function writeTestGroups(
  directory: string,
  files: readonly string[],
  sizeMax: number,
): TestGroup[] {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  return inRuns(files, sizeMax).map((group, index) => {
    const path = join(directory, `${index + 1}_${basename(group[0]!)}`);
    const imports = group.map((file) => `await import('${moduleFrom(directory, file)}');\n`);
    writeFileSync(path, imports.join(''));
    return { path, files: group };
  });
}

function inRuns(files: readonly string[], sizeMax: number): string[][] {
  const count = Math.ceil(files.length / sizeMax);
  const size = Math.ceil(files.length / count);
  return Array.from({ length: count }, (_, index) => files.slice(index * size, (index + 1) * size));
}

function moduleFrom(directory: string, file: string): string {
  return relative(directory, file).split(sep).join('/');
}
