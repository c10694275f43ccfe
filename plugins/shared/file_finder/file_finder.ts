import { type Dirent, statSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import path from 'node:path';
import picomatch from 'picomatch';
import { type FileFacts, factsOf } from './file_facts.ts';

/** What one look at the directories showed. */
export interface Findings {
  /** Regular files by path, in the order of the patterns. */
  readonly files: ReadonlyMap<string, FileFacts>;
  /** Directories that were looked into, and those that must appear first. */
  readonly directories: ReadonlySet<string>;
  /** No directory changed meanwhile: a file that was not found is not there. Else a rotation may
   *  have hidden one that had its old name no more, and its new one not yet. */
  readonly isWhole: boolean;
  /** Directories or files that could not be read, with the reason. */
  readonly problems: ReadonlyMap<string, string>;
}

interface Pattern {
  /** Directory before the first wildcard. */
  readonly base: string;
  readonly isLiteral: boolean;
  readonly matches: (file: string) => boolean;
  /** A matcher per directory level below `base`; undefined beyond a `**` or where braces span
   *  levels: then any directory may hold matches. */
  readonly levels: readonly ((name: string) => boolean)[];
  readonly depthMax: number;
  readonly entersSymlinks: boolean;
}

/** Most files that one input follows; more is a pattern gone wrong. */
const filesMax = 100_000;
const statsAtOnce = 32;
const comparedAtOnce = 64;
/** Files that take longer together come from a slow or remote disk: others leave this thread. */
const slowStatsMs = 16;
/** Changes that lie closer together may bear the same time. */
const tickNs = 12_000_000n;

/** Finds the files that patterns match: `*`, `**`, `?`, `[..]`, `{a,b}`; relative ones refer to
 *  `baseDirectory`. A backslash takes a wildcard's meaning away. */
export class FileFinder {
  private readonly patterns: readonly Pattern[];
  private readonly excludes: readonly ((file: string) => boolean)[];

  constructor(patterns: readonly string[], excludes: readonly string[], baseDirectory: string) {
    this.patterns = patterns.map((pattern) => compilePattern(absolute(pattern, baseDirectory)));
    // An exclusion without a slash is about names, whatever their directory.
    this.excludes = excludes.map((pattern) =>
      pattern.includes('/')
        ? matcherOf(absolute(pattern, baseDirectory))
        : nameMatcher(matcherOf(pattern)),
    );
  }

  async find(): Promise<Findings> {
    const search = new Search(this.excludes);
    for (const pattern of this.patterns) await search.run(pattern);
    await search.compare();
    return search;
  }
}

class Search implements Findings {
  readonly files = new Map<string, FileFacts>();
  readonly directories = new Set<string>();
  readonly problems = new Map<string, string>();
  isWhole = true;
  private isSlow = false;
  private readonly beganNs = BigInt(Date.now()) * 1_000_000n;
  /** Last changes of the directories that were listed, before that. */
  private readonly changes = new Map<string, bigint>();
  private readonly excludes: readonly ((file: string) => boolean)[];

  constructor(excludes: readonly ((file: string) => boolean)[]) {
    this.excludes = excludes;
  }

  /** Finds out whether directories changed since they were listed. */
  async compare(): Promise<void> {
    const listed = [...this.changes];
    // Every wait makes what was found more out of date.
    const changeNow = listed.length <= comparedAtOnce ? changeOfNow : changeOf;
    for (let at = 0; at < listed.length && this.isWhole; at += statsAtOnce) {
      const some = listed.slice(at, at + statsAtOnce);
      const now = await Promise.all(some.map(([directory]) => changeNow(directory)));
      this.isWhole = some.every(
        ([, before], index) => now[index] === before && this.beganNs - before > tickNs,
      );
    }
  }

  async run(pattern: Pattern): Promise<void> {
    if (pattern.isLiteral) {
      this.directories.add(path.dirname(pattern.base));
      await this.addFiles([pattern.base]);
    } else {
      await this.enter(pattern, pattern.base, 0);
    }
  }

  private async enter(pattern: Pattern, directory: string, level: number): Promise<void> {
    this.directories.add(directory);
    this.changes.set(directory, await changeOf(directory));
    const entries = await this.list(directory);
    const candidates: string[] = [];
    for (const entry of entries) {
      const full = path.posix.join(directory, entry.name);
      if (entry.isDirectory() || (entry.isSymbolicLink() && pattern.entersSymlinks)) {
        if (level < pattern.depthMax && (pattern.levels[level]?.(entry.name) ?? true)) {
          if (entry.isDirectory() || (await isDirectory(full))) {
            await this.enter(pattern, full, level + 1);
            continue;
          }
        }
      }
      if (entry.isDirectory() || !pattern.matches(full)) continue;
      candidates.push(full);
    }
    await this.addFiles(candidates);
  }

  private async list(directory: string): Promise<Dirent[]> {
    try {
      return await readdir(directory, { withFileTypes: true });
    } catch (error) {
      this.note(directory, error);
      return [];
    }
  }

  private async addFiles(paths: readonly string[]): Promise<void> {
    const wanted = paths.filter(
      (file) => !this.files.has(file) && !this.excludes.some((matches) => matches(file)),
    );
    for (let at = 0; at < wanted.length; at += statsAtOnce) {
      const some = wanted.slice(at, at + statsAtOnce);
      const facts = this.isSlow
        ? await Promise.all(some.map((file) => this.factsAt(file)))
        : this.factsNow(some);
      if (at + statsAtOnce < wanted.length) await setImmediate();
      some.forEach((file, index) => {
        const found = facts[index];
        if (found !== undefined && this.files.size < filesMax) this.files.set(file, found);
      });
    }
  }

  /** Much cheaper than asking from another thread, where the disk answers at once. */
  private factsNow(files: readonly string[]): (FileFacts | undefined)[] {
    const beganMs = performance.now();
    const facts = files.map((file) => {
      try {
        const stats = statSync(file, { bigint: true, throwIfNoEntry: false });
        return stats?.isFile() ? factsOf(stats) : undefined;
      } catch (error) {
        this.note(file, error);
        return undefined;
      }
    });
    this.isSlow = performance.now() - beganMs > slowStatsMs;
    return facts;
  }

  private async factsAt(file: string): Promise<FileFacts | undefined> {
    try {
      const stats = await stat(file, { bigint: true });
      return stats.isFile() ? factsOf(stats) : undefined;
    } catch (error) {
      this.note(file, error);
      return undefined;
    }
  }

  private note(place: string, error: unknown): void {
    const { code } = error as NodeJS.ErrnoException;
    // Gone between two looks, or not there yet: nothing wrong.
    if (code !== 'ENOENT' && code !== 'ENOTDIR') this.problems.set(place, code ?? String(error));
  }
}

/** When names in a directory last changed, in ns; -1 when it is not there. */
async function changeOf(directory: string): Promise<bigint> {
  try {
    return (await stat(directory, { bigint: true })).mtimeNs;
  } catch {
    // What is wrong with it shows when it is listed.
    return -1n;
  }
}

function changeOfNow(directory: string): bigint {
  try {
    return statSync(directory, { bigint: true }).mtimeNs;
  } catch {
    return -1n;
  }
}

async function isDirectory(place: string): Promise<boolean> {
  try {
    return (await stat(place)).isDirectory();
  } catch {
    return false;
  }
}

function absolute(pattern: string, baseDirectory: string): string {
  const slashed = path.sep === '\\' ? pattern.replaceAll('\\', '/') : pattern;
  const base = path.sep === '\\' ? baseDirectory.replaceAll('\\', '/') : baseDirectory;
  return path.isAbsolute(slashed) ? path.posix.normalize(slashed) : path.posix.join(base, slashed);
}

function matcherOf(pattern: string): (file: string) => boolean {
  // Files whose names begin with a dot match only a pattern that writes the dot, as in a shell.
  return picomatch(pattern, { dot: false, strictSlashes: true, nonegate: true, noextglob: true });
}

function nameMatcher(matches: (name: string) => boolean): (file: string) => boolean {
  return (file) => matches(path.posix.basename(file));
}

function compilePattern(pattern: string): Pattern {
  const literal = unescapeGlob(pattern);
  if (literal !== undefined) {
    const matches = (file: string) => file === literal;
    return {
      base: literal,
      isLiteral: true,
      matches,
      levels: [],
      depthMax: 0,
      entersSymlinks: false,
    };
  }
  const parts = pattern.split('/');
  const firstWild = parts.findIndex((part) => /[*?[{(\\]/.test(part));
  const base = parts.slice(0, firstWild).join('/') || '/';
  const below = parts.slice(firstWild, -1);
  const isDeep = below.some((part) => part.includes('**')) || parts.at(-1)!.includes('**');
  const spans = /\{[^}]*\/[^}]*\}/.test(pattern);
  const unbounded = below.findIndex((part) => part.includes('**'));
  return {
    base,
    isLiteral: false,
    matches: matcherOf(pattern),
    levels: spans ? [] : below.slice(0, unbounded < 0 ? undefined : unbounded).map(matcherOf),
    depthMax: isDeep || spans ? 32 : below.length,
    entersSymlinks: !isDeep,
  };
}

/** The path that a pattern without wildcards names, or undefined when it has some. */
function unescapeGlob(pattern: string): string | undefined {
  if (/(?<!\\)[*?[{]/.test(pattern)) return undefined;
  return pattern.replace(/\\([*?[\]{}()!\\])/g, '$1');
}
