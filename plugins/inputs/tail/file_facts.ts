import type { BigIntStats } from 'node:fs';

/** What the file system says of a file. */
export interface FileFacts {
  /** `device:inode`, in decimal. One per file at any time, but used again after a deletion. */
  readonly key: string;
  /** Time of birth in ns, or '' where the file system does not tell: with device and inode it
   *  tells a file from a later one in the same inode. */
  readonly birth: string;
  readonly size: number;
  readonly modifiedMs: number;
  /** Last change of content or name; unlike `modifiedMs` it cannot be set back. */
  readonly changedMs: number;
  readonly links: number;
}

export function factsOf(stats: BigIntStats): FileFacts {
  // Without statx the birth time is made up from the change time: equal means unknown.
  const isBirthKnown = stats.birthtimeNs > 0n && stats.birthtimeNs !== stats.ctimeNs;
  return {
    key: `${stats.dev}:${stats.ino}`,
    birth: isBirthKnown ? String(stats.birthtimeNs) : '',
    size: Number(stats.size),
    modifiedMs: Number(stats.mtimeNs) / 1e6,
    changedMs: Number(stats.ctimeNs) / 1e6,
    links: Number(stats.nlink),
  };
}

/** Two sightings of an inode that cannot be the same file. */
export function isOtherBirth(left: string, right: string): boolean {
  return left !== '' && right !== '' && left !== right;
}
