import { createHash } from 'node:crypto';
import {
  type Batch,
  type ByteWriter,
  compileStrftime,
  type Field,
  type JsonRecordOptions,
  JsonRecordEncoder,
  type OutputContext,
  type RecordEncoder,
  type RecordSink,
  writeRecordId,
} from '../../../core/sdk/index.ts';
import { isStaticName, staticPrefix } from '../../shared/record_name/name_piece.ts';
import { RecordName } from '../../shared/record_name/record_name.ts';
import { type AppendedMember, MemberSink } from '../../shared/record_sink/member_sink.ts';
import { OneLineSink } from '../../shared/record_sink/one_line_sink.ts';
import { ReplaceDotsSink } from '../../shared/record_sink/replace_dots_sink.ts';
import type { ElasticsearchOptions } from './config.ts';
import { cleanIndexPiece, indexNameBytesMax, indexPieces } from './index_name.ts';

/** Of an `_id` (elasticsearch: IndexRequest.MAX_DOCUMENT_ID_LENGTH_IN_BYTES); a longer one fails
 *  the whole request. */
const idBytesMax = 512;

const hourMs = 3_600_000;
const actionLines = 2;
const lineEnd = Buffer.from('\n');
const afterAction = Buffer.from('"}}\n');

/** What stands around a document on its line, by operation. */
const frames = {
  create: { action: 'create', before: Buffer.alloc(0), after: lineEnd },
  index: { action: 'index', before: Buffer.alloc(0), after: lineEnd },
  update: { action: 'update', before: Buffer.from('{"doc":'), after: Buffer.from('}\n') },
  upsert: {
    action: 'update',
    before: Buffer.from('{"doc_as_upsert":true,"doc":'),
    after: Buffer.from('}\n'),
  },
} as const;

/** Writes records as bulk bodies: an action line with the index and the id, then the document, or what
 *  is to be put into one.
 *  Source: Elasticsearch's Bulk API (NDJSON, a line end behind each line, the last one too). */
export class BulkEncoder implements RecordEncoder {
  readonly fingerprint: string;
  readonly mixesSources = true;
  private readonly inner: JsonRecordEncoder;
  private readonly oneLine = new OneLineSink(actionLines);
  private readonly members: MemberSink | undefined;
  private readonly dots: ReplaceDotsSink | undefined;
  private readonly frame: (typeof frames)[keyof typeof frames];

  constructor(options: ElasticsearchOptions, context: OutputContext) {
    this.frame = frames[options.write_operation];
    this.fingerprint = fingerprintOf(options);
    this.inner = new JsonRecordEncoder(recordOptions(options, context, this.fingerprint));
    const members = appendedMembers(options);
    if (members.length > 0) {
      const { before, after } = this.frame;
      this.members = new MemberSink(members, after.length, actionLines, before.length);
    }
    if (options.replace_dots) this.dots = new ReplaceDotsSink(actionLines);
  }

  encode(batch: Batch, select: Uint8Array, sink: RecordSink): void {
    let last = sink;
    if (this.dots !== undefined) last = this.dots.over(last);
    if (this.members !== undefined) last = this.members.over(last);
    this.inner.encode(batch, select, this.oneLine.over(last));
  }

  close(): void {
    this.inner.close();
  }

  recordJson(record: Buffer): string {
    const { before, after } = this.frame;
    const start = record.indexOf(lineEnd) + 1 + before.length;
    return record.toString('utf8', start, record.length - after.length);
  }
}

function fingerprintOf(options: ElasticsearchOptions): string {
  const { data_stream, logstash_format, write_operation, generate_id, id_key } = options;
  const { logstash_prefix, logstash_prefix_key, logstash_prefix_separator } = options;
  const name = logstash_format
    ? [logstash_prefix, logstash_prefix_key, logstash_prefix_separator, options.logstash_dateformat]
    : [data_stream ?? options.index];
  const time = [options.time_key, options.time_key_format, options.time_key_nanos];
  const tag = options.include_tag_key ? options.tag_key : null;
  const rest = [write_operation, generate_id, id_key, options.replace_dots];
  return `elasticsearch:${JSON.stringify([name, time, tag, rest])}`;
}

function recordOptions(
  options: ElasticsearchOptions,
  context: OutputContext,
  fingerprint: string,
): JsonRecordOptions {
  const frame = frames[options.write_operation];
  const afterId = Buffer.concat([afterAction, frame.before]);
  const shared: JsonRecordOptions = {
    fingerprint,
    suffix: frame.after,
    ...(context.kernel === undefined ? {} : { kernel: context.kernel }),
    ...(options.time_key_format === undefined ? { time: timeMember(options) } : {}),
  };
  const pieces = indexPieces(options, context);
  const head = headMaker(options);
  if (options.id_key !== undefined) {
    const names = recordName(pieces, context, options, head);
    const writeId = idWriter(context.field(options.id_key), afterId);
    return { ...shared, writeBefore: namedWriter(names, writeId) };
  }
  const idEnd = options.generate_id ? { afterId } : {};
  if (isStaticName(pieces)) return { ...shared, ...idEnd, before: head(staticPrefix(pieces)) };
  const names = recordName(pieces, context, options, head);
  return { ...shared, ...idEnd, writeBefore: namedWriter(names) };
}

function timeMember(options: ElasticsearchOptions): JsonRecordOptions['time'] {
  const digits = options.time_key_nanos ? 9 : 3;
  return { key: options.time_key, format: { form: 'iso8601', digits } };
}

/** Makes what stands before the id, or the whole action line when there is none. */
function headMaker(options: ElasticsearchOptions): (name: string) => Buffer {
  const hasId = options.generate_id || options.id_key !== undefined;
  const { action, before } = frames[options.write_operation];
  return (name) => {
    const start = Buffer.from(`{"${action}":{"_index":${JSON.stringify(name)}`);
    if (hasId) return Buffer.concat([start, Buffer.from(',"_id":"')]);
    return Buffer.concat([start, afterAction.subarray(1), before]);
  };
}

function recordName(
  pieces: ReturnType<typeof indexPieces>,
  context: OutputContext,
  options: ElasticsearchOptions,
  make: (name: string) => Buffer,
): RecordName<Buffer> {
  const counted = 'sluice_elasticsearch_index_fallback_total';
  const names = new RecordName<Buffer>({
    pieces,
    clean: cleanIndexPiece,
    bytesMax: indexNameBytesMax,
    namesMax: options.index_names_max,
    idleMs: hourMs,
    clock: context.clock,
    make,
    missing: context.metrics.counter(counted, { reason: 'missing' }),
    beyondMax: context.metrics.counter(counted, { reason: 'names_max' }),
  });
  context.metrics.gauge('sluice_elasticsearch_index_names', () => names.count);
  return names;
}

type WriteBefore = NonNullable<JsonRecordOptions['writeBefore']>;

function namedWriter(names: RecordName<Buffer>, writeId?: WriteBefore): WriteBefore {
  return (batch, index, out) => {
    // hot path
    out.bytes(names.entryAt(batch, index).made);
    if (writeId !== undefined) writeId(batch, index, out);
  };
}

/** Writes the id that a field has, and the end of the action line. */
function idWriter(field: Field, afterId: Buffer): WriteBefore {
  return (batch: Batch, index: number, out: ByteWriter) => {
    const found = batch.locate(index, field) ? batch.foundText() : '';
    if (found === '') writeRecordId(batch, index, out);
    else out.text(JSON.stringify(boundedId(found)).slice(1, -1));
    out.bytes(afterId);
  };
}

function boundedId(id: string): string {
  if (id.length * 3 <= idBytesMax || Buffer.byteLength(id) <= idBytesMax) return id;
  return `sha256-${createHash('sha256').update(id).digest('base64url')}`;
}

function appendedMembers(options: ElasticsearchOptions): AppendedMember[] {
  const members: AppendedMember[] = [];
  const { time_key: key, time_key_format: format, time_key_nanos: nanos } = options;
  if (format !== undefined) {
    const date = compileStrftime(format);
    members.push({
      key,
      write(batch, index, out) {
        const fraction = String(batch.nanos[index]!)
          .padStart(9, '0')
          .slice(0, nanos ? 9 : 3);
        out.text(JSON.stringify(`${date(batch.seconds[index]!, 0)}.${fraction}Z`));
      },
    });
  }
  if (options.include_tag_key) {
    const write: AppendedMember['write'] = (batch, index, out) =>
      out.text(JSON.stringify(batch.tagName(index)));
    members.push({ key: options.tag_key, write });
  }
  return members;
}
