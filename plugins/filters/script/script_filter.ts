import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import {
  type Batch,
  type BatchFilter,
  ByteWriter,
  type Counter,
  type DerivedEmitter,
  dropReason,
  EventView,
  isJsonObject,
  messageOf,
  type PluginContext,
  runGuarded,
  SluiceError,
} from '../../../core/sdk/index.ts';
import { DerivedEvents } from '../../shared/values/derived_events.ts';
import type { Options } from './config.ts';
import { EventSnapshot } from './event_snapshot.ts';
import { loadFunction, type UserFunction } from './user_function.ts';

/** Records that one event may become. */
const piecesMax = 10_000;

/** Calls a user's function for each event, under a watchdog. An event on which it throws or takes
 *  too long stays as it was, marked; its neighbours are not touched. */
export class ScriptFilter implements BatchFilter {
  private readonly options: Options;
  private readonly context: PluginContext;
  private readonly view: ScriptEvent;
  private readonly snapshot = new EventSnapshot();
  private readonly derived: DerivedEvents;
  private readonly failures: Counter;
  private readonly timeouts: Counter;
  private readonly indices: number[] = [];
  /** What the event in progress becomes, when the function answered with an array. */
  private pieces: (readonly Buffer[] | undefined)[] = [];
  private call: UserFunction | undefined;

  constructor(options: Options, context: PluginContext) {
    this.options = options;
    this.context = context;
    this.view = new ScriptEvent((reference) => context.field(reference), new ByteWriter(4096));
    this.derived = new DerivedEvents(context.id);
    this.failures = context.metrics.counter('sluice_script_failures_total');
    this.timeouts = context.metrics.counter('sluice_script_timeouts_total');
  }

  async open(): Promise<void> {
    const { code, file, call } = this.options;
    if (code !== undefined) {
      this.call = loadFunction(code, `${this.context.id}.code`, call);
      return;
    }
    const path = resolve(this.context.baseDirectory, file ?? '');
    let text: string;
    try {
      text = await readFile(path, 'utf8');
    } catch (cause) {
      throw new SluiceError(
        'SLUICE_OPTION_INVALID',
        `The script file ${path} cannot be read: ${messageOf(cause)}`,
        { cause },
      );
    }
    this.call = loadFunction(text, path, call);
  }

  process(batch: Batch, emitter: DerivedEmitter): void {
    const { indices } = this;
    indices.length = 0;
    this.pieces = [];
    for (let index = 0; index < batch.count; index++) {
      if (batch.select[index] === 1) indices.push(index);
    }
    let started = -1;
    const step = (position: number) => {
      const index = indices[position]!;
      // A second try after a cut begins where the first one began.
      if (started === position) this.snapshot.restore(batch, index);
      else this.snapshot.save(batch, index);
      started = position;
      this.run(batch, index, position);
    };
    const work = { count: indices.length, progress: 0, step };
    const limited: typeof work = work;
    const { timedOut } = runGuarded(
      {
        count: limited.count,
        get progress() {
          return work.progress;
        },
        set progress(value) {
          work.progress = value;
        },
        step,
      },
      this.options.timeout_millis ?? 20,
    );
    for (const position of timedOut) this.markTimeout(batch, indices[position]!);
    this.emitPieces(batch, emitter);
  }

  private run(batch: Batch, index: number, position: number): void {
    try {
      const answer = this.call!(this.view.at(batch, index), batch.tagName(index));
      this.take(batch, index, position, answer);
    } catch (error) {
      this.snapshot.restore(batch, index);
      this.markFailure(batch, index, error);
    }
  }
}
