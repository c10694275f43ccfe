import {
  type Batch,
  type BatchFilter,
  type Field,
  fieldOf,
  ParsedFields,
  type PluginContext,
  valueKind,
} from '../../../core/sdk/index.ts';
import { DissectParser } from '../../shared/dissect/dissect_parser.ts';
import { ParseStage } from '../../shared/parsing/parse_stage.ts';
import { TextSource } from '../../shared/parsing/raw_line.ts';
import type { DissectFilterOptions } from './config.ts';
import { NumberConversion } from './number_conversion.ts';

const fieldsKeptMax = 1024;

/** One thing that the filter does to a batch. */
interface Step {
  process(batch: Batch): void;
  close?(): void;
}

/** Takes texts apart, pattern by pattern, and adds what it finds to the record. */
export class DissectFilter implements BatchFilter {
  readonly mixesSources = true;
  private readonly steps: readonly Step[];

  constructor(options: DissectFilterOptions, context: PluginContext) {
    const marks = options.tag_on_failure ?? ['_dissectfailure'];
    const steps: Step[] = [];
    const { pattern, key_name: key } = options;
    if (pattern !== undefined) {
      const field = key === undefined ? undefined : context.field(key);
      steps.push(makeStep(pattern, field, marks, context));
    }
    for (const [from, text] of Object.entries(options.mapping ?? {})) {
      steps.push(makeStep(text, context.field(from), marks, context));
    }
    for (const [name, type] of Object.entries(options.convert_datatype ?? {})) {
      steps.push(new NumberConversion(name, context.field(name), type));
    }
    this.steps = steps;
  }

  process(batch: Batch): void {
    for (const step of this.steps) step.process(batch);
  }

  async close(): Promise<void> {
    for (const step of this.steps) step.close?.();
  }
}

function makeStep(
  pattern: string,
  field: Field | undefined,
  failureMarks: readonly string[],
  context: PluginContext,
): Step {
  const parser = new DissectParser({ pattern }, { ...context, parserName: 'dissect' });
  if (parser.hasNested) return new NestedStep(parser, field, failureMarks, context);
  return new ParseStage(
    { parsers: [parser], field, reserveData: true, preserveKey: true, failureMarks },
    context,
  );
}

/** For patterns with names such as `[a][b]`: other members of `a` stay, which a stage that sets
 *  whole fields would replace. */
class NestedStep implements Step {
  private readonly parser: DissectParser;
  private readonly source: TextSource;
  private readonly failureMarks: readonly string[];
  private readonly failures: { value: number };
  private readonly found = new ParsedFields();
  private readonly fields = new Map<string, Field>();

  constructor(
    parser: DissectParser,
    field: Field | undefined,
    failureMarks: readonly string[],
    context: PluginContext,
  ) {
    this.parser = parser;
    this.source = new TextSource(field);
    this.failureMarks = failureMarks;
    this.failures = context.metrics.counter('sluice_parse_failures_total');
  }

  process(batch: Batch): void {
    for (let index = 0; index < batch.count; index++) {
      if (batch.select[index] !== 1 || this.source.locate(batch, index) === undefined) continue;
      const isText =
        batch.foundKind === valueKind.text || batch.foundBytes[batch.foundStart] === 0x22;
      if (isText) this.processText(batch, index, batch.foundText());
    }
  }

  private processText(batch: Batch, index: number, text: string): void {
    const { found } = this;
    if (!this.parser.parse(text, found)) {
      this.failures.value++;
      for (const mark of this.failureMarks) batch.addMark(index, mark);
      return;
    }
    for (let i = 0; i < found.count; i++) {
      this.setInside(batch, index, [found.keys[i]!], found.values[i]);
    }
  }

  /** Sets the texts of a found value, each at its own path. */
  private setInside(batch: Batch, index: number, keys: readonly string[], value: unknown): void {
    if (typeof value !== 'object' || value === null) {
      batch.setValue(index, this.field(keys), value);
      return;
    }
    for (const [key, inner] of Object.entries(value)) {
      this.setInside(batch, index, [...keys, key], inner);
    }
  }

  private field(keys: readonly string[]): Field {
    const name = JSON.stringify(keys);
    let field = this.fields.get(name);
    if (field === undefined) {
      field = fieldOf(keys);
      // Names that come from the text would fill the map: past the bound they are made anew.
      if (this.fields.size < fieldsKeptMax) this.fields.set(name, field);
    }
    return field;
  }
}
