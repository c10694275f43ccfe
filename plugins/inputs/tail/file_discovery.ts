import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import {
  type Counter,
  type InputContext,
  messageOf,
  pause,
  SluiceError,
} from '../../../core/sdk/index.ts';
import type { Admission, Found } from './admission.ts';
import { DirectoryWatch } from './directory_watch.ts';
import { type FileFacts, factsOf, isOtherBirth } from '../../shared/file_finder/file_facts.ts';
import { FileFinder, type Findings } from '../../shared/file_finder/file_finder.ts';
import type { GenerationStore } from './generation_store.ts';
import type { OpenFiles } from './open_files.ts';
import type { TailedFile } from './tailed_file.ts';
import type { TailSettings } from './tail_settings.ts';

/** What discovery works on; the reader shares it. */
export interface DiscoveryParts {
  /** The files being read, by key. */
  readonly files: Map<string, TailedFile>;
  readonly store: GenerationStore;
  readonly admission: Admission;
  readonly openFiles: OpenFiles;
  readonly rotations: Counter;
  wakeReader(): void;
}

/** How often directories are looked at for new names. A look may take a twentieth of the time. */
const watchMs = 100;
const lookShare = 20;
const movedEntriesMax = 100_000;
/** Problems that are said once each. */
const saidMax = 1000;

/** Finds files and says what became of known ones, also while the outputs make the reader wait:
 *  a file that is opened in time can be read after it was renamed or deleted. */
export class FileDiscovery {
  /** Why looking ended. */
  failure: unknown;
  private readonly settings: TailSettings;
  private readonly context: InputContext;
  private readonly parts: DiscoveryParts;
  private readonly finder: FileFinder;
  private readonly watch: DirectoryWatch;
  /** Files that were too old at the start: their size then, where reading them will begin. */
  private readonly ignored = new Map<string, number>();
  private readonly said = new Set<string>();
  private isChanged = true;
  private wake: () => void = () => {};

  constructor(settings: TailSettings, context: InputContext, parts: DiscoveryParts) {
    this.settings = settings;
    this.context = context;
    this.parts = parts;
    this.finder = new FileFinder(settings.patterns, settings.excludes, context.baseDirectory);
    this.watch = new DirectoryWatch(watchMs, () => this.lookAgain());
  }

  /** Something changed: looks at the directories soon. */
  lookAgain(): void {
    this.isChanged = true;
    this.wake();
  }

  async close(): Promise<void> {
    await this.watch.close();
  }

  /** The first look. */
  async start(): Promise<void> {
    this.parts.admission.loadCheckpoints();
    await this.discover(true);
    await this.findMoved();
    this.parts.admission.dropStale();
    this.context.log.info({ files: this.parts.files.size }, 'Following files.');
  }

  /** Looks again and again until the signal comes. What goes wrong is left in `failure`. */
  async keepOn(signal: AbortSignal): Promise<void> {
    const { clock } = this.context;
    let tookMs = 0;
    let searchedMs = clock.monotonicMs();
    while (!signal.aborted) {
      await this.pauseDiscovery(Math.max(watchMs, tookMs * lookShare), signal);
      if (signal.aborted) return;
      const beganMs = clock.monotonicMs();
      try {
        if (this.isChanged || beganMs - searchedMs >= this.settings.refreshMs) {
          this.isChanged = false;
          searchedMs = beganMs;
          await this.discover(false);
        }
        if (this.parts.admission.isUndecided) this.welcome(await this.parts.admission.reconsider());
      } catch (error) {
        if (isRetryable(error)) {
          // Checkpoints cannot be written now; the files are found again.
          this.context.log.warn({ error: messageOf(error) }, 'Cannot take up new files yet.');
          await pause(this.context.clock, this.settings.refreshMs, signal);
          this.isChanged = true;
          continue;
        }
        this.failure = error;
        this.parts.wakeReader();
        return;
      }
      tookMs = clock.monotonicMs() - beganMs;
    }
  }

  /** Waits until it is time for another look: at least `leastMs`. */
  private async pauseDiscovery(leastMs: number, signal: AbortSignal): Promise<void> {
    await pause(this.context.clock, leastMs, signal);
    if (this.isChanged || this.parts.admission.isUndecided || signal.aborted) return;
    const cut = new AbortController();
    this.wake = () => cut.abort();
    const onAbort = () => cut.abort();
    signal.addEventListener('abort', onAbort, { once: true });
    await pause(this.context.clock, this.settings.refreshMs, cut.signal);
    signal.removeEventListener('abort', onAbort);
    this.wake = () => {};
  }

  /** One look at all directories: renamed, lost and new files. */
  private async discover(isStart: boolean): Promise<void> {
    const findings = await this.finder.find();
    await this.watch.add(findings.directories);
    this.sayProblems(findings);
    const paths = new Map<string, string>();
    for (const [place, { key }] of findings.files) if (!paths.has(key)) paths.set(key, place);
    const nowMs = this.context.clock.monotonicMs();
    for (const file of [...this.parts.files.values()]) {
      const place = paths.get(file.key);
      const facts = place === undefined ? undefined : findings.files.get(place);
      if (facts !== undefined && !file.isOpen && isOtherBirth(file.birth, facts, place!)) {
        this.forgetLost(file);
      } else this.locate(file, findings, paths, nowMs);
    }
    const fresh: Found[] = [];
    for (const [key, place] of paths) {
      if (this.parts.files.has(key)) continue;
      if (this.parts.admission.isCandidate(key)) this.parts.admission.renameCandidate(key, place);
      else {
        const facts = findings.files.get(place)!;
        if (this.isTooOld(facts, isStart)) continue;
        fresh.push({ path: place, facts, position: this.ignored.get(key) });
        this.ignored.delete(key);
      }
    }
    for (const key of this.ignored.keys()) if (!paths.has(key)) this.ignored.delete(key);
    if (fresh.length > 0) {
      await this.parts.openFiles.makeRoom(Math.min(fresh.length, 32));
      this.welcome(await this.parts.admission.admit(fresh, isStart));
      await this.parts.openFiles.makeRoom(0);
    }
  }

  /** Says where a known file is now. */
  private locate(
    file: TailedFile,
    findings: Findings,
    paths: ReadonlyMap<string, string>,
    nowMs: number,
  ): void {
    const facts = findings.files.get(file.path);
    if (facts?.key === file.key) {
      file.presence = 'here';
      if (file.generation !== undefined && !file.isGzip) {
        file.generation.sizeSeen = Math.max(file.generation.sizeSeen, facts.size);
      }
      return;
    }
    const place = paths.get(file.key);
    if (place !== undefined) {
      file.path = place;
      if (file.generation !== undefined) file.generation.path = place;
      if (file.presence === 'here') this.parts.rotations.value++;
      file.presence = 'here';
    } else if (file.presence === 'here') {
      file.presence = 'away';
      file.awaySinceMs = nowMs;
      file.isReady = file.isOpen && !file.isFinished;
      this.parts.rotations.value++;
      this.parts.wakeReader();
    }
  }

  /** The file was deleted while it was closed, and its inode used again. */
  private forgetLost(file: TailedFile): void {
    this.parts.files.delete(file.key);
    if (file.generation !== undefined) this.parts.store.end(file.generation);
  }

  private isTooOld(facts: FileFacts, isStart: boolean): boolean {
    const { ignoreOlderMs } = this.settings;
    const isOld =
      ignoreOlderMs > 0 && this.context.clock.nowMs() - facts.modifiedMs > ignoreOlderMs;
    const isFromEnd = isStart && !this.settings.readFromHead;
    if (isOld && isFromEnd) this.ignored.set(facts.key, facts.size);
    return isOld;
  }

  private welcome(admitted: readonly TailedFile[]): void {
    for (const file of admitted) file.activeMs = this.context.clock.monotonicMs();
    if (admitted.length > 0) this.parts.wakeReader();
  }

  /** Files of checkpoints that were renamed in their directory, out of the patterns, while the
   *  agent did not run: their rest is read. */
  private async findMoved(): Promise<void> {
    const missing = new Map<string, Set<string>>();
    for (const { path: place, key } of this.parts.admission.missingFiles()) {
      const directory = path.posix.dirname(place);
      const keys = missing.get(directory) ?? new Set();
      missing.set(directory, keys.add(key));
    }
    for (const [directory, keys] of missing) {
      const entries = await readdir(directory).catch(() => []);
      const moved: Found[] = [];
      for (const name of entries.slice(0, movedEntriesMax)) {
        const place = path.posix.join(directory, name);
        const stats = await stat(place, { bigint: true }).catch(() => undefined);
        if (stats === undefined || !stats.isFile()) continue;
        const facts = factsOf(stats);
        if (keys.has(facts.key) && !this.parts.files.has(facts.key))
          moved.push({ path: place, facts, position: undefined });
      }
      for (const file of await this.parts.admission.claimMoved(moved)) {
        file.presence = 'away';
        file.awaySinceMs = this.context.clock.monotonicMs();
      }
    }
  }

  private sayProblems(findings: Findings): void {
    for (const [place, problem] of findings.problems) {
      const text = `${place}: ${problem}`;
      if (this.said.has(text) || this.said.size >= saidMax) continue;
      this.said.add(text);
      this.context.log.warn({ path: place, error: problem }, 'Cannot look into a place.');
    }
  }
}

/** True for errors that pass by themselves, such as a full disk. */
export function isRetryable(error: unknown): boolean {
  return error instanceof SluiceError && error.kind === 'retryable';
}
