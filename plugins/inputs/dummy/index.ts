import {
  type BatchEmitter,
  defineInput,
  type Input,
  type InputContext,
  isJsonObject,
  type OpenSource,
  type OptionProblem,
  pause,
} from '../../../core/sdk/index.ts';
import { type DummyOptions, schema } from './config.ts';

/** Makes the same record again and again: for trying a pipeline out. */
export const plugin = defineInput<DummyOptions>({
  name: 'dummy',
  summary: 'Makes the same record again and again, to try a pipeline out.',
  stability: 'beta',
  schema,
  example: `pipeline:
  inputs:
    - name: dummy
      dummy: '{"level": "info", "message": "hello"}'
      samples: 3
  outputs:
    - name: stdout
      match: '*'
`,
  isFinite: (options) => options.samples > 0,
  check: (options) => checkRecord(options.dummy),
  create: (options, context) => new DummyInput(options, context),
});

function checkRecord(text: string): OptionProblem[] {
  const bytes = Buffer.from(text);
  if (isJsonObject(bytes, 0, bytes.length)) return [];
  return [{ path: ['dummy'], message: 'The record is not a JSON object.' }];
}

class DummyInput implements Input {
  private readonly options: DummyOptions;
  private readonly context: InputContext;
  private readonly record: Buffer;
  private made = 0;

  constructor(options: DummyOptions, context: InputContext) {
    this.options = options;
    this.context = context;
    this.record = Buffer.from(options.dummy);
  }

  async run(emitter: BatchEmitter, signal: AbortSignal): Promise<void> {
    const source = await this.context.sources.open({ name: this.context.id });
    const { samples, copies, rate } = this.options;
    const periodMs = Math.max(10, 1000 / rate);
    const perPeriod = copies * Math.max(1, Math.round((rate * periodMs) / 1000));
    while (!signal.aborted && (samples === 0 || this.made < samples)) {
      const left = samples === 0 ? perPeriod : samples - this.made;
      await this.emit(emitter, source, samples === 0 ? perPeriod : left);
      if (samples === 0) await pause(this.context.clock, periodMs, signal);
    }
  }

  private async emit(emitter: BatchEmitter, source: OpenSource, wanted: number): Promise<void> {
    const batch = await emitter.batch(source, this.context.tag, this.record.length);
    this.record.copy(batch.bytes, batch.dataStart);
    const now = this.context.clock.nowMs();
    const seconds = Math.floor(now / 1000);
    const count = Math.min(wanted, batch.capacity);
    for (let k = 0; k < count; k++) {
      const offset = this.made++;
      const index = batch.addEvent(offset, offset + 1, seconds, Math.floor((now % 1000) * 1e6));
      batch.setRoot(index, batch.dataStart, batch.dataStart + this.record.length);
    }
    batch.positionEnd = this.made;
    batch.inputBytes = count * this.record.length;
    await emitter.emit(batch);
  }
}
