import {
  type Batch,
  ByteWriter,
  type Column,
  type EncodedRun,
  type Field,
  JsonRecordEncoder,
  LineEntries,
  MemberCursor,
  type OutputContext,
  type RecordEncoder,
  type RecordSink,
  spliceJson,
  valueKind,
} from '../../../core/sdk/index.ts';
import type { LokiOptions } from './config.ts';
import {
  fieldNamed,
  type LabelSource,
  labelName,
  labelSources,
  labelValue,
  parseSources,
  wellFormed,
} from './label_source.ts';
import { LineWriter } from './line.ts';
import type { PushFormat } from './push_format.ts';
import { splitKey, Streams } from './streams.ts';

/** Bytes after which a run of entries is handed over. */
const runBytes = 1024 * 1024;
const nothing: readonly string[] = [];

/** Encodes events as entries of Loki's streams: a section is a tenant and a set of labels. */
export class LokiEncoder implements RecordEncoder {
  readonly fingerprint: string;
  private readonly format: PushFormat;
  private readonly streams: Streams;
  private readonly metadata: readonly LabelSource[];
  private readonly metadataMaps: readonly Field[];
  private readonly hasMetadata: boolean;
  private readonly lines: LineWriter;
  /** Labels that hold a field which is not in the line. */
  private readonly labelled: readonly { readonly name: string; readonly field: Field }[];
  private readonly json: JsonRecordEncoder;
  private readonly out = new ByteWriter();
  private readonly members = new MemberCursor();
  /** Writes entries in the kernel: the same bytes as `format`, sooner. */
  private readonly entries: LineEntries | undefined;
  // Of the batch under way, by event.
  private sectionOf = new Int32Array(0);
  private metadataOf: (readonly string[])[] = [];
  /** Events that are done with, or refused. */
  private settled = new Int32Array(0);
  private settledCount = 0;
  private readonly sectionKeys: string[] = [];
  private readonly sectionNumbers = new Map<string, number>();
  // Of the run under way: its records in lists, one a section.
  private next = new Int32Array(0);
  private first = new Int32Array(0);
  private last = new Int32Array(0);
  private events = new Int32Array(0);
  private ends = new Int32Array(0);

  constructor(options: LokiOptions, context: OutputContext, format: PushFormat) {
    this.format = format;
    const labels = labelSources(options, context.baseDirectory);
    this.metadata = parseSources(options.structured_metadata, 'structured_metadata');
    this.metadataMaps = (options.structured_metadata_map_keys ?? []).map(fieldNamed);
    const removed = (options.remove_keys ?? []).map(fieldNamed);
    this.hasMetadata = this.metadata.length > 0 || this.metadataMaps.length > 0;
    this.lines = new LineWriter(options, removed);
    this.labelled = labels.flatMap(({ name, pieces }) => {
      const [piece] = pieces;
      if (pieces.length !== 1 || piece?.kind !== 'field') return [];
      const { field } = piece;
      const isGone = removed.some((one) => field.keys.join('\0').startsWith(one.keys.join('\0')));
      return isGone ? [{ name, field }] : [];
    });
    this.fingerprint = fingerprintOf(options, labels);
    this.streams = new Streams({
      labels,
      labelSetsMax: options.label_sets_max,
      tenant: options.tenant_id,
      tenantField:
        options.tenant_id_key === undefined ? undefined : context.field(options.tenant_id_key),
      clock: context.clock,
      log: context.log,
      limited: context.metrics.counter('sluice_loki_label_sets_limited_total'),
      tenantsInvalid: context.metrics.counter('sluice_loki_tenants_invalid_total'),
      labelsText: format.labelsText,
    });
    const { kernel } = context;
    this.entries = kernel && LineEntries.create(kernel, options.format);
    this.json = new JsonRecordEncoder({
      fingerprint: this.fingerprint,
      ...(kernel === undefined ? {} : { kernel }),
    });
  }

  encode(batch: Batch, select: Uint8Array, sink: RecordSink): void {
    // hot path
    this.prepare(batch);
    // Labels come first: looking values up may rearrange the batch, which the encoder below reads.
    this.label(batch, select, sink);
    this.writeTexts(batch, select, sink);
    if (this.settledCount < batch.count) {
      this.json.encode(batch, select, {
        appendRun: (_section, run) => this.takeRun(run, sink),
        reject: (of, index, reason) => sink.reject(of, index, reason),
      });
    }
    for (let i = 0; i < this.settledCount; i++) select[this.settled[i]!] = 1;
  }

  close(): void {
    this.json.close();
    this.entries?.close();
  }

  /** What `remove_keys` took out of the line is put back from the labels and the metadata. Labels
   *  are texts: a number comes back as one. */
  recordJson(record: Buffer, sectionKey?: string): string {
    const { line, metadata } = this.format.readEntry(record);
    const written = isObjectText(line) ? line : JSON.stringify({ log: line });
    const object = sectionKey === undefined ? written : this.withLabels(written, sectionKey);
    if (metadata.length === 0) return object;
    // What was taken out of the line for the metadata belongs to the record.
    const known = new Set(Object.keys(JSON.parse(object) as object).map(labelName));
    const added: string[] = [];
    for (let i = 0; i < metadata.length; i += 2) {
      if (known.has(metadata[i]!)) continue;
      added.push(`${JSON.stringify(metadata[i])}:${JSON.stringify(metadata[i + 1])}`);
    }
    if (added.length === 0) return object;
    const body = object.trim().slice(1, -1).trim();
    return `{${body}${body === '' ? '' : ','}${added.join(',')}}`;
  }

  private withLabels(object: string, sectionKey: string): string {
    if (this.labelled.length === 0) return object;
    const labels = this.format.readLabels(splitKey(sectionKey).labels);
    let record: Buffer = Buffer.from(object);
    for (const { name, field } of this.labelled) {
      const value = labels.get(name);
      if (value === undefined || hasField(JSON.parse(record.toString()), field)) continue;
      record = spliceJson(record, field.keys, Buffer.from(JSON.stringify(value)));
    }
    return record.toString();
  }

  private prepare(batch: Batch): void {
    this.sectionKeys.length = 0;
    this.sectionNumbers.clear();
    this.settledCount = 0;
    if (this.sectionOf.length >= batch.capacity) return;
    this.sectionOf = new Int32Array(batch.capacity);
    this.metadataOf = Array.from({ length: batch.capacity }, () => nothing);
    this.next = new Int32Array(batch.capacity);
    this.first = new Int32Array(batch.capacity);
    this.last = new Int32Array(batch.capacity);
    this.events = new Int32Array(batch.capacity);
    this.ends = new Int32Array(batch.capacity);
    this.settled = new Int32Array(batch.capacity);
  }

  /** Finds the section and the metadata of every event, and refuses those that can have none. */
  private label(batch: Batch, select: Uint8Array, sink: RecordSink): void {
    // hot path
    if (this.streams.isOne && !this.hasMetadata) {
      const key = this.streams.keyOf(batch, 0)!;
      this.sectionOf.fill(this.sectionNumber(key), 0, batch.count);
      this.metadataOf.fill(nothing, 0, batch.count);
      return;
    }
    for (let index = 0; index < batch.count; index++) {
      if (select[index] !== 1) continue;
      const key = this.streams.keyOf(batch, index);
      if (key === undefined) {
        sink.reject(batch, index, this.streams.reason);
        this.settle(index, select);
        continue;
      }
      this.sectionOf[index] = this.sectionNumber(key);
      this.metadataOf[index] = this.metadataAt(batch, index);
    }
  }

  private settle(index: number, select: Uint8Array): void {
    select[index] = 0;
    this.settled[this.settledCount++] = index;
  }

  /** Writes events whose line is a text as it stands, up to the first of each section that needs
   *  more; those are settled. */
  private writeTexts(batch: Batch, select: Uint8Array, sink: RecordSink): void {
    // hot path
    const { entries, first, last, next } = this;
    if (entries === undefined || !this.lines.isSingleText || batch.hasNested) return;
    if (!entries.takes(batch, batch.bytes)) return;
    if (this.takesAllTexts(batch, select, entries)) {
      const written = this.writeEntries(batch, 0, batch.count, sink);
      for (let index = 0; index < written; index++) this.settle(index, select);
      return;
    }
    const sections = this.sectionKeys.length;
    first.fill(-1, 0, sections);
    for (let index = 0; index < batch.count; index++) {
      if (select[index] !== 1) continue;
      const section = this.sectionOf[index]!;
      next[index] = -1;
      if (first[section] === -1) first[section] = index;
      else next[last[section]!] = index;
      last[section] = index;
    }
    for (let section = 0; section < sections; section++) {
      let count = 0;
      for (let index = first[section]!; index >= 0; index = next[index]!) {
        const column = this.metadataOf[index]!.length > 0 ? undefined : singleText(batch, index);
        if (column === undefined) break;
        entries.starts[count] = column.start[index]!;
        entries.ends[count] = column.end[index]!;
        entries.events[count++] = index;
      }
      const written = this.writeEntries(batch, section, count, sink);
      for (let i = 0; i < written; i++) this.settle(entries.events[i]!, select);
    }
  }

  /** The short way: when all events are texts of one column for one section, `entries` has them. */
  private takesAllTexts(batch: Batch, select: Uint8Array, entries: LineEntries): boolean {
    // hot path
    const { columns, count, rootKind } = batch;
    const column = columns[0];
    if (this.hasMetadata || this.sectionKeys.length !== 1) return false;
    if (column === undefined || columns.length !== 1) return false;
    const { start, end, kind } = column;
    for (let index = 0; index < count; index++) {
      if (select[index] !== 1 || kind[index] !== valueKind.text) return false;
      if (rootKind[index] !== valueKind.absent) return false;
      entries.events[index] = index;
    }
    entries.starts.set(start.subarray(0, count));
    entries.ends.set(end.subarray(0, count));
    return true;
  }

  private writeEntries(batch: Batch, section: number, count: number, sink: RecordSink): number {
    const key = this.sectionKeys[section]!;
    const place = sink.place === undefined ? undefined : (of: Batch) => sink.place!(key, of);
    return this.entries!.write(batch, count, (run) => sink.appendRun(key, run), place);
  }

  private sectionNumber(key: string): number {
    let number = this.sectionNumbers.get(key);
    if (number === undefined) {
      number = this.sectionKeys.push(key) - 1;
      this.sectionNumbers.set(key, number);
    }
    return number;
  }

  /** Turns a run of JSON records into entries, section by section, each in order. */
  private takeRun(run: EncodedRun, sink: RecordSink): void {
    // hot path
    const { first, last, next } = this;
    const sections = this.sectionKeys.length;
    first.fill(-1, 0, sections);
    for (let k = 0; k < run.count; k++) {
      const section = this.sectionOf[run.events[k]!]!;
      next[k] = -1;
      if (first[section] === -1) first[section] = k;
      else next[last[section]!] = k;
      last[section] = k;
    }
    for (let section = 0; section < sections; section++) {
      let count = 0;
      for (let k = this.writeRun(run, section, sink); k >= 0; k = next[k]!) {
        this.writeEntry(run, k);
        this.events[count] = run.events[k]!;
        this.ends[count++] = this.out.length;
        if (this.out.length >= runBytes) count = this.handOver(section, run.batch, count, sink);
      }
      this.handOver(section, run.batch, count, sink);
    }
  }

  /** Writes what the kernel can of a section of a run; returns the first record that is left. */
  private writeRun(run: EncodedRun, section: number, sink: RecordSink): number {
    // hot path
    const { entries, next } = this;
    let k = this.first[section]!;
    if (entries === undefined || !this.lines.isPlain || !entries.takes(run.batch, run.bytes)) {
      return k;
    }
    let count = 0;
    for (let one = k; one >= 0; one = next[one]!) {
      const event = run.events[one]!;
      if (this.metadataOf[event]!.length > 0) break;
      entries.starts[count] = one === 0 ? run.start : run.ends[one - 1]!;
      entries.ends[count] = run.ends[one]!;
      entries.events[count++] = event;
    }
    const written = this.writeEntries(run.batch, section, count, sink);
    for (let i = 0; i < written; i++) k = next[k]!;
    return k;
  }

  private writeEntry(run: EncodedRun, k: number): void {
    // hot path
    const event = run.events[k]!;
    let bytes = run.bytes;
    let start = k === 0 ? run.start : run.ends[k - 1]!;
    let end = run.ends[k]!;
    if (!this.lines.isPlain) {
      bytes = this.lines.line(run.bytes.subarray(start, end));
      start = 0;
      end = bytes.length;
    }
    const { seconds, nanos } = run.batch;
    this.format.writeEntry(
      {
        seconds: seconds[event]!,
        nanos: nanos[event]!,
        bytes,
        start,
        end,
        metadata: this.metadataOf[event]!,
      },
      this.out,
    );
  }

  private handOver(section: number, batch: Batch, count: number, sink: RecordSink): number {
    if (count > 0) {
      const { events, ends } = this;
      const run = { bytes: this.out.buffer, start: 0, batch, events, ends, count };
      sink.appendRun(this.sectionKeys[section]!, run);
      this.out.clear();
    }
    return 0;
  }

  // ── structured metadata ─────────────────────────────────────────────────────────────────────

  /** Names and values in turn; an explicit one wins over one out of a map. */
  private metadataAt(batch: Batch, index: number): readonly string[] {
    const { demotedNames, demotedValues } = this.streams;
    const isEmpty = this.metadata.length === 0 && this.metadataMaps.length === 0;
    if (isEmpty && demotedNames.length === 0) return nothing;
    const pairs = new Map<string, string>();
    for (const field of this.metadataMaps) this.addMembers(batch, index, field, pairs);
    for (const source of this.metadata) {
      const value = labelValue(source, batch, index);
      if (value !== undefined) pairs.set(source.name, value);
    }
    for (let i = 0; i < demotedNames.length; i++) pairs.set(demotedNames[i]!, demotedValues[i]!);
    return pairs.size === 0 ? nothing : [...pairs].flat();
  }

  private addMembers(batch: Batch, index: number, field: Field, pairs: Map<string, string>): void {
    if (!batch.locate(index, field) || batch.foundKind !== valueKind.json) return;
    const bytes = batch.foundBytes;
    if (bytes[batch.foundStart] !== 0x7b) return;
    this.members.start(bytes, batch.foundStart);
    while (this.members.next()) {
      const token = bytes.toString('utf8', this.members.valueStart, this.members.valueEnd);
      // A JSON string when it begins with a quote.
      const value = token.startsWith('"') ? (JSON.parse(token) as string) : token;
      pairs.set(labelName(this.members.keyText()), wellFormed(value));
    }
  }
}

/** The column of an event that is one text and nothing else. */
function singleText(batch: Batch, index: number): Column | undefined {
  // hot path
  if (batch.rootKind[index] !== valueKind.absent) return undefined;
  let found: Column | undefined;
  for (const column of batch.columns) {
    const kind = column.kind[index]!;
    if (kind === valueKind.absent || kind === valueKind.removed) continue;
    if (kind !== valueKind.text || found !== undefined) return undefined;
    found = column;
  }
  return found;
}

function hasField(record: unknown, field: Field): boolean {
  let value = record;
  for (const key of field.keys) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return false;
    value = (value as Record<string, unknown>)[key];
  }
  return true;
}

function isObjectText(text: string): boolean {
  if (!text.startsWith('{')) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function fingerprintOf(options: LokiOptions, labels: readonly LabelSource[]): string {
  return JSON.stringify([
    'loki',
    1,
    options.format,
    labels.map(({ name, fixed, pieces }) => [name, fixed, pieces.length]),
    options.labels,
    options.structured_metadata,
    options.structured_metadata_map_keys,
    options.remove_keys,
    options.line_format,
    options.drop_single_key,
    options.tenant_id,
    options.tenant_id_key,
  ]);
}
