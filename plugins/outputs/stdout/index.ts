import type { Writable } from 'node:stream';
import {
  type Chunk,
  defineOutput,
  type Output,
  type OutputContext,
  type RecordEncoder,
} from '../../../core/sdk/index.ts';
import { jsonLineEncoder } from '../../shared/json_lines/json_lines.ts';
import { type StdoutOptions, schema } from './config.ts';
import { indentedJson } from './indented_json.ts';

/** Prints records on standard output. */
export const plugin = defineOutput<StdoutOptions>({
  name: 'stdout',
  summary: 'Prints records on standard output.',
  stability: 'beta',
  encodesApart: true,
  schema,
  example: `pipeline:
  inputs:
    - name: dummy
      samples: 3
  outputs:
    - name: stdout
      match: '*'
`,
  create: (options, context) => new StdoutOutput(options, context, process.stdout),
});

class StdoutOutput implements Output {
  readonly encoder: RecordEncoder;
  private readonly pretty: boolean;
  private readonly stream: Writable;
  private readonly log: OutputContext['log'];
  private isUnread = false;

  constructor(options: StdoutOptions, context: OutputContext, stream: Writable) {
    this.encoder = jsonLineEncoder(options, context);
    this.pretty = options.format === 'json_pretty';
    this.stream = stream;
    this.log = context.log;
  }

  open(): Promise<void> {
    // Each write says itself what became of it; unheard, the event would end the process.
    this.stream.on('error', ignore);
    return Promise.resolve();
  }

  close(): Promise<void> {
    // The event comes after the write's own word.
    setImmediate(() => this.stream.off('error', ignore));
    return Promise.resolve();
  }

  async deliver(chunk: Chunk): Promise<{ kind: 'accepted' }> {
    if (this.isUnread) return { kind: 'accepted' };
    try {
      await this.write(this.pretty ? indented(chunk) : Buffer.from(chunk.body()));
    } catch (error) {
      if (!isClosedPipe(error)) throw error;
      // A reader that went away (`| head`) does not come back: no reason to keep the records.
      this.isUnread = true;
      this.log.warn({}, 'Nobody reads standard output any more: records are printed no longer.');
    }
    return { kind: 'accepted' };
  }

  /** Resolves when the system has taken the text. */
  private write(text: string | Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      this.stream.write(text, (error) => (error ? reject(error) : resolve()));
    });
  }
}

function ignore(): void {}

const closedPipeCodes = new Set(['EPIPE', 'ERR_STREAM_DESTROYED', 'ERR_STREAM_WRITE_AFTER_END']);

function isClosedPipe(error: unknown): boolean {
  return error instanceof Error && 'code' in error && closedPipeCodes.has(String(error.code));
}

function indented(chunk: Chunk): string {
  let text = '';
  for (let index = 0; index < chunk.count; index++) {
    text += `${indentedJson(chunk.recordAt(index).toString())}\n`;
  }
  return text;
}
