import { type Batch, heapBatch } from '../../../core/batch/batch.ts';
import type { Source } from '../../../core/batch/source.ts';
import { Chunk } from '../../../core/chunk/chunk.ts';
import { compileFieldPath } from '../../../core/config/field_path.ts';
import { Secret } from '../../../core/config/secret.ts';
import { fieldOf } from '../../../core/batch/field.ts';
import type {
  Counter,
  OptionProblem,
  Output,
  OutputContext,
  RecordEncoder,
} from '../../../core/sdk/contracts.ts';
import type { OptionsSchema, OutputPlugin } from '../../../core/sdk/define.ts';
import { parseByteSize } from '../../../core/time/byte_size.ts';
import { type Clock, systemClock } from '../../../core/time/clock.ts';
import { parseDuration } from '../../../core/time/duration.ts';

/** One event as a test writes it: an object, JSON text kept to the byte, or fields alone. */
export interface TestEvent {
  readonly root?: object | string;
  /** Set over the root, as a filter does. */
  readonly fields?: Readonly<Record<string, unknown>>;
  readonly seconds?: number;
  readonly nanos?: number;
  readonly tag?: string;
}

/** A source whose ledger nobody asks. */
export const harnessSource: Source = {
  name: 'test.log',
  inputId: 'test',
  generation: '00112233445566778899aabbccddeeff',
  ledger: {
    startMark: () => 0,
    pend: () => {},
    settle: () => {},
    advance: () => {},
    processedPosition: 0,
    hold: () => {},
    release: () => {},
  },
};

/** Puts events into one batch on the heap, all selected. */
export function batchOf(events: readonly TestEvent[]): Batch {
  const roots = events.map(({ root }) =>
    root === undefined
      ? undefined
      : Buffer.from(typeof root === 'string' ? root : JSON.stringify(root)),
  );
  const bytes = roots.reduce((sum, root) => sum + (root?.length ?? 0), 0);
  const batch = heapBatch(bytes + 4096, Math.max(events.length, 1));
  batch.reset(harnessSource, 'test');
  let at = batch.dataStart;
  for (const [position, event] of events.entries()) {
    const root = roots[position];
    const index = batch.addEvent(position, position + 1, event.seconds ?? 0, event.nanos ?? 0);
    batch.select[index] = 1;
    if (root !== undefined) {
      root.copy(batch.bytes, at);
      batch.setRoot(index, at, at + root.length);
      at += root.length;
    }
    if (event.tag !== undefined) batch.setTag(index, event.tag);
    for (const [name, value] of Object.entries(event.fields ?? {})) {
      batch.setValue(index, fieldOf([name]), value);
    }
  }
  return batch;
}

export interface EncodedChunk {
  readonly chunk: Chunk;
  /** Reasons by the index of the event. */
  readonly rejected: Map<number, string>;
}

/** Encodes events into a chunk as the engine does. */
export function chunkOf(
  encoder: RecordEncoder,
  events: readonly TestEvent[],
  id?: string,
): EncodedChunk {
  const chunk = new Chunk('test-output', id);
  const rejected = new Map<number, string>();
  const batch = batchOf(events);
  encoder.encode(batch, batch.select, {
    appendRun: (key, run) => chunk.appendRun(key, run),
    reject: (_batch, index, reason) => rejected.set(index, reason),
  });
  return { chunk, rejected };
}

/** A chunk as it comes back from the disk. */
export function restored(chunk: Chunk): Chunk {
  return Chunk.restore(chunk.header(), Buffer.from(chunk.body()));
}

export interface TestOutput {
  readonly output: Output;
  readonly counters: Map<string, Counter>;
  readonly log: string[];
  readonly health: (string | undefined)[];
}

/** Makes an output with the defaults of its schema. */
export function outputOf<Options>(
  plugin: OutputPlugin<Options>,
  options: Readonly<Record<string, unknown>>,
  parts: Partial<OutputContext> & { readonly clock?: Clock } = {},
): TestOutput {
  const counters = new Map<string, Counter>();
  const log: string[] = [];
  const health: (string | undefined)[] = [];
  const say = (fields: Record<string, unknown>, message: string): void => {
    log.push(`${message} ${JSON.stringify(fields)}`);
  };
  const context: OutputContext = {
    id: 'test.0',
    outputId: 'test.0',
    log: { error: say, warn: say, info: say, debug: say },
    clock: systemClock,
    metrics: {
      counter: (name) => {
        const counter = counters.get(name) ?? { value: 0 };
        counters.set(name, counter);
        return counter;
      },
      gauge: () => {},
    },
    baseDirectory: process.cwd(),
    service: {
      eventBytesMax: 1 << 20,
      flushMs: 1000,
      multilineBufferLimitBytes: 1 << 20,
      hostName: 'host',
      storagePath: '/tmp',
    },
    declare: (field) => field,
    environment: (name) => process.env[name],
    field: (reference) => {
      const { keys, literal } = compileFieldPath(reference);
      return fieldOf(keys, literal);
    },
    parser: () => {
      throw new Error('no parsers here');
    },
    multilineRules: () => {
      throw new Error('no multiline rules here');
    },
    kernel: undefined,
    setHealth: (problem) => health.push(problem),
    tls: {
      enabled: false,
      verify: true,
      verifyHostname: true,
      caFile: undefined,
      caPath: undefined,
      crtFile: undefined,
      keyFile: undefined,
      keyPasswd: undefined,
      vhost: undefined,
      minVersion: undefined,
      maxVersion: undefined,
      ciphers: undefined,
    },
    ...parts,
  };
  return {
    output: plugin.create(withDefaults<Options>(plugin.schema, options), context),
    counters,
    log,
    health,
  };
}

/** What `check` says of options that are completed by the schema's defaults. */
export function problemsOf<Options>(
  plugin: OutputPlugin<Options>,
  options: Readonly<Record<string, unknown>>,
): OptionProblem[] {
  return plugin.check?.(withDefaults<Options>(plugin.schema, options)) ?? [];
}

/** Options as the engine hands them over: defaults filled in, spellings converted. */
export function withDefaults<Options>(
  schema: OptionsSchema,
  options: Readonly<Record<string, unknown>>,
): Options {
  const complete: Record<string, unknown> = {};
  for (const [key, property] of Object.entries(schema.properties)) {
    const value = options[key] ?? property['default'];
    if (value !== undefined) complete[key] = converted(property['x-type'], value);
  }
  for (const key of Object.keys(options)) {
    if (!Object.hasOwn(schema.properties, key)) throw new Error(`no such option: ${key}`);
  }
  // The schema describes this very type.
  return complete as Options;
}

function converted(type: unknown, value: unknown): unknown {
  if (typeof value !== 'string') return value;
  if (type === 'duration') return parseDuration(value, 's');
  if (type === 'size') return parseByteSize(value);
  if (type === 'secret') return new Secret(value);
  if (type === 'comma_list') return value.split(',').map((part) => part.trim());
  return value;
}

/** A delivery that nothing interrupts. */
export function delivery(signal: AbortSignal = new AbortController().signal): {
  signal: AbortSignal;
  attempt: number;
} {
  return { signal, attempt: 1 };
}
