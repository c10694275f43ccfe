import type { TailedFile } from './tailed_file.ts';

/** Keeps the number of open files within its limit: closes those that were quiet for longest,
 *  those with something to read last, since a file that is deleted while it is closed is lost.
 *  Files that lost their name are never closed here, unless their new one is known: they could not
 *  be opened again. */
export class OpenFiles {
  private most: number;
  /** Files opened since they were last counted. */
  private openedSince = Number.POSITIVE_INFINITY;
  private readonly live: ReadonlyMap<string, TailedFile>;

  constructor(most: number, live: ReadonlyMap<string, TailedFile>) {
    this.most = most;
    this.live = live;
  }

  count(): number {
    let count = 0;
    for (const file of this.live.values()) if (file.isOpen) count++;
    return count;
  }

  /** Closes the quietest files until `room` more may be opened. `wanted` stays open. */
  async makeRoom(room: number, wanted?: TailedFile): Promise<void> {
    const surplus = this.count() + room - this.most;
    if (surplus <= 0) return;
    const closable = [...this.live.values()].filter(
      (file) => file.isOpen && file !== wanted && hasName(file) && !file.isBusy,
    );
    closable.sort(
      (left, right) =>
        Number(left.isReady) - Number(right.isReady) || left.activeMs - right.activeMs,
    );
    // Some more at once, so that the search is not repeated for every file.
    const count = surplus + Math.floor(this.most / 16);
    for (const file of closable.slice(0, count)) await file.close();
  }

  /** The system allows fewer than the option: leaves some to others. */
  lower(): void {
    this.most = Math.max(1, Math.min(this.most, this.count() - 8));
  }

  /** Opens a file that may have been closed. False when another file has its name by now, or
   *  when it cannot be opened. */
  async ensure(file: TailedFile): Promise<boolean> {
    if (file.isOpen) return true;
    this.openedSince++;
    if (this.openedSince > this.most / 16) {
      this.openedSince = 0;
      await this.makeRoom(Math.ceil(this.most / 16), file);
    }
    try {
      if (file.open().key === file.key) return true;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EMFILE' || code === 'ENFILE') {
        this.lower();
        await this.makeRoom(1, file);
      }
      return false;
    }
    await file.close();
    return false;
  }
}

function hasName({ presence, isFoundAway }: TailedFile): boolean {
  return presence === 'here' || isFoundAway;
}
