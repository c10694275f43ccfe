import {
  type Batch,
  type Column,
  GrokProgram,
  layout,
  type PluginContext,
} from '../../../core/sdk/index.ts';
import type { Grok } from '../../shared/grok/grok.ts';
import { lowerPattern } from '../../shared/grok/lower_pattern.ts';
import type { CaptureWriter } from './capture_writer.ts';
import { eventState } from './event_state.ts';
import type { Texts } from './texts.ts';

type Kernel = NonNullable<PluginContext['kernel']>;

/** The patterns that the kernel can run, and the memory that it needs for them. */
export class KernelStage {
  private readonly kernel: Kernel;
  private readonly writers: readonly CaptureWriter[];
  /** Per pattern; undefined where JavaScript does it alone. */
  private readonly programs: readonly (GrokProgram | undefined)[];
  private readonly block: ReturnType<Kernel['arena']['take']>;
  private readonly select: Uint8Array = new Uint8Array(0);
  /** 1 for an event that the last run matched; meaningless for events it was not asked for. */
  readonly result: Uint8Array = new Uint8Array(0);

  constructor(kernel: Kernel, grok: Grok, writers: readonly CaptureWriter[]) {
    this.kernel = kernel;
    this.writers = writers;
    this.block = kernel.arena.take(layout.eventsMax * 2);
    // Every pattern reads the field as it was before the first: the kernel would read what an
    // earlier one has put there. And it does not tell an empty group from one without a part.
    const isUsable = grok.breakOnMatch || grok.patterns.length === 1;
    if (this.block === undefined || !isUsable || grok.keepEmptyCaptures) {
      this.programs = [];
      return;
    }
    const { start } = this.block;
    this.select = new Uint8Array(kernel.memory.buffer, start, layout.eventsMax);
    this.result = new Uint8Array(kernel.memory.buffer, start + layout.eventsMax, layout.eventsMax);
    this.programs = grok.patterns.map((pattern, i) => loadProgram(kernel, pattern, writers[i]!));
  }

  /** Runs a pattern over the pending texts and marks those that matched. False when nothing ran. */
  run(batch: Batch, pattern: number, texts: Texts): boolean {
    const program = this.programs[pattern];
    const { column } = texts;
    const isHere = batch.inKernelMemory && batch.bytes.buffer === this.kernel.memory.buffer;
    if (program === undefined || column === undefined || !isHere) return false;
    if (texts.selectColumn(this.select, batch.count) === 0) return false;
    const columns = this.writers[pattern]!.allColumns(batch);
    if (columns === undefined) return false;
    program.run(batch, column, columns, this.select, this.result);
    const { events, states, count } = texts;
    for (let item = 0; item < count; item++) {
      const event = events[item]!;
      if (this.select[event] === 1 && this.result[event] === 1) states[item] = eventState.matched;
    }
    return true;
  }

  /** Runs the first pattern over the selected events at once, where all but a few have their text
   *  in a column of the field. `result` then says which are done; returns how many, or -1 when
   *  nothing ran. */
  runSelected(batch: Batch, column: Column): number {
    const program = this.programs[0];
    const isHere = batch.inKernelMemory && batch.bytes.buffer === this.kernel.memory.buffer;
    if (program === undefined || !isHere) return -1;
    const columns = this.writers[0]!.allColumns(batch);
    if (columns === undefined) return -1;
    return program.run(batch, column, columns, batch.select, this.result);
  }

  close(): void {
    for (const program of this.programs) program?.close();
    if (this.block !== undefined) this.kernel.arena.release(this.block);
  }
}

function loadProgram(
  kernel: Kernel,
  pattern: Grok['patterns'][number],
  writer: CaptureWriter,
): GrokProgram | undefined {
  const program = lowerPattern(pattern, (i) => writer.fields[writer.places[i]!]!.name);
  if ('reason' in program) return undefined;
  const overwrite = writer.fields.filter((_, i) => writer.overwrites[i]).map(({ name }) => name);
  return GrokProgram.load(kernel, program, { keepEmpty: false, overwrite });
}
