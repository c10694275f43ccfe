import {
  type Batch,
  ByteWriter,
  type EncodedRun,
  findMember,
  type RecordSink,
} from '../../../core/sdk/index.ts';

/** A member that depends on the event in a way that the encoder does not know. */
export interface AppendedMember {
  readonly key: string;
  /** Writes the value as JSON. */
  write(batch: Batch, index: number, out: ByteWriter): void;
}

/** Puts members behind those of each record that lacks them. Records look like
 *  `anything{object}suffix`, the object on its last line, behind its prefix; what goes on is a copy. */
export class MemberSink implements RecordSink {
  private readonly members: readonly (AppendedMember & {
    readonly keyBytes: Buffer;
    readonly prefix: Buffer;
  })[];
  private readonly suffixBytes: number;
  private readonly lines: number;
  private readonly prefixBytes: number;
  private readonly out = new ByteWriter();
  private ends = new Int32Array(256);
  private inner: RecordSink | undefined;

  /** `lines`: of a record, its last line end included; those before the last are skipped. */
  constructor(
    members: readonly AppendedMember[],
    suffixBytes: number,
    lines: number,
    prefixBytes = 0,
  ) {
    this.prefixBytes = prefixBytes;
    this.members = members.map((member) => ({
      key: member.key,
      write: (batch, index, out) => member.write(batch, index, out),
      keyBytes: Buffer.from(member.key),
      prefix: Buffer.from(`${JSON.stringify(member.key)}:`),
    }));
    this.suffixBytes = suffixBytes;
    this.lines = lines;
  }

  /** The sink itself, passing on to another from now on. */
  over(inner: RecordSink): this {
    this.inner = inner;
    return this;
  }

  appendRun(sectionKey: string, run: EncodedRun): void {
    const out = this.out;
    out.clear();
    if (run.count > this.ends.length) this.ends = new Int32Array(run.count * 2);
    let start = run.start;
    for (let k = 0; k < run.count; k++) {
      const end = run.ends[k]!;
      this.rewrite(run, start, end, run.events[k]!);
      this.ends[k] = out.length;
      start = end;
    }
    this.inner!.appendRun(sectionKey, { ...run, bytes: out.buffer, start: 0, ends: this.ends });
  }

  reject(batch: Batch, index: number, reason: string): void {
    this.inner!.reject(batch, index, reason);
  }

  private rewrite(run: EncodedRun, start: number, end: number, index: number): void {
    const { bytes } = run;
    const out = this.out;
    let object = start;
    for (let line = 1; line < this.lines; line++) object = bytes.indexOf(0x0a, object) + 1;
    object += this.prefixBytes;
    // The encoder ends an object with its brace and nothing between.
    const brace = end - this.suffixBytes - 1;
    out.bytes(bytes, start, brace);
    let isEmpty = brace === object + 1;
    for (const member of this.members) {
      if (findMember(bytes, object, member.keyBytes) !== undefined) continue;
      if (!isEmpty) out.byte(0x2c);
      isEmpty = false;
      out.bytes(member.prefix);
      member.write(run.batch, index, out);
    }
    out.bytes(bytes, brace, end);
  }
}
