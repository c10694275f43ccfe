import { type BigIntStats, statSync } from 'node:fs';
import path from 'node:path';

/** What the file system says of a file. */
export interface FileFacts {
  /** `device:inode`, in decimal. One per file at any time, but used again after a deletion. */
  readonly key: string;
  /** Time of birth in ns, or '' where the file system does not tell: with device and inode it
   *  tells a file from a later one in the same inode. */
  readonly birth: string;
  /** The birth equals the last change: without statx it is made up from that. */
  readonly isBirthDoubtful: boolean;
  readonly size: number;
  readonly modifiedMs: number;
  /** Last change of content or name; unlike `modifiedMs` it cannot be set back. */
  readonly changedMs: number;
  readonly links: number;
}

export function factsOf(stats: BigIntStats): FileFacts {
  return {
    key: `${stats.dev}:${stats.ino}`,
    birth: stats.birthtimeNs > 0n ? String(stats.birthtimeNs) : '',
    isBirthDoubtful: stats.birthtimeNs === stats.ctimeNs,
    size: Number(stats.size),
    modifiedMs: Number(stats.mtimeNs) / 1e6,
    changedMs: Number(stats.ctimeNs) / 1e6,
    links: Number(stats.nlink),
  };
}

/** True when a file seen in an inode before, with `earlierBirth`, cannot be the one there now. */
export function isOtherBirth(earlierBirth: string, now: FileFacts, file: string): boolean {
  if (earlierBirth === '' || now.birth === '' || earlierBirth === now.birth) return false;
  return !now.isBirthDoubtful || hasBirths(path.dirname(file), now.key);
}

/** Whether the file system tells births: a directory's last change comes after its birth. */
function hasBirths(directory: string, key: string): boolean {
  const stats = statSync(directory, { bigint: true, throwIfNoEntry: false });
  if (stats === undefined || !key.startsWith(`${stats.dev}:`)) return false;
  return stats.birthtimeNs > 0n && stats.birthtimeNs !== stats.ctimeNs;
}
