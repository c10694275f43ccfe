import { join, resolve } from 'node:path';
import {
  type Chunk,
  defineOutput,
  type DeliveryOutcome,
  messageOf,
  type Output,
  type OutputContext,
  type RecordEncoder,
  type RejectedRecord,
} from '../../../core/sdk/index.ts';
import { jsonLineEncoder } from '../../shared/json_lines/json_lines.ts';
import { type FileOptions, schema } from './config.ts';
import { FileName } from './file_name.ts';
import { LogFile } from './log_file.ts';

/** Writes records into files, one JSON object a line. */
export const plugin = defineOutput<FileOptions>({
  name: 'file',
  summary: 'Writes records into files, one JSON object a line.',
  stability: 'beta',
  encodesApart: true,
  schema,
  example: `pipeline:
  inputs:
    - name: dummy
      tag: demo
      samples: 3
  outputs:
    - name: file
      match: '*'
      path: ./out
      file: demo.ndjson
`,
  create: (options, context) => new FileOutput(options, context),
});

class FileOutput implements Output {
  readonly encoder: RecordEncoder;
  private readonly options: FileOptions;
  private readonly directory: string;
  private readonly isStatic: boolean;
  /** Open files, the one used last at the end. */
  private readonly files = new Map<string, LogFile>();
  private working: Promise<unknown> = Promise.resolve();

  constructor(options: FileOptions, context: OutputContext) {
    const name = new FileName(options.file);
    this.options = options;
    this.isStatic = name.isStatic;
    this.directory = resolve(context.baseDirectory, options.path);
    const sectionKey = (batch: Parameters<FileName['of']>[0], index: number) =>
      name.of(batch, index);
    this.encoder = jsonLineEncoder({ ...options, sectionKey }, context);
  }

  /** One chunk at a time, so that lines of two never mix. */
  deliver(chunk: Chunk): Promise<DeliveryOutcome> {
    const done = this.working.then(() => this.write(chunk));
    this.working = done.catch(() => undefined);
    return done;
  }

  async close(): Promise<void> {
    await this.working;
    for (const file of this.files.values()) await file.close();
    this.files.clear();
  }

  private async write(chunk: Chunk): Promise<DeliveryOutcome> {
    const rejected: RejectedRecord[] = [];
    let first = 0;
    for (const section of chunk.sections) {
      const file = await this.file(section.key);
      try {
        await file.append(section.writer.view());
      } catch (error) {
        if (!this.isUnfit(error)) throw error;
        const reason = `The file ${section.key} cannot be: ${messageOf(error)}.`;
        for (let at = 0; at < section.count; at++) rejected.push({ index: first + at, reason });
      }
      first += section.count;
    }
    if (rejected.length === 0) return { kind: 'accepted' };
    return { kind: 'partial', retry: [], rejected, reason: rejected[0]!.reason };
  }

  /** A name that a record brought and no file can have, such as that of a directory, must not hold
   *  up the other files. */
  private isUnfit(error: unknown): boolean {
    // Node's errors of system calls have a code.
    const { code } = error as NodeJS.ErrnoException;
    return !this.isStatic && (code === 'EISDIR' || code === 'ENAMETOOLONG');
  }

  private async file(name: string): Promise<LogFile> {
    const known = this.files.get(name);
    if (known !== undefined) {
      this.files.delete(name);
      this.files.set(name, known);
      return known;
    }
    if (this.files.size >= this.options.files_max) {
      const [oldest, file] = this.files.entries().next().value!;
      this.files.delete(oldest);
      await file.close();
    }
    const file = new LogFile({
      path: join(this.directory, name),
      mkdir: this.options.mkdir,
      rotateBytes: this.options.rotate_size,
      rotateKeep: this.options.rotate_keep,
      sync: this.options.sync,
    });
    this.files.set(name, file);
    return file;
  }
}
