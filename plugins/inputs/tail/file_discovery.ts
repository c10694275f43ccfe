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
import { isIntact, noteSize } from './content_relation.ts';
import { DirectoryWatch } from './directory_watch.ts';
import { type FileFacts, factsOf, isOtherBirth } from '../../shared/file_finder/file_facts.ts';
import { FileFinder, type Findings } from '../../shared/file_finder/file_finder.ts';
import type { FileGeneration } from './file_generation.ts';
import type { GenerationStore } from './generation_store.ts';
import type { OpenFiles } from './open_files.ts';
import { type SweepPace, untilNext } from './sweep_pace.ts';
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
  readonly pace: SweepPace;
  wakeReader(): void;
  /** Looks at all sizes when the reader, which waits for the outputs, has not for long. */
  lookForReader(): void;
  /** A file was deleted that was closed, so that its rest cannot be read. */
  lost(file: TailedFile): void;
}

/** What one look found, and which content each file had when it began. */
export interface Look extends Findings {
  readonly generations: ReadonlyMap<TailedFile, FileGeneration | undefined>;
}

/** How often directories are looked at for new names. */
const watchMs = 100;
/** Shortest time between two looks. */
const lookMsMin = 40;
/** How often files are looked at again that wait. */
const candidatesMs = 100;
/** How often sizes are looked at while the reader waits for the outputs. */
const sizesMs = 1000;
/** A look may take a twentieth of the time. */
const lookShare = 20;
/** A file's part in the pause between two looks: a busy machine must not stretch it. */
const pauseMsPerFile = 0.4;
/** So many looks in a row during which directories changed count as one during which none did. */
const brokenLooksMax = 20;
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
  private wake: () => void = () => {};
  private directories: ReadonlySet<string> = new Set();
  /** Files that were too old at the start: their size then, where reading them will begin. */
  private readonly ignored = new Map<string, number>();
  private readonly said = new Set<string>();
  private isChanged = true;
  private isLooking = false;
  private filesSeen = 0;
  private brokenLooks = 0;

  constructor(settings: TailSettings, context: InputContext, parts: DiscoveryParts) {
    this.settings = settings;
    this.context = context;
    this.parts = parts;
    this.finder = new FileFinder(settings.patterns, settings.excludes, context.baseDirectory);
    this.watch = new DirectoryWatch(context.clock, () => this.lookAgain(), {
      restMs: (tookMs) => {
        const leastMs = Math.max(watchMs, tookMs * lookShare);
        return parts.pace.restMs(context.clock.monotonicMs(), leastMs);
      },
    });
  }

  /** Something changed: looks at the directories soon. */
  lookAgain(): void {
    this.isChanged = true;
    this.wake();
  }

  /** True when what changed until now was looked at. */
  get isUpToDate(): boolean {
    return !this.isChanged && !this.isLooking;
  }

  async close(): Promise<void> {
    await this.watch.close();
  }

  /** The first look. */
  async start(): Promise<void> {
    this.parts.admission.loadCheckpoints();
    await this.apply(await this.look(), true);
    await this.findMoved();
    this.parts.admission.dropStale();
    this.context.log.info({ files: this.parts.files.size }, 'Following files.');
  }

  /** Looks again and again until the signal comes. What goes wrong is left in `failure`. */
  async keepOn(signal: AbortSignal): Promise<void> {
    const { clock } = this.context;
    const { refreshMs } = this.settings;
    let endedMs = clock.monotonicMs();
    let pauseMs = 0;
    while (!signal.aborted) {
      await this.watch.add(this.directories);
      await this.untilDue(endedMs + pauseMs, endedMs + refreshMs, signal);
      if (signal.aborted) return;
      try {
        const beganMs = clock.monotonicMs();
        const sinceMs = beganMs - endedMs;
        if (sinceMs >= (this.isChanged ? pauseMs : refreshMs)) {
          this.isChanged = false;
          this.isLooking = true;
          await this.apply(await this.look(), false);
          this.isLooking = false;
          endedMs = clock.monotonicMs();
          const shareMs = (endedMs - beganMs) * lookShare;
          pauseMs = Math.max(lookMsMin, Math.min(shareMs, this.filesSeen * pauseMsPerFile));
        }
        this.parts.lookForReader();
        await this.reconsider();
      } catch (error) {
        if (isRetryable(error)) {
          // Checkpoints cannot be written now; the files are found again.
          this.context.log.warn({ error: messageOf(error) }, 'Cannot take up new files yet.');
          await pause(clock, refreshMs, signal);
          this.isChanged = true;
          continue;
        }
        this.failure = error;
        this.parts.wakeReader();
        return;
      }
    }
  }

  /** Waits until it is time for a look: at `lookAtMs` when something changed, else at
   *  `refreshAtMs`, or for what has to be done in between. */
  private async untilDue(
    lookAtMs: number,
    refreshAtMs: number,
    signal: AbortSignal,
  ): Promise<void> {
    const { clock } = this.context;
    const isWaiting = this.parts.admission.isUndecided;
    const leftMs = (atMs: number) => Math.max(0, atMs - clock.monotonicMs());
    if (isWaiting && !this.isChanged) return pause(clock, candidatesMs, signal);
    if (!this.isChanged) {
      const cut = new AbortController();
      const onAbort = () => cut.abort();
      this.wake = onAbort;
      signal.addEventListener('abort', onAbort, { once: true });
      await pause(
        clock,
        Math.min(untilNext(clock.monotonicMs(), sizesMs), leftMs(refreshAtMs)),
        cut.signal,
      );
      signal.removeEventListener('abort', onAbort);
      this.wake = () => {};
    }
    if (this.isChanged) await pause(clock, leftMs(lookAtMs), signal);
  }

  /** Decides about files that wait. */
  async reconsider(): Promise<void> {
    if (this.parts.admission.isUndecided) this.welcome(await this.parts.admission.reconsider());
  }

  /** Looks at all directories. */
  async look(): Promise<Look> {
    const generations = new Map<TailedFile, FileGeneration | undefined>();
    for (const file of this.parts.files.values()) generations.set(file, file.generation);
    const { files, directories, problems, isWhole } = await this.finder.find();
    // Directories that never rest must not keep files from being given up.
    const isTaken = isWhole || this.brokenLooks >= brokenLooksMax;
    return { files, directories, problems, isWhole: isTaken, generations };
  }

  /** Draws the conclusions: renamed, lost and new files. */
  async apply(look: Look, isStart: boolean): Promise<void> {
    this.directories = look.directories;
    this.sayProblems(look);
    this.filesSeen = look.files.size;
    const paths = new Map<string, string>();
    for (const [place, { key }] of look.files) if (!paths.has(key)) paths.set(key, place);
    const nowMs = this.context.clock.monotonicMs();
    for (const file of [...this.parts.files.values()]) {
      const place = paths.get(file.key);
      const facts = place === undefined ? undefined : look.files.get(place);
      if (facts !== undefined && !file.isOpen && isOtherBirth(file.birth, facts, place!)) {
        this.parts.files.delete(file.key);
        this.parts.lost(file);
      } else if (look.generations.has(file)) this.locate(file, look, paths, nowMs);
    }
    await this.findClosed();
    const { misplaced, shortages } = this.parts.admission;
    const fresh: Found[] = [];
    for (const [key, place] of paths) {
      if (this.parts.files.has(key)) continue;
      if (this.parts.admission.isCandidate(key)) this.parts.admission.renameCandidate(key, place);
      else {
        const facts = look.files.get(place)!;
        if (this.isTooOld(facts, isStart)) continue;
        fresh.push({ path: place, facts, position: this.ignored.get(key) });
        this.ignored.delete(key);
      }
    }
    for (const key of this.ignored.keys()) if (!paths.has(key)) this.ignored.delete(key);
    if (fresh.length > 0) {
      await this.parts.openFiles.makeRoom(Math.min(fresh.length, 32));
      this.welcome(await this.parts.admission.admit(fresh, isStart));
      if (this.parts.admission.shortages > shortages) this.parts.openFiles.lower();
      await this.parts.openFiles.makeRoom(0);
    }
    // Some may have been renamed between the look and the opening, or were not to be opened yet.
    const { admission } = this.parts;
    const isSettled = admission.misplaced === misplaced && admission.shortages === shortages;
    if ((look.isWhole && isSettled) || this.brokenLooks >= brokenLooksMax) this.endLook(paths);
    else {
      this.brokenLooks++;
      this.isChanged = true;
    }
  }

  /** All that there is was seen, and decided: what was not seen is not there. */
  private endLook(paths: ReadonlyMap<string, string>): void {
    this.brokenLooks = 0;
    this.parts.admission.lookEnded();
    this.parts.admission.keepUnfinished(paths);
    for (const file of this.parts.files.values()) {
      if (file.presence === 'here' || paths.has(file.key)) continue;
      // The next look began behind whatever took the file away.
      if (file.missedLooks++ === 0) this.isChanged = true;
    }
  }

  /** Says where a known file is now. */
  private locate(
    file: TailedFile,
    look: Look,
    paths: ReadonlyMap<string, string>,
    nowMs: number,
  ): void {
    const facts = look.files.get(file.path);
    if (facts?.key === file.key) {
      file.presence = 'here';
      file.isFoundAway = false;
      file.missedLooks = 0;
      const { generation } = file;
      const isSameContent = generation !== undefined && generation === look.generations.get(file);
      if (isSameContent && !file.isGzip && facts.size > generation.sizeSeen) {
        // What was found may be out of date.
        noteSize(file, generation, file.isOpen ? file.look().size : facts.size);
      }
      return;
    }
    const place = paths.get(file.key);
    if (place === undefined && !look.isWhole) return;
    if (place !== undefined) {
      file.missedLooks = 0;
      file.path = place;
      if (file.generation !== undefined) file.generation.path = place;
      if (file.presence === 'here') this.parts.rotations.value++;
      file.presence = 'here';
      file.isFoundAway = false;
    } else if (file.presence === 'here') {
      file.presence = 'away';
      file.awaySinceMs = nowMs;
      file.isReady = file.isOpen && !file.isFinished;
      this.parts.rotations.value++;
      this.parts.wakeReader();
    }
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

  /** Files that lost their name while they were closed: those that were renamed in their directory,
   *  out of the patterns, are read on under their new name. */
  private async findClosed(): Promise<void> {
    const wanted = [...this.parts.files.values()].filter(
      (file) => file.presence === 'away' && !file.isOpen && !file.isGzip && !standsThere(file),
    );
    const paths = wanted.map(({ path: place, key }) => ({ path: place, key }));
    for (const { path: place, facts } of await filesInPlaceOf(paths)) {
      const file = wanted.find(({ key }) => key === facts.key)!;
      if (isOtherBirth(file.birth, facts, place) || file.isOpen || file.presence === 'here')
        continue;
      if (!(await isStill(file, place))) continue;
      file.isFoundAway = true;
      file.isReady = true;
      if (file.generation !== undefined) file.generation.path = place;
      this.parts.wakeReader();
    }
  }

  /** Files of checkpoints that were renamed in their directory, out of the patterns, while the
   *  agent did not run: their rest is read. */
  private async findMoved(): Promise<void> {
    const moved = await filesInPlaceOf([...this.parts.admission.missingFiles()]);
    const found = moved
      .filter(({ facts }) => !this.parts.files.has(facts.key))
      .map((one): Found => ({ ...one, position: undefined }));
    for (const file of await this.parts.admission.claimMoved(found)) {
      file.presence = 'away';
      file.awaySinceMs = this.context.clock.monotonicMs();
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

/** Searches the directories of files that are not under their names any more for what they are called now. */
async function filesInPlaceOf(
  missing: readonly { readonly path: string; readonly key: string }[],
): Promise<{ path: string; facts: FileFacts }[]> {
  const wanted = new Map<string, Set<string>>();
  for (const { path: place, key } of missing) {
    const directory = path.posix.dirname(place);
    wanted.set(directory, (wanted.get(directory) ?? new Set()).add(key));
  }
  const found: { path: string; facts: FileFacts }[] = [];
  for (const [directory, keys] of wanted) {
    const entries = await readdir(directory).catch(() => []);
    for (const name of entries.slice(0, movedEntriesMax)) {
      const place = path.posix.join(directory, name);
      const stats = await stat(place, { bigint: true }).catch(() => undefined);
      if (stats === undefined || !stats.isFile()) continue;
      const facts = factsOf(stats);
      if (keys.delete(facts.key)) found.push({ path: place, facts });
    }
  }
  return found;
}

function standsThere(file: TailedFile): boolean {
  try {
    return file.lookByPath() !== undefined;
  } catch {
    return false;
  }
}

/** Whether a closed file is what stands at a place, with the content that was read. It then has that path. */
async function isStill(file: TailedFile, place: string): Promise<boolean> {
  const before = file.path;
  file.path = place;
  try {
    if (file.open().key === file.key && isIntact(file)) return true;
  } catch {
    // It was taken away again.
  } finally {
    await file.close();
  }
  file.path = before;
  return false;
}

/** True for errors that pass by themselves, such as a full disk. */
export function isRetryable(error: unknown): boolean {
  return error instanceof SluiceError && error.kind === 'retryable';
}
