import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Corpus, corpusVersion } from './corpus.ts';
import { fillTemplate } from './line_template.ts';

/** Bytes of generated files that are kept; those used longest ago go first. */
const cacheBytesMax = 24e9;
const readBytes = 1 << 20;

/** Where generated files are kept: `$SLUICE_BENCH_CACHE`, else a directory of the user's own below
 *  the system's for temporary files. */
export function corpusDirectory(): string {
  const named = process.env['SLUICE_BENCH_CACHE'];
  const user = process.getuid?.() ?? 0;
  return join(named || join(tmpdir(), `sluice-bench-${user}`), 'corpora');
}

/** A file with `lines` lines from number `first` on, written unless it is there. It may be read, not
 *  changed. */
export function corpusFile(corpus: Corpus, lines: number, first = 0): string {
  const directory = corpusDirectory();
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, `${corpus.kind}-${corpusVersion}-${first}-${lines}.log`);
  const bytes = corpus.bytesOf(first + lines) - corpus.bytesOf(first);
  if (!existsSync(path) || statSync(path).size !== bytes) {
    removeOldest(directory, cacheBytesMax - bytes);
    const part = `${path}.${process.pid}.part`;
    writeCorpus(corpus, part, first, lines);
    renameSync(part, path);
  }
  const now = new Date();
  utimesSync(path, now, statSync(path).mtime);
  return path;
}

/** Writes the lines from number `first` on to a new file. */
export function writeCorpus(
  corpus: Corpus,
  path: string,
  first: number,
  lines: number,
  options: { readonly isSynced?: boolean } = {},
): void {
  mkdirSync(dirname(path), { recursive: true });
  const { template } = corpus;
  const file = openSync(path, 'w', 0o600);
  try {
    let number = first;
    while (number < first + lines) {
      // Templates are filled from their start; a range may begin and end inside one.
      const skipped = number % template.count;
      const count = Math.min(template.count, skipped + (first + lines - number));
      fillTemplate(template, number - skipped, count, skipped);
      const from = skipped === 0 ? 0 : template.ends[skipped - 1]!;
      writeWhole(file, template.bytes.subarray(from, template.ends[count - 1]!));
      number += count - skipped;
    }
    // Writing back must not fall into a measured run.
    if (options.isSynced !== false) fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Reads a file once, so that it lies in the system's cache. */
export function warmFile(path: string): void {
  const file = openSync(path, 'r');
  const block = Buffer.allocUnsafe(readBytes);
  try {
    while (readSync(file, block, 0, readBytes, null) > 0);
  } finally {
    closeSync(file);
  }
}

function writeWhole(file: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
}

/** Removes files until the rest takes no more than `bytesMax`. */
function removeOldest(directory: string, bytesMax: number): void {
  const files = readdirSync(directory)
    .map((name) => ({ path: join(directory, name), ...statOf(join(directory, name)) }))
    .sort((a, b) => b.usedMs - a.usedMs);
  let kept = 0;
  for (const { path, bytes } of files) {
    kept += bytes;
    if (kept > bytesMax) rmSync(path, { force: true });
  }
}

function statOf(path: string): { bytes: number; usedMs: number } {
  const { size, atimeMs } = statSync(path);
  return { bytes: size, usedMs: atimeMs };
}
