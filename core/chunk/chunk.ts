import { randomBytes } from 'node:crypto';
import type { Batch } from '../batch/batch.ts';
import { ByteWriter } from '../batch/byte_writer.ts';
import type { Source } from '../batch/source.ts';
import { gather } from './gather.ts';

/** Where a record of a chunk came from. */
export interface RecordOrigin {
  readonly source: string;
  readonly generation: string;
  readonly offset: number;
  readonly part: number;
  readonly tag: string;
  readonly seconds: number;
  readonly nanos: number;
}

/** The records of a chunk that share a destination within the output: an index, a label set, a
 *  table, a file. Most outputs have one section, with the key ''. */
export interface ChunkSection {
  readonly key: string;
  readonly writer: ByteWriter;
  /** End of each record in the section's bytes. */
  ends: Int32Array;
  /** Position of each record in the order in which the chunk took them. */
  records: Int32Array;
  count: number;
}

/** Encoded records on their way to one output: the unit that is stored, sent, retried and
 *  acknowledged. Its bytes never change once it is sealed, so every try sends the same. */
export class Chunk {
  readonly id: string;
  readonly outputId: string;
  readonly sections: ChunkSection[] = [];
  count = 0;
  bytes = 0;
  /** When the first record came, in the clock's monotonic milliseconds. */
  openedAtMs = 0;
  attempts = 0;
  /** By source generation: every record of this output below that position is in this chunk or
   *  in one before it. */
  covered: Record<string, number> = {};

  private readonly byKey = new Map<string, ChunkSection>();
  private lastSection: ChunkSection | undefined;
  private readonly sources: { name: string; generation: string }[] = [];
  /** Those of `sources` that cannot give their records again. */
  private readonly passing = new Set<number>();
  private readonly tags: string[] = [];
  /** Places in those two. */
  private readonly sourceNumbers = new Map<string, number>();
  private readonly tagNumbers = new Map<string, number>();
  private offsets: Float64Array;
  private seconds: Float64Array;
  private nanos: Int32Array;
  private parts: Int32Array;
  private sourceOf: Uint16Array;
  private tagOf: Uint16Array;
  private spare: ChunkSection | undefined;
  /** Where the first section's bytes go, as long as they fit. */
  area: Buffer | undefined;

  private readonly expectedBytes: number;

  /** `from`, a settled chunk, gives its arrays to this one and must not be used again.
   *  `expectedBytes` is the size at which it will be sealed, `area` memory for that much. */
  constructor(
    outputId: string,
    id = randomBytes(16).toString('hex'),
    from?: Chunk,
    expectedBytes = 0,
    area?: Buffer,
  ) {
    this.expectedBytes = expectedBytes;
    this.area = area;
    this.outputId = outputId;
    this.id = id;
    this.offsets = from?.offsets ?? new Float64Array(256);
    this.seconds = from?.seconds ?? new Float64Array(256);
    this.nanos = from?.nanos ?? new Int32Array(256);
    this.parts = from?.parts ?? new Int32Array(256);
    this.sourceOf = from?.sourceOf ?? new Uint16Array(256);
    this.tagOf = from?.tagOf ?? new Uint16Array(256);
    this.spare = from?.sections[0];
  }

  /** True when the tables that a record's origin refers to have no place for another. */
  get originsFull(): boolean {
    return this.sources.length >= 65000 || this.tags.length >= 65000;
  }

  hasSection(key: string): boolean {
    return this.byKey.has(key);
  }

  /** Adds a run of encoded records: record k ends at `ends[k]` and begins where the one before
   *  ended (the first at `start`); `events[k]` is its index in the batch. */
  appendRun(key: string, run: OriginRun): void {
    // hot path
    const section = this.section(key);
    const base = section.writer.length - run.start;
    const end = run.ends[run.count - 1]!;
    if (isAtEnd(section.writer, run)) section.writer.length += end - run.start;
    else if (run.copy === undefined) section.writer.bytes(run.bytes, run.start, end);
    else {
      const at = section.writer.skip(end - run.start);
      run.copy(run.bytes.subarray(run.start, end), section.writer.buffer, at);
    }
    if (section.count + run.count > section.ends.length) growSection(section, run.count);
    if (this.count + run.count > this.offsets.length) this.growOrigins(run.count);
    const source = this.sourceIndex(run.batch.source);
    const first = this.count;
    const { batch, events, count } = run;
    gather(batch.offset, events, count, this.offsets, first);
    gather(batch.seconds, events, count, this.seconds, first);
    gather(batch.part, events, count, this.parts, first);
    gather(batch.nanos, events, count, this.nanos, first);
    placeEnds(section, run, base, first);
    this.count += count;
    section.count += count;
    this.sourceOf.fill(source, first, this.count);
    this.placeTags(run, first);
    this.bytes += run.ends[run.count - 1]! - run.start;
  }

  /** Where the section's next record may be encoded: `position` of the area that the chunk was given,
   *  behind its last one. Undefined when the section's bytes are elsewhere. */
  positionInArea(key: string): number | undefined {
    const { writer } = this.section(key);
    return writer.buffer === this.area ? writer.length : undefined;
  }

  /** Gives up the area that the chunk was given: its records must not be used again. */
  takeArea(): Buffer | undefined {
    const area = this.area;
    this.area = undefined;
    for (const { writer } of area === undefined ? [] : this.sections) {
      if (writer.buffer.buffer === area!.buffer) writer.forget();
    }
    return area;
  }

  private placeTags(run: OriginRun, first: number): void {
    // hot path
    const { tagNames, tag } = run.batch;
    if (tagNames.length === 1) {
      this.tagOf.fill(this.tagIndex(tagNames[0]!), first, this.count);
      return;
    }
    for (let k = 0; k < run.count; k++) {
      this.tagOf[first + k] = this.tagIndex(tagNames[tag[run.events[k]!]!]!);
    }
  }

  /** Adds one record whose origin is already known (from the disk, or a subset). */
  appendRecord(key: string, record: Buffer, origin: RecordOrigin): void {
    const section = this.section(key);
    section.writer.bytes(record);
    if (section.count === section.ends.length) growSection(section, 1);
    if (this.count === this.offsets.length) this.growOrigins(1);
    const index = this.count++;
    section.ends[section.count] = section.writer.length;
    section.records[section.count++] = index;
    this.offsets[index] = origin.offset;
    this.parts[index] = origin.part;
    this.seconds[index] = origin.seconds;
    this.nanos[index] = origin.nanos;
    this.sourceOf[index] = this.sourceEntry(origin.source, origin.generation);
    this.tagOf[index] = this.tagIndex(origin.tag);
    this.bytes += record.length;
  }

  /** The bytes of the only section, or of all in order. */
  body(): Buffer {
    if (this.sections.length === 1) return this.sections[0]!.writer.view();
    return Buffer.concat(this.sections.map((section) => section.writer.view()));
  }

  /** Bytes of one record, in section order: `index` counts through the sections as they stand. */
  recordAt(index: number): Buffer {
    const { section, at } = this.place(index);
    const start = at === 0 ? 0 : section.ends[at - 1]!;
    return section.writer.buffer.subarray(start, section.ends[at]!);
  }

  sectionOf(index: number): string {
    return this.place(index).section.key;
  }

  originAt(index: number): RecordOrigin {
    const { section, at } = this.place(index);
    const record = section.records[at]!;
    const source = this.sources[this.sourceOf[record]!]!;
    return {
      source: source.name,
      generation: source.generation,
      offset: this.offsets[record]!,
      part: this.parts[record]!,
      tag: this.tags[this.tagOf[record]!]!,
      seconds: this.seconds[record]!,
      nanos: this.nanos[record]!,
    };
  }

  /** A chunk of the records at `indices` (section order, ascending). Its id names the range, so
   *  that a destination can tell it from the whole. */
  subset(indices: readonly number[]): Chunk {
    const chunk = new Chunk(this.outputId, `${this.id}.${rangeName(indices)}`);
    for (const index of indices) {
      chunk.appendRecord(this.sectionOf(index), this.recordAt(index), this.originAt(index));
    }
    for (const index of this.passing) {
      const { generation } = this.sources[index]!;
      const there = chunk.sources.findIndex((source) => source.generation === generation);
      if (there >= 0) chunk.passing.add(there);
    }
    chunk.openedAtMs = this.openedAtMs;
    chunk.attempts = this.attempts;
    return chunk;
  }

  private place(index: number): { section: ChunkSection; at: number } {
    let at = index;
    for (const section of this.sections) {
      if (at < section.count) return { section, at };
      at -= section.count;
    }
    throw new RangeError(`record ${index} of ${this.count}`);
  }

  private section(key: string): ChunkSection {
    if (this.lastSection?.key === key) return this.lastSection;
    let section = this.byKey.get(key);
    if (section === undefined) {
      const spare = this.spare;
      this.spare = undefined;
      section = {
        key,
        writer: this.newWriter(spare?.writer),
        ends: spare?.ends ?? new Int32Array(64),
        records: spare?.records ?? new Int32Array(64),
        count: 0,
      };
      this.sections.push(section);
      this.byKey.set(key, section);
    }
    this.lastSection = section;
    return section;
  }

  private newWriter(spare: ByteWriter | undefined): ByteWriter {
    if (this.sections.length > 0) return new ByteWriter(1024);
    if (this.area !== undefined) return ByteWriter.over(this.area, this.expectedBytes);
    if (spare === undefined) return new ByteWriter(64 * 1024, this.expectedBytes);
    spare.clear();
    return spare;
  }

  /** Records that would be gone with this chunk: nobody can give them again. */
  countUnrepeatable(): number {
    if (this.passing.size === 0) return 0;
    let count = 0;
    for (let k = 0; k < this.count; k++) if (this.passing.has(this.sourceOf[k]!)) count++;
    return count;
  }

  private sourceIndex(source: Source): number {
    const index = this.sourceEntry(source.name, source.generation);
    if (source.comesAgain === false) this.passing.add(index);
    return index;
  }

  private sourceEntry(name: string, generation: string): number {
    const last = this.sources.length - 1;
    if (last >= 0 && this.sources[last]!.generation === generation) return last;
    let number = this.sourceNumbers.get(generation);
    if (number === undefined) {
      number = this.sources.push({ name, generation }) - 1;
      this.sourceNumbers.set(generation, number);
    }
    return number;
  }

  private tagIndex(tag: string): number {
    if (this.tags.length > 0 && this.tags[this.tags.length - 1] === tag) {
      return this.tags.length - 1;
    }
    let number = this.tagNumbers.get(tag);
    if (number === undefined) {
      number = this.tags.push(tag) - 1;
      this.tagNumbers.set(tag, number);
    }
    return number;
  }

  private growOrigins(more: number): void {
    const size = Math.max(this.offsets.length * 2, this.count + more);
    this.offsets = grown(this.offsets, new Float64Array(size));
    this.seconds = grown(this.seconds, new Float64Array(size));
    this.nanos = grown(this.nanos, new Int32Array(size));
    this.parts = grown(this.parts, new Int32Array(size));
    this.sourceOf = grown(this.sourceOf, new Uint16Array(size));
    this.tagOf = grown(this.tagOf, new Uint16Array(size));
  }

  /** The description that is stored beside the body: all but the body itself. It stands in `memory`
   *  and is good until that is written to again. */
  header(memory = new ByteWriter(0)): Buffer {
    const tables = Buffer.from(
      JSON.stringify({
        id: this.id,
        output: this.outputId,
        count: this.count,
        covered: this.covered,
        sources: this.sources,
        tags: this.tags,
        sections: this.sections.map((section) => [
          section.key,
          section.count,
          section.writer.length,
        ]),
      }),
    );
    const columns: Buffer[] = [];
    for (const section of this.sections) {
      columns.push(bufferOf(section.ends, section.count), bufferOf(section.records, section.count));
    }
    columns.push(
      bufferOf(this.offsets, this.count),
      bufferOf(this.seconds, this.count),
      bufferOf(this.nanos, this.count),
      bufferOf(this.parts, this.count),
      bufferOf(this.sourceOf, this.count),
      bufferOf(this.tagOf, this.count),
    );
    const length = Buffer.alloc(4);
    length.writeUInt32LE(tables.length);
    memory.clear();
    for (const part of [length, tables, ...columns]) memory.bytes(part);
    return memory.buffer.subarray(0, memory.length);
  }

  /** Rebuilds a chunk from what `header` and `body` gave, which become its own; `area` is what the
   *  body stands at the start of, if it was given for that. Throws on anything inconsistent. */
  static restore(header: Buffer, body: Buffer, area?: Buffer): Chunk {
    const tablesLength = header.readUInt32LE(0);
    // Written by `header` above and covered by the segment's checksum.
    const tables = JSON.parse(header.toString('utf8', 4, 4 + tablesLength)) as StoredTables;
    const chunk = new Chunk(tables.output, tables.id, undefined, 0, area);
    const reader = new ColumnReader(header, 4 + tablesLength);
    let bodyAt = 0;
    for (const [key, count, bytes] of tables.sections) {
      const writer = new ByteWriter(0);
      const isOnly = tables.sections.length === 1;
      writer.buffer = isOnly ? body : body.subarray(bodyAt, bodyAt + bytes);
      writer.length = bytes;
      const section = {
        key,
        writer,
        ends: reader.int32(count),
        records: reader.int32(count),
        count,
      };
      chunk.sections.push(section);
      chunk.byKey.set(key, section);
      bodyAt += bytes;
    }
    const count = tables.count;
    chunk.offsets = reader.float64(count);
    chunk.seconds = reader.float64(count);
    chunk.nanos = reader.int32(count);
    chunk.parts = reader.int32(count);
    chunk.sourceOf = reader.uint16(count);
    chunk.tagOf = reader.uint16(count);
    for (const { name, generation } of tables.sources) chunk.sourceEntry(name, generation);
    for (const tag of tables.tags) chunk.tagIndex(tag);
    chunk.count = count;
    chunk.covered = tables.covered;
    chunk.bytes = body.length;
    if (bodyAt !== body.length) throw new RangeError(`chunk ${tables.id}: body length`);
    return chunk;
  }

  /** What a stored header says of its chunk, without the body. */
  static summary(header: Buffer): { count: number; covered: Record<string, number> } {
    // As in `restore`.
    const tables = JSON.parse(
      header.toString('utf8', 4, 4 + header.readUInt32LE(0)),
    ) as StoredTables;
    return { count: tables.count, covered: tables.covered };
  }
}

interface StoredTables {
  readonly id: string;
  readonly output: string;
  readonly count: number;
  readonly covered: Record<string, number>;
  readonly sources: { name: string; generation: string }[];
  readonly tags: string[];
  readonly sections: [string, number, number][];
}

/** A run of encoded records of one batch. */
export interface EncodedRun {
  readonly bytes: Buffer;
  readonly start: number;
  readonly batch: Batch;
  readonly events: Int32Array;
  readonly ends: Int32Array;
  readonly count: number;
  /** How many 0x0a bytes the records had when they were encoded, if that is known. For the first
   *  sink behind the encoder: those behind it may get other bytes. */
  readonly lineEnds?: number | undefined;
}

/** What a chunk notes of the events of a run; a batch has it. */
export type RunOrigins = Pick<
  Batch,
  'source' | 'stretches' | 'offset' | 'seconds' | 'nanos' | 'part' | 'tag' | 'tagNames' | 'waitedMs'
>;

/** A run whose batch may be elsewhere. */
export interface OriginRun extends Omit<EncodedRun, 'batch'> {
  readonly batch: RunOrigins;
  /** Copies the records' bytes to a position of a buffer; left out: as any bytes are copied. */
  readonly copy?: (from: Buffer, to: Buffer, at: number) => void;
}

/** The run was encoded where the writer goes on. */
function isAtEnd(writer: ByteWriter, run: OriginRun): boolean {
  const { buffer, length } = writer;
  if (run.bytes.buffer !== buffer.buffer || run.copy !== undefined) return false;
  return run.bytes.byteOffset + run.start === buffer.byteOffset + length;
}

function placeEnds(section: ChunkSection, run: OriginRun, base: number, record: number): void {
  // hot path
  const { ends, records, count } = section;
  for (let k = 0; k < run.count; k++) {
    ends[count + k] = base + run.ends[k]!;
    records[count + k] = record + k;
  }
}

function growSection(section: ChunkSection, more: number): void {
  const size = Math.max(section.ends.length * 2, section.count + more);
  section.ends = grown(section.ends, new Int32Array(size));
  section.records = grown(section.records, new Int32Array(size));
}

function grown<T extends Float64Array | Int32Array | Uint16Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

function bufferOf(array: Float64Array | Int32Array | Uint16Array, count: number): Buffer {
  return Buffer.from(array.buffer, array.byteOffset, count * array.BYTES_PER_ELEMENT);
}

function rangeName(indices: readonly number[]): string {
  const first = indices[0] ?? 0;
  const last = indices[indices.length - 1] ?? 0;
  if (last - first + 1 === indices.length) return `${first}-${last}`;
  return indices.length <= 16 ? indices.join('_') : `${first}-${last}x${hashOf(indices)}`;
}

function hashOf(indices: readonly number[]): string {
  let hash = 0x811c9dc5;
  for (const index of indices) hash = Math.imul(hash ^ index, 0x01000193) >>> 0;
  return `${indices.length}h${hash.toString(16)}`;
}

/** Copies columns out of a header; typed arrays want aligned memory of their own. */
class ColumnReader {
  private readonly bytes: Buffer;
  private at: number;

  constructor(bytes: Buffer, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  private take(bytes: number): ArrayBuffer {
    if (this.at + bytes > this.bytes.length) throw new RangeError('chunk header is cut short');
    const copy = new ArrayBuffer(bytes);
    Buffer.from(copy).set(this.bytes.subarray(this.at, this.at + bytes));
    this.at += bytes;
    return copy;
  }

  float64(count: number): Float64Array<ArrayBuffer> {
    return new Float64Array(this.take(count * 8));
  }

  int32(count: number): Int32Array<ArrayBuffer> {
    return new Int32Array(this.take(count * 4));
  }

  uint16(count: number): Uint16Array<ArrayBuffer> {
    return new Uint16Array(this.take(count * 2));
  }
}
