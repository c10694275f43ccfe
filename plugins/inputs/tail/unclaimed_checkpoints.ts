import type { SourceRegistry, StoredCheckpoint } from '../../../core/sdk/index.ts';
import { type HeadPrints, identityOf, type StoredIdentity } from './content_print.ts';

/** A checkpoint from an earlier run whose file was not found yet. */
export interface Unclaimed {
  readonly key: string;
  readonly checkpoint: StoredCheckpoint;
  readonly identity: StoredIdentity;
  /** Its inode holds other content now: it was truncated, or the inode used again. */
  isReplaced: boolean;
}

/** Checkpoints of files that were not seen for this long are given up. */
const keptMs = 7 * 24 * 3600 * 1000;
const countMax = 100_000;

/** Checkpoints from earlier runs until a file claims them. */
export class UnclaimedCheckpoints {
  private readonly all = new Set<Unclaimed>();
  private readonly byFile = new Map<string, Set<Unclaimed>>();
  /** By length and hash of the head; positions 0 are left out: nothing was read to compare. */
  private readonly byHead = new Map<number, Map<string, Set<Unclaimed>>>();

  load(sources: SourceRegistry): void {
    for (const [key, checkpoint] of sources.checkpoints()) {
      const identity = identityOf(checkpoint);
      if (identity === undefined) sources.forget(key);
      else this.add({ key, checkpoint, identity, isReplaced: false });
    }
  }

  ofFile(fileKey: string): readonly Unclaimed[] {
    return [...(this.byFile.get(fileKey) ?? [])];
  }

  beginningLike(head: HeadPrints): readonly Unclaimed[] {
    const found: Unclaimed[] = [];
    for (const [length, byHash] of this.byHead) {
      if (length > head.bytes.length) continue;
      found.push(...(byHash.get(head.printAt(length)) ?? []));
    }
    return found;
  }

  files(): { readonly path: string; readonly key: string }[] {
    return [...this.all].map(({ identity }) => ({ path: identity.path, key: identity.file }));
  }

  delete(one: Unclaimed): void {
    this.all.delete(one);
    this.byFile.get(one.identity.file)?.delete(one);
    this.byHead.get(one.identity.headLength)?.get(one.identity.headHash)?.delete(one);
  }

  /** Gives up what no file claimed for a long time, and the oldest beyond the most kept. */
  dropStale(sources: SourceRegistry, nowMs: number): void {
    const all = [...this.all].sort(
      (left, right) => right.checkpoint.updatedAtMs - left.checkpoint.updatedAtMs,
    );
    all.forEach((one, index) => {
      if (index < countMax && one.checkpoint.updatedAtMs >= nowMs - keptMs) return;
      this.delete(one);
      sources.forget(one.key);
    });
  }

  private add(one: Unclaimed): void {
    const { file, headLength, headHash, position } = one.identity;
    this.all.add(one);
    entry(this.byFile, file, () => new Set<Unclaimed>()).add(one);
    if (position === 0 || headLength === 0) return;
    const byHash = entry(this.byHead, headLength, () => new Map<string, Set<Unclaimed>>());
    entry(byHash, headHash, () => new Set<Unclaimed>()).add(one);
  }
}

/** Furthest position that some output has reached. */
export function furthestPosition(checkpoint: StoredCheckpoint): number {
  return Math.max(0, ...Object.values(checkpoint.positions));
}

function entry<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
