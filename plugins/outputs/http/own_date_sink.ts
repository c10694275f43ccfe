import {
  type Batch,
  ByteWriter,
  type EncodedRun,
  type EncodePlace,
  type Field,
  topLevel,
  type RecordSink,
  valueKind,
} from '../../../core/sdk/index.ts';

/** How the encoder writes dates. */
const forms = {
  double: String.raw`-?\d+\.\d{9}`,
  epoch: String.raw`-?\d+`,
  epoch_ms: String.raw`-?\d+`,
  iso8601: String.raw`"[+-]?\d+-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z"`,
  java_sql_timestamp: String.raw`"[+-]?\d+-\d\d-\d\d \d\d:\d\d:\d\d\.\d{9}"`,
} as const;

const space = Buffer.from(' ');
/** The longest form of a time, with the white space that JSON allows around it. */
const tailBytes = 64;

/** Tells a date that a record came with from one that the encoder added as its last member, where they look
 *  the same: behind the record of the first stands a space, which JSON allows. So what was added can be taken
 *  off again. */
export class OwnDateSink implements RecordSink {
  private readonly field: Field;
  private readonly suffixBytes: number;
  private readonly out = new ByteWriter();
  private ends = new Int32Array(256);
  private readonly lookalike: RegExp;
  private readonly added: RegExp;
  private inner: RecordSink | undefined;

  constructor(key: string, format: keyof typeof forms, suffixBytes: number) {
    this.field = topLevel(key);
    this.suffixBytes = suffixBytes;
    this.lookalike = new RegExp(`${forms[format]}\\s*\\}$`);
    const name = JSON.stringify(key).replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
    this.added = new RegExp(`,?${name}:${forms[format]}\\}$`);
  }

  /** A record's JSON without the date that the encoder added, if it did. */
  withoutAdded(json: string): string {
    return json.endsWith(' ') ? json.slice(0, -1) : json.replace(this.added, '}');
  }

  /** The sink itself, passing on to another from now on. */
  over(inner: RecordSink): this {
    this.inner = inner;
    return this;
  }

  place(sectionKey: string, batch: Batch): EncodePlace | undefined {
    return this.inner!.place?.(sectionKey, batch);
  }

  appendRun(sectionKey: string, run: EncodedRun): void {
    const column = run.batch.findColumn(this.field);
    for (let k = 0; k < run.count; k++) {
      if (!this.isOwn(run.batch, run.events[k]!, column)) continue;
      this.inner!.appendRun(sectionKey, this.marked(run, column));
      return;
    }
    this.inner!.appendRun(sectionKey, run);
  }

  reject(batch: Batch, index: number, reason: string): void {
    this.inner!.reject(batch, index, reason);
  }

  /** True for every record whose own date may be its last member. */
  private isOwn(batch: Batch, index: number, column: ReturnType<Batch['findColumn']>): boolean {
    const kind = column?.kind[index] ?? valueKind.absent;
    if (kind !== valueKind.absent) return kind !== valueKind.removed;
    const root = batch.rootBytes(index);
    if (root === undefined) return false;
    const { foundStart, foundEnd } = batch;
    const tail = root.latin1Slice(Math.max(foundStart, foundEnd - tailBytes), foundEnd);
    return this.lookalike.test(tail) && batch.locate(index, this.field);
  }

  private marked(run: EncodedRun, column: ReturnType<Batch['findColumn']>): EncodedRun {
    const { out } = this;
    out.clear();
    if (run.count > this.ends.length) this.ends = new Int32Array(run.count * 2);
    let { start } = run;
    for (let k = 0; k < run.count; k++) {
      const end = run.ends[k]!;
      const own = this.isOwn(run.batch, run.events[k]!, column);
      out.bytes(run.bytes, start, end - this.suffixBytes);
      if (own) out.bytes(space);
      out.bytes(run.bytes, end - this.suffixBytes, end);
      this.ends[k] = out.length;
      start = end;
    }
    return { ...run, bytes: out.buffer, start: 0, ends: this.ends };
  }
}
