import type { FSWatcher } from 'chokidar';

/** Tells when names in directories change: files made, renamed, deleted.
 *
 *  Polls the directories' own change times and leaves the files alone: watching each file by the
 *  system's notifications costs a scan of its directory at every append. */
export class DirectoryWatch {
  private readonly watched = new Set<string>();
  private readonly periodMs: number;
  private readonly onChange: () => void;
  private watcher: FSWatcher | undefined;
  private isClosed = false;

  constructor(periodMs: number, onChange: () => void) {
    this.periodMs = periodMs;
    this.onChange = onChange;
  }

  /** Watches these directories from now on, beside those of earlier calls. */
  async add(directories: Iterable<string>): Promise<void> {
    const fresh = [...directories].filter((directory) => !this.watched.has(directory));
    if (fresh.length === 0 || this.isClosed) return;
    for (const directory of fresh) this.watched.add(directory);
    const watcher = this.watcher ?? (await this.start());
    watcher.add(fresh);
  }

  async close(): Promise<void> {
    this.isClosed = true;
    const watcher = this.watcher;
    this.watcher = undefined;
    await watcher?.close();
  }

  private async start(): Promise<FSWatcher> {
    const { watch } = await import('chokidar');
    const watcher = watch([], {
      usePolling: true,
      interval: this.periodMs,
      binaryInterval: this.periodMs,
      depth: 0,
      ignoreInitial: true,
      persistent: true,
      ignored: (_path, stats) => stats !== undefined && !stats.isDirectory(),
    });
    // `raw` comes with every change time; the other events only for what is not ignored.
    watcher.on('raw', this.onChange);
    watcher.on('addDir', this.onChange);
    watcher.on('unlinkDir', this.onChange);
    // What cannot be watched is still found by the regular look at all directories.
    watcher.on('error', this.onChange);
    this.watcher = watcher;
    return watcher;
  }
}
