import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import {
  checkDirectory,
  type Chunk,
  defineOutput,
  type DeliveryOutcome,
  messageOf,
  type Output,
  type OutputContext,
  type RecordEncoder,
} from '../../../core/sdk/index.ts';
import { jsonLineEncoder } from '../../shared/json_lines/json_lines.ts';
import { SectionOutcomes } from '../../shared/record_sink/section_outcomes.ts';
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

/** What the system says to a name that no file can have here. */
const unfitNameCodes = new Set(['EISDIR', 'ENOTDIR', 'EEXIST', 'ENAMETOOLONG', 'ELOOP']);

class FileOutput implements Output {
  readonly encoder: RecordEncoder;
  private readonly options: FileOptions;
  private readonly directory: string;
  private readonly isNamedByRecords: boolean;
  /** Open files, the one used last at the end. */
  private readonly files = new Map<string, LogFile>();
  private working: Promise<unknown> = Promise.resolve();

  constructor(options: FileOptions, context: OutputContext) {
    const name = new FileName(options.file);
    this.options = options;
    this.isNamedByRecords = name.isOfRecords;
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

  probe(): Promise<void> {
    return checkDirectory(this.directory);
  }

  async close(): Promise<void> {
    await this.working;
    for (const file of this.files.values()) await file.close();
    this.files.clear();
  }

  private async write(chunk: Chunk): Promise<DeliveryOutcome> {
    const outcomes = new SectionOutcomes();
    for (const section of chunk.sections) {
      const outcome = outcomes.isHalted
        ? undefined
        : await this.writeSection(section.key, section.writer.view());
      outcomes.add(section.count, outcome);
    }
    return outcomes.whole();
  }

  private async writeSection(name: string, lines: Buffer): Promise<DeliveryOutcome> {
    try {
      await (await this.file(name)).append(lines);
      return { kind: 'accepted' };
    } catch (error) {
      const reason = messageOf(error);
      if (await this.isNameToBlame(error)) return { kind: 'rejected', reason };
      return { kind: 'retry', reason };
    }
  }

  /** True when the name that a record brought cannot be a file, such as one that a directory has:
   *  trying again would hold up its neighbours for ever. */
  private async isNameToBlame(error: unknown): Promise<boolean> {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    const isUnfit = unfitNameCodes.has(String(code)) || (code === 'ENOENT' && !this.options.mkdir);
    if (!this.isNamedByRecords || !isUnfit) return false;
    const facts = await stat(this.directory).catch(() => undefined);
    return facts?.isDirectory() === true;
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
