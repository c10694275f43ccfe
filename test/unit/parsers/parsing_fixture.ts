import type { Batch } from '../../../core/batch/batch.ts';
import { BatchPool } from '../../../core/batch/batch_pool.ts';
import { ByteWriter } from '../../../core/batch/byte_writer.ts';
import { fieldOf } from '../../../core/batch/field.ts';
import { JsonEventEncoder } from '../../../core/batch/json_encode.ts';
import { valueKind } from '../../../core/batch/value_kind.ts';
import { compileFieldPath } from '../../../core/config/field_path.ts';
import { SluiceError } from '../../../core/errors/sluice_error.ts';
import type { Kernel } from '../../../core/kernel/kernel.ts';
import type { BatchFilter, Counter, Parser, PluginContext } from '../../../core/sdk/contracts.ts';
import { systemClock } from '../../../core/time/clock.ts';
import { builtInParsers } from '../../../plugins/parsers/built_in.ts';
import { plugin as csv } from '../../../plugins/parsers/csv/index.ts';
import { plugin as dissect } from '../../../plugins/parsers/dissect/index.ts';
import { plugin as json } from '../../../plugins/parsers/json/index.ts';
import { plugin as keyValue } from '../../../plugins/parsers/key_value/index.ts';
import { plugin as logfmt } from '../../../plugins/parsers/logfmt/index.ts';
import { plugin as ltsv } from '../../../plugins/parsers/ltsv/index.ts';
import { plugin as regex } from '../../../plugins/parsers/regex/index.ts';
import { plugin as syslog } from '../../../plugins/parsers/syslog/index.ts';
import { parseLine } from '../../../plugins/shared/parsing/parse_line.ts';

const plugins = [csv, dissect, json, keyValue, logfmt, ltsv, regex, syslog];

/** What the tests take for now. */
export const testNow = '2024-03-09T12:00:00Z';

export interface TestContext extends PluginContext {
  readonly parserName: string;
  readonly counters: Map<string, Counter>;
}

/** A context whose parsers are the built-in ones and those given. */
export function testContext(
  parsers: Readonly<Record<string, Parser>> = {},
  kernel?: Kernel,
): TestContext {
  const counters = new Map<string, Counter>();
  const counter = (name: string) => {
    const known = counters.get(name) ?? { value: 0 };
    counters.set(name, known);
    return known;
  };
  const silent = () => {};
  return {
    id: 'test',
    parserName: 'test',
    counters,
    log: { error: silent, warn: silent, info: silent, debug: silent },
    clock: { ...systemClock, nowMs: () => Date.parse(testNow) },
    metrics: { counter, gauge: silent },
    baseDirectory: '/',
    service: {
      eventBytesMax: 1e6,
      flushMs: 1000,
      hostName: 'host',
      storagePath: '/',
      multilineBufferLimitBytes: 2e6,
    },
    declare: (field) => field,
    environment: (name) => process.env[name],
    field(reference) {
      const { keys, literal } = compileFieldPath(reference);
      return fieldOf(keys, literal);
    },
    parser: (name) => parsers[name] ?? builtIn(name),
    multilineRules: () => {
      throw new Error('No test asks for multiline rules.');
    },
    kernel,
    setHealth: silent,
  };
}

/** Makes a parser of a format; `options` as they are after normalising. */
export function makeParser(format: string, options: Record<string, unknown> = {}): Parser {
  const plugin = plugins.find(({ name }) => name === format);
  if (plugin === undefined) throw new Error(`There is no format ${format}.`);
  // Each test gives the options of the format that it names.
  return plugin.create(options as never, testContext());
}

export function builtIn(name: string): Parser {
  const found = builtInParsers[name];
  if (found === undefined) {
    throw new SluiceError('SLUICE_OPTION_INVALID', `There is no parser ${name}.`);
  }
  return makeParser(found.format, { ...found.options });
}

/** The fields of a line as an object, or null when it does not fit. */
export function fieldsOf(parser: Parser, line: string): unknown {
  const parsed = parseLine(parser, line);
  return parsed === null ? null : JSON.parse(parsed.json);
}

/** The time of a line, as ISO text with all nine digits. */
export function timeOf(parser: Parser, line: string): string | undefined {
  const time = parseLine(parser, line)?.time;
  return time === undefined ? undefined : isoOf(time.seconds, time.nanos);
}

function isoOf(seconds: number, nanos: number): string {
  const text = new Date(seconds * 1000).toISOString().slice(0, 19);
  return `${text}.${String(nanos).padStart(9, '0')}Z`;
}

/** An event to put into a batch: a raw line under a key, or a record, or both. */
export interface TestEvent {
  readonly line?: string | Buffer;
  readonly key?: string;
  /** JSON text. */
  readonly record?: string;
}

/** A batch of these events, all selected. */
export function batchOf(events: readonly TestEvent[], kernel?: Kernel): Batch {
  const batch = new BatchPool(kernel, 1).acquire()!;
  const unasked = () => {};
  batch.reset(
    {
      name: 'test',
      inputId: 'test',
      generation: '00112233445566778899aabbccddeeff',
      ledger: {
        startMark: () => 0,
        processedPosition: 0,
        pend: unasked,
        settle: unasked,
        advance: unasked,
        hold: unasked,
        release: unasked,
      },
    },
    'test',
  );
  let at = batch.dataStart;
  const put = (text: string | Buffer) => {
    const bytes = Buffer.from(text);
    bytes.copy(batch.bytes, at);
    at += bytes.length + 1;
    return { start: at - bytes.length - 1, end: at - 1 };
  };
  for (const { line, key = 'log', record } of events) {
    const index = batch.addEvent(at, at, 0, 0);
    batch.select[index] = 1;
    if (record !== undefined) {
      const { start, end } = put(record);
      batch.setRoot(index, start, end);
    }
    if (line !== undefined) {
      const { start, end } = put(line);
      batch.setSpan(batch.column(fieldOf([key]))!, index, start, end, valueKind.text);
    }
  }
  return batch;
}

/** What is left of the batch's events, as objects. */
export function recordsOf(batch: Batch): unknown[] {
  const encoder = new JsonEventEncoder();
  const out = new ByteWriter(1024);
  const records: unknown[] = [];
  for (let index = 0; index < batch.count; index++) {
    if (batch.dropped[index] !== 0) continue;
    out.clear();
    encoder.write(batch, index, out);
    records.push(JSON.parse(out.view().toString()));
  }
  return records;
}

/** The events' times, as ISO text with all nine digits. */
export function timesOf(batch: Batch): string[] {
  return Array.from({ length: batch.count }, (_, i) => isoOf(batch.seconds[i]!, batch.nanos[i]!));
}

/** Runs a filter that derives no events. */
export async function runFilter(filter: BatchFilter, batch: Batch): Promise<void> {
  const refuse = () => {
    throw new Error('The filter derives events.');
  };
  await filter.process(batch, { derive: refuse, forward: refuse });
}
