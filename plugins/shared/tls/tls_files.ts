import { readdir, stat } from 'node:fs/promises';
import { type Log, messageOf } from '../../../core/sdk/index.ts';

/** Shortest time between two looks at the files. */
const lookMs = 5000;
const directoryFilesMax = 1000;

export interface TlsFilesOptions<Settings> {
  /** Files, and directories of files, whose change counts. */
  readonly paths: readonly string[];
  load(): Promise<Settings>;
  readonly log: Log;
}

/** Certificates and keys from files, read again when the files change: certificates are renewed
 *  every few weeks, and an agent must not be restarted for it. Files that do not fit together,
 *  because only one of them was replaced yet, leave the old ones in use and are tried again. */
export class TlsFiles<Settings> {
  private readonly options: TlsFilesOptions<Settings>;
  private settings: Settings;
  private signature: string;
  private refused = '';
  private lookedAtMs = Number.NEGATIVE_INFINITY;
  private looking: Promise<void> | undefined;

  /** Reads the files. Errors: those of `load`. */
  static async open<Settings>(options: TlsFilesOptions<Settings>): Promise<TlsFiles<Settings>> {
    const signature = await signatureOf(options.paths);
    return new TlsFiles(options, await options.load(), signature);
  }

  private constructor(options: TlsFilesOptions<Settings>, settings: Settings, signature: string) {
    this.options = options;
    this.settings = settings;
    this.signature = signature;
  }

  /** What the files say; another object when they were read again. Looks at them every 5 s at
   *  most. */
  async current(nowMs: number): Promise<Settings> {
    if (nowMs - this.lookedAtMs >= lookMs) {
      this.lookedAtMs = nowMs;
      this.looking ??= this.look().finally(() => {
        this.looking = undefined;
      });
    }
    await this.looking;
    return this.settings;
  }

  private async look(): Promise<void> {
    const { paths, load, log } = this.options;
    const signature = await signatureOf(paths);
    if (signature === this.signature) return;
    try {
      const settings = await load();
      // Files that are being written change again: the next look takes them.
      if ((await signatureOf(paths)) !== signature) return;
      this.settings = settings;
      this.signature = signature;
      log.info({ files: paths }, 'Read changed certificates again.');
    } catch (error) {
      if (this.refused === signature) return;
      this.refused = signature;
      log.warn(
        { files: paths, error: messageOf(error) },
        'Changed certificates cannot be used: those from before stay.',
      );
    }
  }
}

async function signatureOf(paths: readonly string[]): Promise<string> {
  const parts: string[] = [];
  for (const path of paths) {
    parts.push(await signatureOfOne(path));
    const names = await readdir(path).catch(() => []);
    for (const name of names.sort().slice(0, directoryFilesMax)) {
      parts.push(name, await signatureOfOne(`${path}/${name}`));
    }
  }
  return parts.join('|');
}

async function signatureOfOne(path: string): Promise<string> {
  try {
    const { size, mtimeMs, ino } = await stat(path);
    return `${size} ${mtimeMs} ${ino}`;
  } catch {
    return 'missing';
  }
}
