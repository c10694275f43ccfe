import { heapBatch } from '../../../core/batch/batch.ts';
import type { Source } from '../../../core/batch/source.ts';
import { Chunk } from '../../../core/chunk/chunk.ts';
import { compileFieldPath } from '../../../core/config/field_path.ts';
import type { TlsOptions } from '../../../core/config/resolved.ts';
import { fieldOf } from '../../../core/batch/field.ts';
import type { Kernel } from '../../../core/kernel/kernel.ts';
import type { Counter, Output, OutputContext } from '../../../core/sdk/contracts.ts';
import { systemClock } from '../../../core/time/clock.ts';

/** An output's context that counts in a map and logs into a list. */
export interface HarnessContext extends OutputContext {
  readonly counters: Map<string, Counter>;
  readonly logged: { level: string; fields: Record<string, unknown>; message: string }[];
}

export const plainTls: TlsOptions = {
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
};

export interface HarnessOptions {
  readonly tls?: Partial<TlsOptions>;
  readonly baseDirectory?: string;
  readonly kernel?: Kernel | undefined;
}

export function outputContext(options: HarnessOptions = {}): HarnessContext {
  const counters = new Map<string, Counter>();
  const logged: HarnessContext['logged'] = [];
  const logAt = (level: string) => (fields: Record<string, unknown>, message: string) => {
    logged.push({ level, fields, message });
  };
  const unused = (): never => {
    throw new Error('outputs do not ask for this');
  };
  return {
    id: 'output.0',
    outputId: 'output.0',
    log: {
      error: logAt('error'),
      warn: logAt('warn'),
      info: logAt('info'),
      debug: logAt('debug'),
    },
    clock: systemClock,
    metrics: {
      counter(name, labels = {}) {
        const key = [name, ...Object.values(labels)].join(' ');
        const counter = counters.get(key) ?? { value: 0 };
        counters.set(key, counter);
        return counter;
      },
      gauge: () => undefined,
    },
    baseDirectory: options.baseDirectory ?? process.cwd(),
    service: {
      eventBytesMax: 1 << 24,
      flushMs: 1000,
      multilineBufferLimitBytes: 1 << 20,
      hostName: 'host',
      storagePath: '/nowhere',
    },
    declare: (field) => field,
    environment: (name) => process.env[name],
    field: (reference) => {
      const path = compileFieldPath(reference);
      return fieldOf(path.keys, path.literal);
    },
    parser: unused,
    multilineRules: unused,
    kernel: options.kernel,
    tls: { ...plainTls, ...options.tls },
    setHealth: () => undefined,
    counters,
    logged,
  };
}

export interface TestEvent {
  /** The event as JSON text, or as a value to make it of. */
  readonly json: unknown;
  readonly seconds?: number;
  readonly nanos?: number;
  readonly tag?: string;
}

export interface ChunkOptions {
  /** 32 hex characters. */
  readonly generation?: string;
  readonly firstOffset?: number;
  readonly id?: string;
}

const noLedger: Source['ledger'] = {
  startMark: () => 0,
  pend: () => undefined,
  settle: () => undefined,
  advance: () => undefined,
  processedPosition: 0,
  hold: () => undefined,
  release: () => undefined,
};

/** The chunk that an output gets of these events: what the engine does, in small. */
export function chunkOf(
  output: Pick<Output, 'encoder'>,
  events: readonly TestEvent[],
  options: ChunkOptions = {},
): Chunk {
  const texts = events.map(({ json }) =>
    Buffer.from(typeof json === 'string' ? json : JSON.stringify(json)),
  );
  const bytes = texts.reduce((sum, text) => sum + text.length, 0);
  const batch = heapBatch(bytes + 64, Math.max(events.length, 1));
  const generation = options.generation ?? '00112233445566778899aabbccddeeff';
  batch.reset({ name: 'test', inputId: 'test', generation, ledger: noLedger }, 'test');
  let at = batch.dataStart;
  events.forEach((event, k) => {
    const offset = (options.firstOffset ?? 0) + k;
    const index = batch.addEvent(
      offset,
      offset + 1,
      event.seconds ?? 1_709_985_600,
      event.nanos ?? 0,
    );
    const text = texts[k]!;
    text.copy(batch.bytes, at);
    batch.setRoot(index, at, at + text.length);
    at += text.length;
    if (event.tag !== undefined) batch.setTag(index, event.tag);
    batch.select[index] = 1;
  });
  const chunk = new Chunk('output.0', options.id);
  output.encoder.encode(batch, batch.select, {
    appendRun: (key, run) => chunk.appendRun(key, run),
    reject: (_batch, index, reason) => {
      throw new Error(`event ${index} rejected: ${reason}`);
    },
  });
  return chunk;
}

/** Every default of a plugin's schema, then the given options: what the engine makes of a file. */
export function optionsOf<Options>(
  schema: { readonly properties: Readonly<Record<string, Readonly<Record<string, unknown>>>> },
  given: Readonly<Record<string, unknown>> = {},
): Options {
  const defaults: Record<string, unknown> = {};
  for (const [key, property] of Object.entries(schema.properties)) {
    if (!('default' in property)) continue;
    const value = property['default'];
    const isSeconds = property['x-type'] === 'duration' && typeof value === 'string';
    defaults[key] = isSeconds ? Number.parseInt(value as string, 10) * 1000 : value;
  }
  return { ...defaults, ...given } as Options; // Shaped by the schema, as the engine's is.
}
