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
import { EventSnapshot } from '../../shared/values/event_snapshot.ts';
import type { Options } from './config.ts';
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
  /** What events become for which the function answered with an array, by position in `indices`. */
  private readonly pieces: (readonly Buffer[] | undefined)[] = [];
  /** Position of the event in progress, or of the last one. */
  private started = -1;
  private isFinished = true;
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
    this.pieces.length = 0;
    this.started = -1;
    this.isFinished = true;
    for (let index = 0; index < batch.count; index++) {
      if (batch.select[index] === 1) indices.push(index);
    }
    const step = (position: number) => this.run(batch, position);
    const work = { count: indices.length, progress: 0, step };
    const { timedOut } = runGuarded(work, this.options.timeout_millis ?? 20);
    if (!this.isFinished) this.snapshot.restore(batch, indices[this.started]!);
    for (const position of timedOut) this.markTimeout(batch, position);
    for (let position = 0; position < indices.length; position++) {
      this.pieces[position]?.forEach((json, i) => {
        this.derived.add(batch, indices[position]!, i + 1, json, emitter, 'next');
      });
    }
    this.derived.flush(batch, emitter, 'next');
  }

  /** Handles one event. The watchdog may cut it short anywhere: then it runs again, or the next one
   *  does, and what it did so far is taken back first. */
  private run(batch: Batch, position: number): void {
    const index = this.indices[position]!;
    if (!this.isFinished) this.snapshot.restore(batch, this.indices[this.started]!);
    this.snapshot.save(batch, index);
    this.started = position;
    this.isFinished = false;
    const call = this.call!;
    try {
      this.take(batch, position, call(this.view.at(batch, index), batch.tagName(index)));
    } catch (error) {
      this.snapshot.restore(batch, index);
      this.failures.value++;
      for (const mark of this.options.tag_on_failure ?? ['_scriptfailure']) {
        batch.addMark(index, mark);
      }
      this.context.log.warn({ error: messageOf(error) }, 'The script threw on a record.');
    }
    this.isFinished = true;
  }

  /** Does what the function's answer says. */
  private take(batch: Batch, position: number, answer: unknown): void {
    const index = this.indices[position]!;
    if (answer === undefined || answer === true || answer === this.view) return;
    if (answer === null || answer === false) {
      batch.dropped[index] = dropReason.filtered;
    } else if (Array.isArray(answer)) {
      if (answer.length > piecesMax) {
        throw new TypeError(`the function returned more than ${piecesMax} records`);
      }
      this.pieces[position] = answer.map(jsonOf);
      batch.dropped[index] = answer.length === 0 ? dropReason.filtered : dropReason.split;
    } else batch.replaceRoot(index, jsonOf(answer));
  }

  private markTimeout(batch: Batch, position: number): void {
    const index = this.indices[position]!;
    delete this.pieces[position];
    this.timeouts.value++;
    for (const mark of this.options.tag_on_timeout ?? ['_scripttimeout']) {
      batch.addMark(index, mark);
    }
    this.context.log.warn({ mark: 'timeout' }, 'The script took too long on a record.');
  }
}

/** The view that scripts get: what they put in its place must be an object. */
class ScriptEvent extends EventView {
  override replace(object: Record<string, unknown>): void {
    // Parsing gives the same object, without what JSON cannot say.
    super.replace(JSON.parse(jsonOf(object).toString()) as Record<string, unknown>);
  }
}

/** An object as JSON. Throws a TypeError for all else, and for one nested too deeply. */
function jsonOf(value: unknown): Buffer {
  if (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as Thenable).then === 'function'
  ) {
    throw new TypeError('the function returned a promise: it must return its answer');
  }
  const text = typeof value === 'object' ? JSON.stringify(value) : undefined;
  const json = Buffer.from(text ?? '');
  if (!isJsonObject(json, 0, json.length)) {
    throw new TypeError('a record must be a plain object, nested at most 512 deep');
  }
  return json;
}

interface Thenable {
  readonly then?: unknown;
}
