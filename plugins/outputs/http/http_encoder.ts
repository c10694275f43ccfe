import {
  type Batch,
  compileStrftime,
  JsonRecordEncoder,
  type JsonRecordOptions,
  type OutputContext,
  type RecordEncoder,
  type RecordSink,
} from '../../../core/sdk/index.ts';
import { type AppendedMember, MemberSink } from '../../shared/record_sink/member_sink.ts';
import { OneLineSink } from '../../shared/record_sink/one_line_sink.ts';
import type { HttpOutputOptions } from './config.ts';
import { OwnDateSink } from './own_date_sink.ts';

const suffixes = {
  // The array's brackets come when it is sent; its last comma goes then.
  json: Buffer.from(','),
  json_lines: Buffer.from('\n'),
  json_stream: Buffer.alloc(0),
} as const;

/** Writes records as JSON objects, with the time, in a section per tag if the tag is sent. */
export class HttpEncoder implements RecordEncoder {
  readonly fingerprint: string;
  private readonly inner: JsonRecordEncoder;
  private readonly oneLine: OneLineSink | undefined;
  private readonly members: MemberSink | undefined;
  private readonly ownDate: OwnDateSink | undefined;

  constructor(options: HttpOutputOptions, context: OutputContext) {
    const { format: asked, header_tag, json_date_format, body_key } = options;
    // What becomes a body of its own is stored as it is.
    const format = body_key === undefined ? asked : 'json_lines';
    const key = body_key === undefined ? dateKey(options) : undefined;
    const suffix = suffixes[format];
    this.fingerprint = `http:${JSON.stringify([format, key, json_date_format, header_tag !== undefined])}`;
    const isSql = json_date_format === 'java_sql_timestamp';
    const byTag = (batch: Batch, index: number): string => batch.tagName(index);
    this.inner = new JsonRecordEncoder({
      fingerprint: this.fingerprint,
      suffix,
      ...(context.kernel === undefined ? {} : { kernel: context.kernel }),
      ...(key === undefined || isSql ? {} : { time: { key, format: timeFormat(options) } }),
      ...(header_tag === undefined ? {} : { sectionKey: byTag }),
    });
    if (format === 'json_lines') this.oneLine = new OneLineSink(1);
    if (key !== undefined && isSql) {
      this.members = new MemberSink([sqlTimestamp(key)], suffix.length, 1);
    }
    if (key !== undefined) this.ownDate = new OwnDateSink(key, json_date_format, suffix.length);
  }

  encode(batch: Batch, select: Uint8Array, sink: RecordSink): void {
    let last = sink;
    if (this.ownDate !== undefined) last = this.ownDate.over(last);
    if (this.members !== undefined) last = this.members.over(last);
    if (this.oneLine !== undefined) last = this.oneLine.over(last);
    this.inner.encode(batch, select, last);
  }

  close(): void {
    this.inner.close();
  }

  recordJson(record: Buffer): string {
    const json = this.inner.recordJson(record);
    return this.ownDate?.withoutAdded(json) ?? json;
  }
}

function dateKey(options: HttpOutputOptions): string | undefined {
  const key = options.json_date_key;
  if (key === false || key === 'false') return undefined;
  return key === true ? 'date' : key;
}

function timeFormat(options: HttpOutputOptions): NonNullable<JsonRecordOptions['time']>['format'] {
  switch (options.json_date_format) {
    case 'epoch':
      return { form: 'epoch', digits: 0 };
    case 'epoch_ms':
      return { form: 'epoch_ms', digits: 0 };
    case 'iso8601':
      return { form: 'iso8601', digits: 9 };
    default:
      return { form: 'epoch', digits: 9 };
  }
}

function sqlTimestamp(key: string): AppendedMember {
  const date = compileStrftime('%Y-%m-%d %H:%M:%S');
  return {
    key,
    write(batch, index, out) {
      const fraction = String(batch.nanos[index]!).padStart(9, '0');
      out.text(JSON.stringify(`${date(batch.seconds[index]!, 0)}.${fraction}`));
    },
  };
}

/** The body of a request, from the bytes of a section. */
export function requestBody(format: HttpOutputOptions['format'], records: Buffer): Buffer {
  if (format !== 'json') return records;
  const body = Buffer.allocUnsafe(records.length + 1);
  body[0] = 0x5b;
  records.copy(body, 1);
  body[records.length] = 0x5d;
  return body;
}
