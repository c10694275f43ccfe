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
import { beginsAlike, isIntact, isRelatedName, liveIdentity, relate } from './content_relation.ts';
import type { GenerationStore } from './generation_store.ts';
import { furthestPosition, type Unclaimed, UnclaimedCheckpoints } from './unclaimed_checkpoints.ts';
import { TailedFile } from './tailed_file.ts';
import type { TailSettings } from './tail_settings.ts';

/** Content whose file was truncated, or deleted after it was read: a copy may turn up. */
export interface Orphan {
  readonly generation: FileGeneration;
  readonly sinceMs: number;
  /** Bytes that were there and had not been consumed. */
  readonly unreadBytes: number;
}

type Donor = Unclaimed | FileGeneration;

/** A new file that looks like a copy of one that is being read. */
interface Candidate {
  readonly file: TailedFile;
  readonly generation: FileGeneration;
}

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

/** Content this long is not alike by chance. */
const evidenceBytes = 256;
const openAtOnce = 32;

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
 *  4. Everything else is a new generation. In doubt a line comes twice rather than never. */
export class Admission {
  private readonly context: InputContext;
  private readonly settings: TailSettings;
  private readonly store: GenerationStore;
  private readonly live: Map<string, TailedFile>;
  private readonly unclaimed = new UnclaimedCheckpoints();
  private readonly candidates = new Map<string, Candidate>();
  private readonly orphans = new Set<Orphan>();
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
  async check(file: TailedFile): Promise<boolean> {
    file.isUnchecked = false;
    const facts = file.look();
    const head = await this.readHead(file, facts);
    if (head === undefined) return true;
    const donor = await this.findDonor(file, facts, head);
    if (donor === undefined) return true;
    this.live.delete(file.key);
    if (donor !== 'wait') await this.takeUp(file, donor, head, []);
    return donor !== 'wait';
  }

  isCandidate(key: string): boolean {
    return this.candidates.has(key);
  }

  /** Files are still waited for: copies whose meaning is not clear yet. */
  get isUndecided(): boolean {
    return this.candidates.size > 0;
  }

  renameCandidate(key: string, path: string): void {
    const candidate = this.candidates.get(key);
    if (candidate !== undefined) candidate.file.path = path;
  }

  /** Decides about new files. Returns those to be read now. */
  async admit(found: readonly Found[], isStart: boolean): Promise<TailedFile[]> {
    const admitted: TailedFile[] = [];
    // Thousands of files at once must not all be open.
    const isMany = found.length > openAtOnce;
    const rest: Opened[] = [];
    for (const one of found) {
      const opened = await this.open(one);
      if (opened === undefined) continue;
      const { file, facts, head } = opened;
      const known = await this.claimByInode(file, facts, head);
      if (known === undefined) rest.push(opened);
      else await this.takeUp(file, known, head, admitted);
      if (isMany) await file.close();
    }
    const fresh: Opened[] = [];
    for (const opened of rest) {
      const { file, facts, head } = opened;
      if (!file.isOpen && !tryOpen(file)) continue;
      const donor = await this.findDonor(file, facts, head);
      if (donor === 'wait') continue;
      if (donor === undefined) fresh.push(opened);
      else await this.takeUp(file, donor, head, admitted);
      if (isMany) await file.close();
    }
    for (let at = 0; at < fresh.length; at += openAtOnce) {
      const some = fresh.slice(at, at + openAtOnce);
      const made = await Promise.all(some.map((one) => this.begin(one, isStart)));
      admitted.push(...made);
      if (isMany) for (const { file } of some) await file.close();
    }
    return admitted;
  }

  /** Takes up files known by their inode alone; others are left. */
  async claimMoved(found: readonly Found[]): Promise<TailedFile[]> {
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
  }

  /** Looks again at the files that may be copies. Returns those that were decided. */
  async reconsider(): Promise<TailedFile[]> {
    const admitted: TailedFile[] = [];
    for (const [key, candidate] of [...this.candidates]) {
      const { file, generation } = candidate;
      const facts = look(file);
      if (facts === undefined || facts.links === 0) {
        this.candidates.delete(key);
        await file.close();
        continue;
      }
      const head = await this.readHead(file, facts);
      const relation =
        head === undefined ? 'shorter' : await relate(file, facts, head, liveIdentity(generation));
      const orphan = [...this.orphans].find((one) => one.generation === generation);
      const isSettledDown =
        this.context.clock.nowMs() - lastChange(facts) >= this.settings.rotateWaitMs;
      if (relation === 'same' && orphan !== undefined) {
        this.candidates.delete(key);
        this.orphans.delete(orphan);
        await this.takeUp(file, generation, head!, admitted);
        continue;
      }
      const donor = generation.file;
      const isOpenQuestion =
        relation !== 'other' &&
        (!isSettledDown ||
          (donor !== undefined && (donor.presence === 'away' || !isIntact(donor))));
      if (isOpenQuestion) continue;
      this.candidates.delete(key);
      admitted.push(
        await this.begin(
          { file, facts, head: head ?? new HeadPrints(Buffer.alloc(0)), position: undefined },
          false,
        ),
      );
    }
    return admitted;
  }

  /** Content whose file has none of it any more. A copy may take it over within a while. */
  orphan(generation: FileGeneration, unreadBytes: number): void {
    generation.detach();
    this.orphans.add({ generation, sinceMs: this.context.clock.monotonicMs(), unreadBytes });
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
    const gone: Orphan[] = [];
    for (const orphan of this.orphans) {
      if (!all && (now - orphan.sinceMs < waitMs || this.isAwaited(orphan.generation))) continue;
      this.orphans.delete(orphan);
      gone.push(orphan);
    }
    return gone;
  }

  async close(): Promise<void> {
    for (const { file } of this.candidates.values()) await file.close();
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
      const head = facts.key === expected.key ? await this.readHead(file, facts) : undefined;
      if (head !== undefined) return { file, facts, head, position };
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT') {
        this.context.log.warn({ path, error: code ?? String(error) }, 'Cannot open a file.');
      }
    }
    await file.close();
    return undefined;
  }

  /** The first bytes of the content; undefined for an archive that is not whole yet. */
  private async readHead(file: TailedFile, facts: FileFacts): Promise<HeadPrints | undefined> {
    const bytes = Buffer.alloc(headBytesMax);
    if (!file.isGzip) {
      const read = file.readNow(bytes, Math.min(headBytesMax, facts.size), 0);
      return new HeadPrints(bytes.subarray(0, read));
    }
    try {
      const read = await file.content().read(bytes, 0, headBytesMax, 0);
      return new HeadPrints(bytes.subarray(0, read));
    } catch (error) {
      if (!(error instanceof GzipDamageError)) throw error;
      file.content().restart();
      const isOld = this.context.clock.nowMs() - lastChange(facts) >= this.settings.rotateWaitMs;
      return isOld ? new HeadPrints(Buffer.alloc(0)) : undefined;
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

  /** Rules 2 and 3. */
  private async findDonor(
    file: TailedFile,
    facts: FileFacts,
    head: HeadPrints,
  ): Promise<Donor | 'wait' | undefined> {
    for (const one of this.unclaimed.beginningLike(head)) {
      const { identity } = one;
      const isExtended = file.path !== identity.path && isRelatedName(file.path, identity.path);
      if (identity.position < evidenceBytes && !isExtended && !one.isReplaced) continue;
      if (identity.position < evidenceBytes && file.path === identity.path) continue;
      if ((await relate(file, facts, head, identity)) === 'same') return one;
    }
    for (const orphan of this.orphans) {
      const { position, path } = orphan.generation;
      if (position === 0) continue;
      if (position < evidenceBytes && !isRelatedName(file.path, path)) continue;
      const relation = await relate(file, facts, head, liveIdentity(orphan.generation));
      if (relation === 'same') {
        this.orphans.delete(orphan);
        return orphan.generation;
      }
    }
    for (const donor of this.live.values()) {
      const { generation } = donor;
      if (generation === undefined || generation.position === 0 || donor === file) continue;
      const isShort = generation.position < evidenceBytes;
      if (isShort && !isRelatedName(file.path, donor.path)) continue;
      if (!beginsAlike(file, head, donor, generation)) continue;
      const relation = await relate(file, facts, head, liveIdentity(generation));
      if (relation !== 'other') {
        const decision = this.wait(file, facts, generation);
        if (decision !== undefined) return decision;
      }
    }
    return undefined;
  }

  /** Lets a file wait, unless it has not changed for so long that it is no copy in the making. */
  private wait(file: TailedFile, facts: FileFacts, generation: FileGeneration): 'wait' | undefined {
    const donor = generation.file;
    const isOld = this.context.clock.nowMs() - lastChange(facts) >= this.settings.rotateWaitMs;
    if (isOld && donor?.presence === 'here' && isIntact(donor)) return undefined;
    this.candidates.set(file.key, { file, generation });
    return 'wait';
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
      this.live.set(file.key, file);
      return file;
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

function lastChange(facts: FileFacts): number {
  return Math.max(facts.modifiedMs, facts.changedMs);
}

function look(file: TailedFile): FileFacts | undefined {
  return file.isOpen ? file.look() : undefined;
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
