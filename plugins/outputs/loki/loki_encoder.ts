import {
  type Batch,
  ByteWriter,
  type EncodedRun,
  type Field,
  JsonRecordEncoder,
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
  private readonly lines: LineWriter;
  /** Labels that hold a field which is not in the line. */
  private readonly labelled: readonly { readonly name: string; readonly field: Field }[];
  private readonly json: JsonRecordEncoder;
  private readonly out = new ByteWriter();
  private readonly members = new MemberCursor();
  // Of the batch under way, by event.
  private sectionOf = new Int32Array(0);
  private metadataOf: (readonly string[])[] = [];
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
    this.json = new JsonRecordEncoder({
      fingerprint: this.fingerprint,
      ...(context.kernel === undefined ? {} : { kernel: context.kernel }),
    });
  }

  encode(batch: Batch, select: Uint8Array, sink: RecordSink): void {
    // hot path
    this.prepare(batch);
    // Labels come first: looking values up may rearrange the batch, which the encoder below reads.
    const refused: number[] = [];
    for (let index = 0; index < batch.count; index++) {
      if (select[index] !== 1) continue;
      const key = this.streams.keyOf(batch, index);
      if (key === undefined) {
        sink.reject(batch, index, this.streams.reason);
        refused.push(index);
        continue;
      }
      this.sectionOf[index] = this.sectionNumber(key);
      this.metadataOf[index] = this.metadataAt(batch, index);
    }
    for (const index of refused) select[index] = 0;
    this.json.encode(batch, select, {
      appendRun: (_section, run) => this.takeRun(run, sink),
      reject: (of, index, reason) => sink.reject(of, index, reason),
    });
    for (const index of refused) select[index] = 1;
  }

  close(): void {
    this.json.close();
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
    if (this.sectionOf.length >= batch.capacity) return;
    this.sectionOf = new Int32Array(batch.capacity);
    this.next = new Int32Array(batch.capacity);
    this.first = new Int32Array(batch.capacity);
    this.last = new Int32Array(batch.capacity);
    this.events = new Int32Array(batch.capacity);
    this.ends = new Int32Array(batch.capacity);
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
      for (let k = first[section]!; k >= 0; k = next[k]!) {
        this.writeEntry(run, k);
        this.events[count] = run.events[k]!;
        this.ends[count++] = this.out.length;
        if (this.out.length >= runBytes) count = this.handOver(section, run.batch, count, sink);
      }
      this.handOver(section, run.batch, count, sink);
    }
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
