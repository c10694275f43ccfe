import type { OpenSource } from '../../../core/sdk/index.ts';
import type { FileFacts } from '../../shared/file_finder/file_facts.ts';
import type { FileScan } from './file_scan.ts';
import { keyOf, type StoredIdentity } from './positions.ts';

/** What is remembered of a chunk, to know the log again. */
export interface ChunkMemory {
  readonly print: string;
  lastId: number;
}

/** One log: the file at a path, and how far it was read.
 *
 *  Invariants: everything before `position` was emitted or is counted; `sentPosition <= position`. */
export class LogFile {
  path: string;
  facts: FileFacts;
  readonly tag: string;
  checkpointKey = '';
  /** Undefined until the file was first found to be a log. */
  source: OpenSource | undefined;
  position = 0;
  sentPosition = 0;
  /** Id that the next chunk begins with if nothing is missing; 0 where that is not known. */
  nextId = 0;
  /** It has, or may have, something to read. */
  isReady = true;
  /** It was there at the start. */
  readonly isFirst: boolean;
  /** Its name is gone. */
  isGone = false;
  /** The newest chunk is not whole: perhaps it is being written. */
  isWaiting = false;
  /** Nothing has changed since the last look. */
  isQuiet = false;
  /** What is left of a look at the headers. */
  scan: FileScan | undefined;
  scanAt = 0;
  /** Members that every record of the file gets, each with a comma in front. */
  members: Buffer = Buffer.alloc(0);
  slackMembers: Buffer = Buffer.alloc(0);
  /** Prints of damaged places that were reported, by the chunk's number. */
  readonly reported = new Map<number, number>();
  /** Of the chunks that are not settled yet, by key. */
  private readonly memories = new Map<number, ChunkMemory>();

  constructor(path: string, facts: FileFacts, tag: string, isFirst: boolean) {
    this.path = path;
    this.facts = facts;
    this.tag = tag;
    this.isFirst = isFirst;
  }

  /** `pathKey`: the field that the path goes to. */
  setMembers(pathKey: string | undefined): void {
    const path =
      pathKey === undefined ? '' : `,${JSON.stringify(pathKey)}:${JSON.stringify(this.path)}`;
    this.members = Buffer.from(path);
    this.slackMembers = Buffer.from(`,"Slack":true${path}`);
  }

  memory(key: number): ChunkMemory | undefined {
    return this.memories.get(key);
  }

  remember(key: number, memory: ChunkMemory): void {
    this.memories.set(key, memory);
  }

  /** Forgets chunks before the one at `position`: no checkpoint will speak of them. */
  settle(position: number): void {
    const first = keyOf(position);
    for (const key of this.memories.keys()) {
      if (key >= first) break;
      this.memories.delete(key);
    }
  }

  /** What a checkpoint at `position` says of the log. */
  identify(position: number): StoredIdentity {
    const memory = this.memories.get(keyOf(position));
    return {
      path: this.path,
      file: this.facts.key,
      position,
      print: memory?.print ?? '',
      lastId: memory?.lastId ?? 0,
    };
  }

  /** Another log has the name now: everything of the one before is forgotten. */
  startAnew(): void {
    this.source = undefined;
    this.position = 0;
    this.sentPosition = 0;
    this.nextId = 0;
    this.reported.clear();
    this.memories.clear();
  }

  get isSettled(): boolean {
    return this.source === undefined || this.source.settledPosition() >= this.sentPosition;
  }
}
