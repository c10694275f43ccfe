import type { InputContext } from '../../../core/sdk/index.ts';
import {
  byteOrderMark,
  type TextEncoding,
  utf8,
} from '../../shared/text_encoding/text_encoding.ts';
import { GzipDamageError } from '../../shared/gzip/gzip_chunks.ts';
import { beforeBytesMax, headBytesMax, HeadPrints } from './content_print.ts';
import { type FileFacts, isOtherBirth } from '../../shared/file_finder/file_facts.ts';
import { FileGeneration } from './file_generation.ts';
import { liveIdentity, relate } from './content_relation.ts';
import {
  byBirth,
  type Candidate,
  type Decision,
  type Donor,
  DonorSearch,
  headOf,
} from './donor_search.ts';
import type { GenerationStore } from './generation_store.ts';
import { OneAtATime } from './one_at_a_time.ts';
import { type Orphan, Orphans } from './orphans.ts';
import { RetiredFiles } from './retired_files.ts';
import { furthestPosition, UnclaimedCheckpoints } from './unclaimed_checkpoints.ts';
import { TailedFile } from './tailed_file.ts';
import type { TailSettings } from './tail_settings.ts';

/** A file that was not known: where it is, what it is, and from where to read it, if that was
 *  decided before. */
export interface Found {
  readonly path: string;
  readonly facts: FileFacts;
  readonly position: number | undefined;
}

/** A found file, opened. */
interface Opened {
  readonly file: TailedFile;
  readonly facts: FileFacts;
  readonly head: HeadPrints;
  readonly position: number | undefined;
}

const openAtOnce = 32;
const beginningBytes = 64;

/** Decides what a file is that was not there before: a known one that was renamed, copied or
 *  archived, whose generation goes on, or a new one.
 *
 *  The rules, in this order:
 *  1. Same inode, same birth, and the content up to the position is what was read: it goes on.
 *  2. Another inode, but that content, and the file it was read from is gone or was truncated:
 *     it goes on here. Short content must have more for it: a name that extends the old one, or
 *     a truncation, since two short files may well be alike.
 *  3. That content, and the old file is still there: either a copy before the truncation or
 *     another file. It waits until the old one is truncated, or until neither happens.
 *  4. Everything else is a new generation. In doubt a line comes twice rather than never.
 *
 *  The reader goes on meanwhile: it orphans content at any moment. So decisions are taken one at a
 *  time, and a search that found no donor is made again when content was orphaned during it. */
export class Admission {
  private readonly context: InputContext;
  private readonly settings: TailSettings;
  private readonly store: GenerationStore;
  private readonly live: Map<string, TailedFile>;
  private readonly unclaimed = new UnclaimedCheckpoints();
  private readonly candidates = new Map<string, Candidate>();
  private readonly orphans = new Orphans();
  private readonly retired = new RetiredFiles();
  private readonly turns = new OneAtATime();
  private readonly search: DonorSearch;
  /** Counts the files that were not, any more, where they had been found. */
  misplaced = 0;
  /** Counts the files that could not be opened because the system allows fewer than the option. */
  shortages = 0;
  /** Archives whose beginning cannot be read yet: they may be in the making. */
  private readonly unfinished = new Set<string>();
  /** Generations of files that are left alone for their age, by file key. */
  private readonly parked = new Map<string, FileGeneration>();

  /** `live`: the files being read, by key; admitted ones are added. */
  constructor(
    context: InputContext,
    settings: TailSettings,
    store: GenerationStore,
    live: Map<string, TailedFile>,
  ) {
    this.context = context;
    this.settings = settings;
    this.store = store;
    this.live = live;
    const { unclaimed, orphans, candidates } = this;
    const places = { live, unclaimed, orphans, candidates };
    this.search = new DonorSearch(context.clock, settings, places);
  }

  /** Takes up the checkpoints of earlier runs. */
  loadCheckpoints(): void {
    this.unclaimed.load(this.context.sources);
  }

  /** Gives up the checkpoints that no file claimed for a long time. */
  dropStale(): void {
    this.unclaimed.dropStale(this.context.sources, this.context.clock.nowMs());
  }

  /** Paths and keys of files that were not found where they were: perhaps renamed, out of the
   *  patterns, while the agent did not run. */
  missingFiles(): { readonly path: string; readonly key: string }[] {
    return this.unclaimed.files();
  }

  /** A file that was empty when it was found has got its first bytes: decides about it now. True
   *  when it is to be read at once. */
  check(file: TailedFile): Promise<boolean> {
    return this.turns.run(async () => {
      file.isUnchecked = false;
      const facts = file.look();
      const head = await this.readHead(file);
      if (head === undefined) return true;
      const donor = await this.search.find(file, facts, head);
      if (donor === 'wait') {
        this.live.delete(file.key);
        return false;
      }
      if (donor !== undefined) await this.takeUp(file, donor, head, []);
      else file.generation?.peek(head.bytes);
      return true;
    });
  }

  isCandidate(key: string): boolean {
    return this.candidates.has(key);
  }

  /** Files are still waited for: copies whose meaning is not clear yet. */
  get isUndecided(): boolean {
    return this.candidates.size > 0;
  }

  /** Archives that were found are waited for: they are in the making, or damaged. */
  get hasUnfinished(): boolean {
    return this.unfinished.size > 0;
  }

  /** Forgets archives that are not there any more. */
  keepUnfinished(found: ReadonlyMap<string, string>): void {
    for (const key of this.unfinished) if (!found.has(key)) this.unfinished.delete(key);
  }

  renameCandidate(key: string, path: string): void {
    const candidate = this.candidates.get(key);
    if (candidate !== undefined) candidate.file.path = path;
  }

  /** Decides about new files. Returns those to be read now. */
  admit(found: readonly Found[], isStart: boolean): Promise<TailedFile[]> {
    return this.turns.run(async () => {
      const admitted: TailedFile[] = [];
      // A file that stays open can be read after it was deleted; but not all may be.
      const room = this.settings.openFilesMax - this.live.size - this.candidates.size;
      const isMany = found.length > openAtOnce && (found.length > room || this.shortages > 0);
      const rest: Opened[] = [];
      for (const one of found) {
        const opened = await this.open(one);
        if (opened === undefined) continue;
        const { file, facts, head } = opened;
        const known = await this.claimByInode(file, facts, head);
        if (known === undefined) rest.push({ ...opened, ...(await this.recallRetired(opened)) });
        else await this.takeUp(file, known, head, admitted);
        if (isMany) await file.close();
      }
      await this.admitOthers(rest, isStart, isMany, admitted);
      return admitted;
    });
  }

  /** Files that no inode is known of: those that go on elsewhere, wait, or are new. */
  private async admitOthers(
    rest: readonly Opened[],
    isStart: boolean,
    isMany: boolean,
    admitted: TailedFile[],
  ): Promise<void> {
    let fresh: Opened[] = [];
    let beginnings = new Set<string>();
    const beginAll = async () => {
      for (let at = 0; at < fresh.length; at += openAtOnce) {
        const some = fresh.slice(at, at + openAtOnce);
        admitted.push(...(await Promise.all(some.map((one) => this.begin(one, isStart)))));
        if (isMany) for (const { file } of some) await file.close();
      }
      fresh = [];
      beginnings = new Set();
    };
    // A copy is younger than its original.
    for (const opened of [...rest].sort((left, right) => byBirth(left.file, right.file))) {
      const { file, facts, head } = opened;
      if (!file.isOpen && !tryOpen(file)) {
        this.misplaced++;
        continue;
      }
      const beginning = head.bytes.toString('latin1', 0, beginningBytes);
      // It may be a copy of one that is new as well.
      if (beginnings.has(beginning) && !this.search.look(file).isQuiet) await beginAll();
      const donor = await this.search.find(file, facts, head);
      if (donor === 'wait') continue;
      if (donor !== undefined) await this.takeUp(file, donor, head, admitted);
      else {
        fresh.push(opened);
        if (beginning.length > 0) beginnings.add(beginning);
      }
      if (isMany) await file.close();
    }
    await beginAll();
  }

  /** Takes up files known by their inode alone; others are left. */
  claimMoved(found: readonly Found[]): Promise<TailedFile[]> {
    return this.turns.run(async () => {
      const admitted: TailedFile[] = [];
      for (const one of found) {
        const opened = await this.open(one);
        if (opened === undefined) continue;
        const { file, facts, head } = opened;
        const known = await this.claimByInode(file, facts, head);
        if (known === undefined) await file.close();
        else await this.takeUp(file, known, head, admitted);
      }
      return admitted;
    });
  }

  /** Looks again at the files that may be copies. Returns those that were decided. */
  reconsider(): Promise<TailedFile[]> {
    return this.turns.run(async () => {
      const admitted: TailedFile[] = [];
      for (const candidate of [...this.candidates.values()]) {
        const { file } = candidate;
        const seen = file.isOpen ? this.search.look(file) : undefined;
        if (seen === undefined || (seen.facts.links === 0 && seen.facts.size === 0)) {
          this.candidates.delete(file.key);
          await file.close();
          continue;
        }
        const { facts } = seen;
        const head = (await this.readHead(file)) ?? new HeadPrints(Buffer.alloc(0));
        const decision = await this.search.decide(candidate, seen, head);
        if (decision !== 'wait') await this.carryOut(decision, { file, facts, head }, admitted);
      }
      return admitted;
    });
  }

  /** Does with a candidate what was decided. */
  private async carryOut(
    decision: Exclude<Decision, 'wait'>,
    one: Omit<Opened, 'position'>,
    admitted: TailedFile[],
  ): Promise<void> {
    const { file, facts, head } = one;
    this.candidates.delete(file.key);
    if ('generation' in decision && this.orphans.take(decision)) {
      return this.takeUp(file, decision.generation, head, admitted);
    }
    const position = 'position' in decision ? decision.position : undefined;
    // No copy of that content: it may be one of another.
    const donor = position === undefined ? await this.search.find(file, facts, head) : undefined;
    if (donor === 'wait') return;
    if (donor !== undefined) await this.takeUp(file, donor, head, admitted);
    else admitted.push(await this.begin({ ...one, position }, false));
  }

  /** Content whose file has none of it any more. A copy may take it over within a while. */
  orphan(generation: FileGeneration, unreadBytes: number): void {
    generation.detach();
    this.orphans.add(generation, unreadBytes, this.context.clock.monotonicMs());
  }

  /** A look at all directories is over. */
  lookEnded(): void {
    this.orphans.lookEnded();
  }

  /** Remembers a file that is closed though it still exists. */
  retire(file: TailedFile): void {
    this.retired.add(file);
  }

  /** Keeps the generation of a file that is left alone, until the file changes again. */
  park(file: TailedFile): void {
    const { generation } = file;
    if (generation === undefined) return;
    generation.detach();
    this.parked.set(file.key, generation);
  }

  /** True when a new file may be a copy of this content. */
  isAwaited(generation: FileGeneration): boolean {
    for (const candidate of this.candidates.values()) {
      if (candidate.generation === generation) return true;
    }
    return false;
  }

  /** Orphans that nobody took over in time; `all`: whatever their age. */
  expired(all: boolean): Orphan[] {
    const now = this.context.clock.monotonicMs();
    const waitMs = this.settings.rotateWaitMs + this.settings.refreshMs;
    return [...this.orphans].filter(
      (orphan) =>
        all || (this.orphans.isOverdue(orphan, now, waitMs) && !this.isAwaited(orphan.generation)),
    );
  }

  /** Gives an orphan up; false when a copy has taken it over, or waits to. */
  giveUp(orphan: Orphan, all: boolean): boolean {
    if (!all && this.isAwaited(orphan.generation)) return false;
    return this.orphans.take(orphan);
  }

  async close(): Promise<void> {
    for (const { file, generation } of this.candidates.values()) {
      // The one that it got while it was empty.
      if (file.generation !== generation) file.generation?.source.close();
      await file.close();
    }
    this.candidates.clear();
    for (const { generation } of this.orphans) generation.source.close();
    for (const generation of this.parked.values()) generation.source.close();
    this.parked.clear();
    this.orphans.clear();
  }

  private async open(found: Found): Promise<Opened | undefined> {
    const { path, facts: expected, position } = found;
    const file = new TailedFile(path, expected, path.endsWith('.gz'));
    try {
      const facts = file.open();
      // Another file has the name by now: the next look finds that one.
      if (facts.key !== expected.key) this.misplaced++;
      const head = facts.key === expected.key ? await this.readHead(file) : undefined;
      if (head !== undefined) this.unfinished.delete(facts.key);
      else if (facts.key === expected.key) this.unfinished.add(facts.key);
      if (head !== undefined) return { file, facts, head, position };
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EMFILE' || code === 'ENFILE') this.shortages++;
      if (code === 'ENOENT') this.misplaced++;
      else {
        this.context.log.warn({ path, error: code ?? String(error) }, 'Cannot open a file.');
      }
    }
    await file.close();
    return undefined;
  }

  /** The first bytes of the content; undefined for an archive that is not whole yet. */
  private async readHead(file: TailedFile): Promise<HeadPrints | undefined> {
    if (!file.isGzip) return headOf(file);
    const bytes = Buffer.alloc(headBytesMax);
    try {
      const read = await file.content().read(bytes, 0, headBytesMax, 0);
      return new HeadPrints(bytes.subarray(0, read));
    } catch (error) {
      if (!(error instanceof GzipDamageError)) throw error;
      file.content().restart();
      // What does not begin as an archive will not become one.
      return !error.endsEarly || this.search.look(file).isQuiet
        ? new HeadPrints(Buffer.alloc(0))
        : undefined;
    }
  }

  /** Rule 1. */
  private async claimByInode(
    file: TailedFile,
    facts: FileFacts,
    head: HeadPrints,
  ): Promise<Donor | undefined> {
    const parked = this.parked.get(facts.key);
    if (parked !== undefined) {
      this.parked.delete(facts.key);
      const relation = await relate(file, facts, head, liveIdentity(parked));
      if (relation === 'same') return parked;
      this.store.end(parked);
    }
    for (const one of this.unclaimed.ofFile(facts.key)) {
      const isSame =
        !isOtherBirth(one.identity.birth, facts, file.path) &&
        (await relate(file, facts, head, one.identity)) === 'same' &&
        (file.isGzip || furthestPosition(one.checkpoint) <= facts.size);
      if (isSame) return one;
      one.isReplaced = true;
    }
    return undefined;
  }

  /** Where reading a file goes on that was closed though it still existed. */
  private async recallRetired({ file, facts, head }: Opened): Promise<{ position?: number }> {
    const retired = this.retired.take(facts.key);
    if (retired === undefined || isOtherBirth(retired.birth, facts, file.path)) return {};
    const { known } = retired;
    return (await relate(file, facts, head, known)) === 'same' ? { position: known.position } : {};
  }

  /** Goes on in this file with what a checkpoint or another file has. */
  private async takeUp(
    file: TailedFile,
    donor: Donor,
    head: HeadPrints,
    admitted: TailedFile[],
  ): Promise<void> {
    if (!file.isOpen && !tryOpen(file)) return;
    const own = file.generation;
    const prepare = (generation: FileGeneration) => this.recall(file, generation, head);
    if (donor instanceof FileGeneration) await prepare(donor);
    else {
      this.unclaimed.delete(donor);
      await this.store.resume(donor, prepare);
    }
    // The one that it got while it was empty.
    if (own !== undefined) this.store.end(own);
    this.live.set(file.key, file);
    admitted.push(file);
  }

  private async begin(one: Opened, isStart: boolean): Promise<TailedFile> {
    const { file, facts, head } = one;
    file.isUnchecked = facts.size === 0;
    if (file.generation !== undefined) {
      // The one that it got while it was empty.
      if (one.position === undefined || one.position === 0) {
        this.live.set(file.key, file);
        return file;
      }
      this.store.end(file.generation);
    }
    const fromHead = isStart ? this.settings.readFromHead : this.settings.readNewFromHead;
    if (!fromHead && file.isGzip) file.isFinished = true;
    const end = file.isGzip ? 0 : facts.size;
    const position = Math.min(end, one.position ?? (fromHead ? 0 : end));
    try {
      await this.store.begin(file.path, position, (generation) =>
        this.recall(file, generation, head),
      );
    } catch (error) {
      await file.close();
      throw error;
    }
    this.live.set(file.key, file);
    return file;
  }

  /** Puts a generation into a file, with what reading up to the position would have left behind. */
  private async recall(
    file: TailedFile,
    generation: FileGeneration,
    head: HeadPrints,
  ): Promise<void> {
    const { position } = generation;
    generation.attach(file);
    file.isReady = true;
    generation.seenEnd = position;
    generation.searchedTo = position;
    // An archive does not grow: all of its head belongs to it from the start.
    if (file.isGzip) generation.learnHead(head.bytes, headBytesMax);
    else generation.peek(head.bytes);
    if (position === 0) return;
    generation.learnHead(head.bytes, position);
    generation.encoding ??= this.settings.encoding ?? markedEncoding(head.bytes);
    const length = Math.min(beforeBytesMax, position);
    if (!file.isOpen && !tryOpen(file)) return;
    const read = file.isGzip
      ? await file.content().read(generation.before, 0, length, position - length)
      : file.readNow(generation.before, length, position - length);
    generation.beforeLength = read === length ? length : 0;
  }
}

/** Opens a file that was closed meanwhile; false when its name stands for another one by now. */
function tryOpen(file: TailedFile): boolean {
  try {
    return file.open().key === file.key;
  } catch {
    return false;
  }
}

function markedEncoding(head: Buffer): TextEncoding {
  return byteOrderMark(head, 0, head.length)?.encoding ?? utf8;
}
