import type { Batch } from '../../../core/batch/batch.ts';
import { ByteWriter } from '../../../core/batch/byte_writer.ts';
import { JsonEventEncoder } from '../../../core/batch/json_encode.ts';
import type { Counter, Input, InputContext, SourceRegistry } from '../../../core/sdk/contracts.ts';
import type { InputPlugin } from '../../../core/sdk/define.ts';
import { ScratchEmitter, scratchSources } from '../../../core/testing/index.ts';
import { systemClock } from '../../../core/time/clock.ts';
import { withDefaults } from '../outputs/chunk_harness.ts';
import { testContext } from '../parsers/parsing_fixture.ts';

export interface SeenRecord {
  readonly record: Record<string, unknown>;
  readonly tag: string;
  readonly seconds: number;
  readonly nanos: number;
  readonly offset: number;
}

/** Takes what an input emits, as objects. */
export class CollectingEmitter extends ScratchEmitter {
  readonly seen: SeenRecord[] = [];
  private readonly encoder = new JsonEventEncoder();
  private readonly out = new ByteWriter();
  /** Held back while set, as by outputs that are full. */
  gate: Promise<void> | undefined;

  override async emit(batch: Batch): Promise<void> {
    await this.gate;
    for (let index = 0; index < batch.count; index++) {
      this.out.clear();
      this.encoder.write(batch, index, this.out);
      this.seen.push({
        // The encoder writes objects.
        record: JSON.parse(this.out.view().toString()) as Record<string, unknown>,
        tag: batch.tagName(index),
        seconds: batch.seconds[index]!,
        nanos: batch.nanos[index]!,
        offset: batch.offset[index]!,
      });
    }
    await super.emit(batch);
  }
}

export interface InputRig {
  readonly input: Input;
  readonly emitter: CollectingEmitter;
  readonly counters: Map<string, Counter>;
  readonly log: string[];
  /** Value of a counter with these labels, 0 when nobody counted. */
  count(name: string, labels?: Readonly<Record<string, string>>): number;
  /** Runs until `stop`. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** An input without an engine; options are completed by the schema's defaults. */
export function inputRig<Options>(
  plugin: InputPlugin<Options>,
  options: Readonly<Record<string, unknown>>,
  parts: Partial<InputContext> = {},
  make: (options: Options, context: InputContext) => Input = (all, context) =>
    plugin.create(all, context),
): InputRig {
  const counters = new Map<string, Counter>();
  const log: string[] = [];
  const say = (fields: Record<string, unknown>, message: string): void => {
    log.push(`${message} ${JSON.stringify(fields)}`);
  };
  const counter = (name: string, labels: Readonly<Record<string, string>> = {}): Counter => {
    const key = keyOf(name, labels);
    const known = counters.get(key) ?? { value: 0 };
    counters.set(key, known);
    return known;
  };
  const base = testContext();
  const sources: SourceRegistry = scratchSources();
  const context: InputContext = {
    ...base,
    id: `${plugin.name}.0`,
    tag: `${plugin.name}.0`,
    clock: systemClock,
    log: { error: say, warn: say, info: say, debug: say },
    metrics: { counter, gauge: () => undefined },
    sources,
    ...parts,
  };
  const input = make(withDefaults<Options>(plugin.schema, options), context);
  const emitter = new CollectingEmitter();
  const stopper = new AbortController();
  let running: Promise<void> = Promise.resolve();
  return {
    input,
    emitter,
    counters,
    log,
    count: (name, labels = {}) => counters.get(keyOf(name, labels))?.value ?? 0,
    async start() {
      await input.open?.();
      running = input.run(emitter, stopper.signal);
      // Seen by `stop`.
      running.catch(() => undefined);
    },
    async stop() {
      stopper.abort();
      await running;
      await input.close?.();
    },
  };
}

function keyOf(name: string, labels: Readonly<Record<string, string>>): string {
  return `${name} ${JSON.stringify(Object.entries(labels).sort())}`;
}
