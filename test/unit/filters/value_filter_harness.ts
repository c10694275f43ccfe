import assert from 'node:assert/strict';
import { Batch, heapBatch } from '../../../core/batch/batch.ts';
import { ByteWriter } from '../../../core/batch/byte_writer.ts';
import { fieldOf } from '../../../core/batch/field.ts';
import { JsonEventEncoder } from '../../../core/batch/json_encode.ts';
import { layout } from '../../../core/batch/layout.ts';
import type { Source } from '../../../core/batch/source.ts';
import { valueKind } from '../../../core/batch/value_kind.ts';
import { compileFieldPath } from '../../../core/config/field_path.ts';
import type { Kernel } from '../../../core/kernel/kernel.ts';
import type { BatchFilter, Counter, PluginContext } from '../../../core/sdk/contracts.ts';
import type { FilterPlugin } from '../../../core/sdk/define.ts';
import type { Clock } from '../../../core/time/clock.ts';

const source: Source = {
  name: '/var/log/test.log',
  inputId: 'test',
  generation: '00112233445566778899aabbccddeeff',
  ledger: {
    startMark: () => 0,
    processedPosition: 0,
    pend: () => {},
    settle: () => {},
    advance: () => {},
    hold: () => {},
    release: () => {},
  },
};

/** A clock that stands still until a test moves it. */
export class TestClock implements Clock {
  ms = 1_700_000_000_000;
  nowMs = () => this.ms;
  monotonicMs = () => this.ms;
  after = () => () => {};
  every = () => () => {};
}

export interface TestContext extends PluginContext {
  readonly counters: Map<string, Counter>;
  readonly logged: string[];
  readonly clock: TestClock;
}

export function testContext(overrides: Partial<PluginContext> = {}): TestContext {
  const counters = new Map<string, Counter>();
  const logged: string[] = [];
  const write = (_fields: object, message: string) => {
    logged.push(message);
  };
  return {
    id: 'filter.0',
    log: { error: write, warn: write, info: write, debug: write },
    clock: new TestClock(),
    metrics: {
      counter(name) {
        const counter = counters.get(name) ?? { value: 0 };
        counters.set(name, counter);
        return counter;
      },
      gauge: () => {},
    },
    baseDirectory: '/',
    service: {
      eventBytesMax: 10_000_000,
      flushMs: 1000,
      multilineBufferLimitBytes: 2_000_000,
      hostName: 'test-host',
      storagePath: '/tmp',
    },
    declare: (field) => field,
    environment: (name) => process.env[name],
    field(reference) {
      const path = compileFieldPath(reference);
      return fieldOf(path.keys, path.literal);
    },
    parser: () => assert.fail('no parsers here'),
    multilineRules: () => assert.fail('no parsers here'),
    kernel: undefined,
    setHealth: () => {},
    ...overrides,
    counters,
    logged,
  } as TestContext;
}

/** An event: an object or JSON text that is the root, or `{ line }`, a raw line under `log`. */
export type TestEvent = Readonly<Record<string, unknown>> | string | RawLine;

export class RawLine {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** Fills a batch with events, all selected, a second and ten bytes apart. */
export function batchOf(events: readonly TestEvent[], kernel?: Kernel, tag = 'app'): Batch {
  const texts = events.map((event) =>
    event instanceof RawLine
      ? event.text
      : typeof event === 'string'
        ? event
        : JSON.stringify(event),
  );
  const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  const batch =
    kernel === undefined
      ? heapBatch(bytes, Math.max(1, events.length))
      : new Batch(kernel.bytes, layout.slotsStart, {
          events: layout.eventsMax,
          dataBytes: layout.dataBytes,
          scratchBytes: layout.scratchBytes,
          inKernelMemory: true,
        });
  assert.ok(bytes <= layout.dataBytes);
  batch.reset(source, tag);
  let at = batch.dataStart;
  events.forEach((event, i) => {
    const end = at + batch.bytes.write(texts[i]!, at);
    const index = batch.addEvent(i * 10, i * 10 + 10, 1_700_000_000 + i, 0);
    if (event instanceof RawLine) {
      const column = batch.column(fieldOf(['log']))!;
      batch.setSpan(column, index, at, end, valueKind.text);
    } else batch.setRoot(index, at, end);
    batch.select[index] = 1;
    at = end;
  });
  return batch;
}

/** One event of a batch as JSON text. */
export function jsonAt(batch: Batch, index: number): string {
  const out = new ByteWriter();
  new JsonEventEncoder().write(batch, index, out);
  return out.view().toString();
}

export interface Outcome {
  /** What is left of the events, in order; `undefined` for one that was dropped. */
  readonly events: readonly (Record<string, unknown> | undefined)[];
  readonly json: readonly string[];
  readonly dropped: readonly number[];
  readonly derived: readonly DerivedEvent[];
  readonly batch: Batch;
}

export interface DerivedEvent {
  readonly event: Record<string, unknown>;
  readonly tag: string;
  readonly part: number;
  readonly offset: number;
  readonly to: 'next' | 'first';
}

/** Runs a filter over a batch whose selected events are given by `select`. */
export async function runFilter(filter: BatchFilter, batch: Batch): Promise<Outcome> {
  const derived: DerivedEvent[] = [];
  await filter.process(batch, {
    derive(from, events, dataBytes) {
      const made = heapBatch(dataBytes, Math.max(1, events));
      made.reset(from.source, from.tagNames[0]!);
      return made;
    },
    forward(made, to) {
      for (let index = 0; index < made.count; index++) {
        derived.push({
          event: JSON.parse(jsonAt(made, index)) as Record<string, unknown>,
          tag: made.tagName(index),
          part: made.part[index]!,
          offset: made.offset[index]!,
          to,
        });
      }
    },
  });
  const indices = Array.from({ length: batch.count }, (_, index) => index);
  const json = indices.map((index) => jsonAt(batch, index));
  return {
    json,
    events: indices.map((index) =>
      batch.dropped[index] === 0
        ? (JSON.parse(json[index]!) as Record<string, unknown>)
        : undefined,
    ),
    dropped: indices.map((index) => batch.dropped[index]!),
    derived,
    batch,
  };
}

/** Checks options, makes the filter, opens it, runs it over the events and closes it. */
export async function filterEvents<Options>(
  plugin: FilterPlugin<Options>,
  options: Options,
  events: readonly TestEvent[],
  context: TestContext = testContext(),
): Promise<Outcome> {
  assert.deepEqual(plugin.check?.(options) ?? [], []);
  // All plugins tested here are of the batch kind.
  const filter = plugin.create(options, context) as BatchFilter;
  await filter.open?.();
  const outcome = await runFilter(filter, batchOf(events, context.kernel));
  await filter.close?.();
  await filter.close?.();
  return outcome;
}
