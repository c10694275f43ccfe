import { once } from 'node:events';
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

  constructor(options: StdoutOptions, context: OutputContext, stream: Writable) {
    this.encoder = jsonLineEncoder(options, context);
    this.pretty = options.format === 'json_pretty';
    this.stream = stream;
  }

  async deliver(chunk: Chunk): Promise<{ kind: 'accepted' }> {
    const text = this.pretty ? indented(chunk) : Buffer.from(chunk.body());
    // A reader that went away (`| head`) is no reason to keep the records.
    if (this.stream.writable && !this.stream.write(text)) {
      await Promise.race([once(this.stream, 'drain'), once(this.stream, 'close')]);
    }
    return { kind: 'accepted' };
  }
}

function indented(chunk: Chunk): string {
  let text = '';
  for (let index = 0; index < chunk.count; index++) {
    text += `${JSON.stringify(JSON.parse(chunk.recordAt(index).toString()), null, 2)}\n`;
  }
  return text;
}
