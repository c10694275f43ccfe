import type { Batch, Field, Parser, PluginContext } from '../../../core/sdk/index.ts';
import { ParseStage } from './parse_stage.ts';

/** The parser of an input: its fields take the place of the line that was read under `key`. A line that
 *  it does not understand stays there, and is counted; headers are dropped; a time that cannot be read is
 *  marked. */
export class LineParsing {
  private readonly stage: ParseStage;

  constructor(parser: Parser, key: Field, context: PluginContext) {
    this.stage = new ParseStage(
      {
        parsers: [parser],
        field: key,
        reserveData: false,
        preserveKey: false,
        failureMarks: [],
      },
      context,
    );
  }

  /** Parses all records of a batch, which have the line alone. */
  apply(batch: Batch): void {
    batch.select.fill(1, 0, batch.count);
    this.stage.process(batch);
  }

  close(): void {
    this.stage.close();
  }
}
