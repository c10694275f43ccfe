import type { Batch, BatchFilter, Counter, Field, PluginContext } from '../../../core/sdk/index.ts';
import {
  levelNames,
  levelOfText,
  levelWord,
  namedLevel,
  type NumberScale,
  severityNumbers,
} from '../../shared/severity/levels.ts';
import { Constant } from '../../shared/values/constant.ts';
import { FieldFinder } from '../../shared/values/field_finder.ts';
import { ShortTextMemo } from '../../shared/values/short_text_memo.ts';
import type { Options } from './config.ts';

/** Stands in the memo for a text that is no level. */
const unknownLevel = levelNames.length;

/** Writes the levels of all programs in the same words. */
export class SeverityFilter implements BatchFilter {
  readonly mixesSources = true;
  private readonly finder: FieldFinder;
  private readonly key: number;
  private readonly target: Field;
  private readonly numberTarget: Field | undefined;
  private readonly from: NumberScale;
  private readonly words: readonly Constant[];
  private readonly numbers: readonly Constant[];
  private readonly unknown: number | undefined;
  private readonly removesUnknown: boolean;
  private readonly missing: number | undefined;
  private readonly marks: readonly string[];
  private readonly unknownCount: Counter;
  private readonly memo = new ShortTextMemo();

  constructor(options: Options, context: PluginContext) {
    const { key = 'level', unknown = 'keep', scale = 'six' } = options;
    this.finder = new FieldFinder(context.kernel);
    this.key = this.finder.add(context.field(key));
    this.target = context.field(options.target ?? key);
    const { number_target: numberTarget } = options;
    this.numberTarget = numberTarget === undefined ? undefined : context.field(numberTarget);
    this.from = options.from ?? 'auto';
    this.words = levelNames.map((_, level) => {
      const word = levelWord(level, scale);
      return new Constant(options.case === 'lower' ? word.toLowerCase() : word);
    });
    this.numbers = severityNumbers.map((number) => new Constant(number));
    this.unknown = namedLevel(unknown);
    this.removesUnknown = unknown === 'remove';
    this.missing = namedLevel(options.missing ?? 'keep');
    this.marks = options.tag_on_failure ?? ['_severityunknown'];
    this.unknownCount = context.metrics.counter('sluice_severity_unknown_total');
  }

  process(batch: Batch): void {
    // hot path
    this.finder.begin(batch);
    for (const word of this.words) word.begin();
    for (const number of this.numbers) number.begin();
    for (let index = 0; index < batch.count; index++) {
      if (batch.select[index] !== 1) continue;
      if (!this.finder.find(batch, index, this.key)) {
        if (this.missing !== undefined) this.put(batch, index, this.missing);
        continue;
      }
      const level = this.levelOfFound();
      if (level === unknownLevel) this.setUnknown(batch, index);
      else this.put(batch, index, level);
    }
  }

  async close(): Promise<void> {
    this.finder.close();
  }

  private levelOfFound(): number {
    const finder = this.finder;
    const isPlain = finder.narrowToText();
    if (isPlain) {
      const known = this.memo.find(finder.bytes, finder.start, finder.end);
      if (known >= 0) return known;
    }
    const found = levelOfText(finder.text(), this.from);
    const level = found < 0 ? unknownLevel : found;
    if (isPlain) this.memo.keep(finder.bytes, finder.start, finder.end, level);
    return level;
  }

  private setUnknown(batch: Batch, index: number): void {
    this.unknownCount.value++;
    if (this.unknown !== undefined) this.put(batch, index, this.unknown);
    else if (this.removesUnknown) batch.removeField(index, this.target);
    for (const mark of this.marks) batch.addMark(index, mark);
  }

  private put(batch: Batch, index: number, level: number): void {
    this.words[level]!.put(batch, index, this.target);
    if (this.numberTarget !== undefined) {
      this.numbers[level]!.put(batch, index, this.numberTarget);
    }
  }
}
