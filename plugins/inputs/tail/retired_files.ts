import type { KnownContent } from './content_relation.ts';
import type { TailedFile } from './tailed_file.ts';
import { liveIdentity } from './content_relation.ts';

/** A file that was read to its end and closed because no pattern matched its name any more. */
export interface RetiredFile {
  readonly birth: string;
  readonly known: KnownContent;
}

const countMax = 1000;

/** Files that were closed while they still exist: should one come back under a name that the
 *  patterns match, as when a symbolic link is swapped back, reading goes on where it was. */
export class RetiredFiles {
  private readonly byKey = new Map<string, RetiredFile>();

  /** Remembers a file that has links left; the longest known one makes room. */
  add(file: TailedFile): void {
    const { generation } = file;
    if (generation === undefined || generation.position === 0 || file.isGzip) return;
    if (!file.isOpen || file.look().links === 0) return;
    if (this.byKey.size >= countMax) {
      const [oldest] = this.byKey.keys();
      this.byKey.delete(oldest!);
    }
    this.byKey.set(file.key, { birth: file.birth, known: liveIdentity(generation) });
  }

  take(key: string): RetiredFile | undefined {
    const retired = this.byKey.get(key);
    this.byKey.delete(key);
    return retired;
  }
}
