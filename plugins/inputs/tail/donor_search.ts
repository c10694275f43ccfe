import type { InputContext } from '../../../core/sdk/index.ts';
import { headBytesMax, HeadPrints } from './content_print.ts';
import {
  beginsAlike,
  beginsLikePeeked,
  isIntact,
  isRelatedName,
  liveIdentity,
  peekAt,
  type Relation,
  readInCopy,
  relate,
} from './content_relation.ts';
import type { FileFacts } from '../../shared/file_finder/file_facts.ts';
import type { FileGeneration } from './file_generation.ts';
import type { Orphan, Orphans } from './orphans.ts';
import type { TailedFile } from './tailed_file.ts';
import type { TailSettings } from './tail_settings.ts';
import type { Unclaimed, UnclaimedCheckpoints } from './unclaimed_checkpoints.ts';

/** What goes on in a new file: content of an earlier run, or of this one. */
export type Donor = Unclaimed | FileGeneration;

/** A new file that looks like a copy of one that is being read. */
export interface Candidate {
  readonly file: TailedFile;
  readonly generation: FileGeneration;
}

/** What became of a candidate: it goes on with a generation, begins at a position, or waits. */
export type Decision = Orphan | { readonly position: number | undefined } | 'wait';

/** What a file is, and whether it has not changed for so long that nobody is writing a copy. */
export interface Seen {
  readonly facts: FileFacts;
  readonly isQuiet: boolean;
}

/** What the search goes through; shared with the admission. */
export interface SearchPlaces {
  /** The files being read, by key. */
  readonly live: ReadonlyMap<string, TailedFile>;
  readonly unclaimed: UnclaimedCheckpoints;
  readonly orphans: Orphans;
  /** Files that wait, by key; those that are to wait are added. */
  readonly candidates: Map<string, Candidate>;
}

/** Content this long is not alike by chance. */
const evidenceBytes = 256;

/** Finds the content that a new file goes on with: rules 2 and 3 of the admission. */
export class DonorSearch {
  private readonly clock: InputContext['clock'];
  private readonly settings: TailSettings;
  private readonly places: SearchPlaces;

  constructor(clock: InputContext['clock'], settings: TailSettings, places: SearchPlaces) {
    this.clock = clock;
    this.settings = settings;
    this.places = places;
  }

  /** The donor of a file; `wait` when that is not clear yet: then it is a candidate. */
  async find(
    file: TailedFile,
    seenFacts: FileFacts,
    seenHead: HeadPrints,
  ): Promise<Donor | 'wait' | undefined> {
    for (;;) {
      const { additions } = this.places.orphans;
      // A copy may have been half written when it was opened. It is whole before its original is
      // truncated: who looks now does not take it for less than an orphan known by now.
      const seen = this.look(file);
      const { facts } = seen;
      const isGrown = !file.isGzip && facts.size !== seenFacts.size;
      const head = isGrown ? headOf(file) : seenHead;
      const donor =
        (await this.unclaimedDonor(file, facts, head)) ??
        (await this.orphanedDonor(file, facts, head)) ??
        (await this.liveDonor(file, seen, head));
      if (donor !== undefined || additions === this.places.orphans.additions) return donor;
    }
  }

  private async unclaimedDonor(
    file: TailedFile,
    facts: FileFacts,
    head: HeadPrints,
  ): Promise<Donor | undefined> {
    for (const one of this.places.unclaimed.beginningLike(head)) {
      const { identity } = one;
      const isExtended = file.path !== identity.path && isRelatedName(file.path, identity.path);
      if (identity.position < evidenceBytes && !isExtended && !one.isReplaced) continue;
      if (identity.position < evidenceBytes && file.path === identity.path) continue;
      if ((await relate(file, facts, head, identity)) === 'same') return one;
    }
    return undefined;
  }

  private async orphanedDonor(
    file: TailedFile,
    facts: FileFacts,
    head: HeadPrints,
  ): Promise<Donor | 'wait' | undefined> {
    for (const orphan of this.places.orphans) {
      const { generation } = orphan;
      const { position, path } = generation;
      if (position > 0 && position < evidenceBytes && !isRelatedName(file.path, path)) continue;
      const relation = await this.relation(file, facts, head, generation);
      if (relation === 'same' && this.places.orphans.take(orphan)) return generation;
      const isPart = relation === 'shorter' && readInCopy(file, facts, generation) !== undefined;
      if (!isPart) continue;
      this.places.candidates.set(file.key, { file, generation });
      return 'wait';
    }
    return undefined;
  }

  private async liveDonor(
    file: TailedFile,
    { facts, isQuiet }: Seen,
    head: HeadPrints,
  ): Promise<'wait' | undefined> {
    for (const donor of this.places.live.values()) {
      const { generation } = donor;
      if (generation === undefined || donor === file) continue;
      const isShort = generation.position < evidenceBytes;
      if (isShort && !isRelatedName(file.path, donor.path)) continue;
      // Of two that were not read yet the older one is the original.
      if (generation.position === 0 && byBirth(donor, file) >= 0) continue;
      peekAt(donor, generation);
      if (generation.position > 0 && !beginsAlike(file, head, donor, generation)) continue;
      const relation = await this.relation(file, facts, head, generation);
      if (relation !== 'other' && this.wait(file, isQuiet, generation)) return 'wait';
    }
    return undefined;
  }

  /** How a file relates to what was read of a generation, or was seen if nothing was read yet. */
  private async relation(
    file: TailedFile,
    facts: FileFacts,
    head: HeadPrints,
    generation: FileGeneration,
  ): Promise<Relation> {
    if (generation.position > 0) return relate(file, facts, head, liveIdentity(generation));
    // The first bytes are just being read: they may be those of the file before its truncation.
    if (generation.file?.isBusy === true) return 'shorter';
    return beginsLikePeeked(head.bytes, generation.peeked) ? 'same' : 'other';
  }

  /** Lets a file wait, unless it has not changed for so long that it is no copy in the making. */
  private wait(file: TailedFile, isQuiet: boolean, generation: FileGeneration): boolean {
    const donor = generation.file;
    if (isQuiet && donor?.presence === 'here' && isIntact(donor)) return false;
    this.places.candidates.set(file.key, { file, generation });
    return true;
  }

  /** Looks at an open file. */
  look(file: TailedFile): Seen {
    // Before the look: a process that stalls in between must not take what is new for old.
    const nowMs = this.clock.nowMs();
    const facts = file.look();
    const changedMs = Math.max(facts.modifiedMs, facts.changedMs);
    return { facts, isQuiet: nowMs - changedMs >= this.settings.rotateWaitMs };
  }

  /** What a candidate is by now. */
  async decide(
    { file, generation }: Candidate,
    { facts, isQuiet }: Seen,
    head: HeadPrints,
  ): Promise<Decision> {
    const relation = await this.relation(file, facts, head, generation);
    // Looked up behind the wait: the reader may have orphaned it just now.
    const orphan = this.places.orphans.of(generation);
    if (relation === 'same' && orphan !== undefined) return orphan;
    if (relation === 'other') return { position: undefined };
    if (!isQuiet) return 'wait';
    const donor = generation.file;
    if (donor !== undefined && (donor.presence === 'away' || !isIntact(donor))) return 'wait';
    // Lines that came behind the copy were read before the truncation: it has none to add.
    const position = orphan === undefined ? undefined : readInCopy(file, facts, generation);
    return { position };
  }
}

/** Oldest first; of two as old the one whose name the other's extends. */
export function byBirth(left: TailedFile, right: TailedFile): number {
  const difference = BigInt(left.birth || 0) - BigInt(right.birth || 0);
  if (left.birth === '' || right.birth === '' || difference === 0n) {
    return left.path.length - right.path.length;
  }
  return difference < 0n ? -1 : 1;
}

/** The first bytes of a file that is no archive. */
export function headOf(file: TailedFile): HeadPrints {
  const bytes = Buffer.alloc(headBytesMax);
  return new HeadPrints(bytes.subarray(0, file.readNow(bytes, headBytesMax, 0)));
}
