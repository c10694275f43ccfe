import {
  type Batch,
  type BatchFilter,
  type Counter,
  dropReason,
  type PluginContext,
} from '../../../core/sdk/index.ts';
import { FieldFinder } from '../../shared/values/field_finder.ts';
import { FieldRegex, matchVerdict } from '../../shared/values/field_regex.ts';
import { regexTimeoutMark } from '../../shared/values/guarded_matching.ts';
import { compileRuleRegex, splitRule, unquoted } from '../../shared/values/rule_text.ts';
import type { Options } from './config.ts';

interface Rule {
  readonly keeps: boolean;
  readonly test: FieldRegex;
}

/** Keeps or drops records by regular expressions. A record on which an expression is given up
 *  stays, marked: it is not lost in silence. */
export class GrepFilter implements BatchFilter {
  readonly mixesSources = true;
  private readonly finder: FieldFinder;
  private readonly rules: readonly Rule[];
  private readonly operator: 'legacy' | 'and' | 'or';
  private readonly timeouts: Counter;
  /** 1 for events that are not decided yet. */
  private pending = new Uint8Array(0);

  constructor(options: Options, context: PluginContext) {
    this.finder = new FieldFinder(context.kernel);
    this.operator = options.logical_op ?? 'legacy';
    this.timeouts = context.metrics.counter('sluice_regex_timeouts_total');
    this.rules = ruleTexts(options).map(({ keeps, text }) => {
      const { head, rest } = splitRule(text, 'KEY REGEX');
      const which = this.finder.add(context.field(head));
      const regex = compileRuleRegex(unquoted(rest));
      return { keeps, test: new FieldRegex(this.finder, which, regex) };
    });
  }

  process(batch: Batch): void {
    if (this.rules.length === 0) return;
    this.finder.begin(batch);
    if (this.pending.length < batch.count) this.pending = new Uint8Array(batch.capacity);
    this.pending.set(batch.select.subarray(0, batch.count));
    if (this.operator === 'legacy') this.decideInOrder(batch);
    else this.decideTogether(batch);
  }

  async close(): Promise<void> {
    this.finder.close();
  }

  /** Fluent Bit's way: a record leaves at the first `regex` that it misses or `exclude` that it
   *  matches, and stays at the first `regex` that it matches. */
  private decideInOrder(batch: Batch): void {
    // hot path
    const { pending } = this;
    for (const rule of this.rules) {
      const verdicts = rule.test.test(batch, pending);
      for (let index = 0; index < batch.count; index++) {
        if (pending[index] !== 1) continue;
        const verdict = verdicts[index]!;
        if (verdict === matchVerdict.givenUp) this.giveUp(batch, index);
        else if (verdict === matchVerdict.matched) {
          pending[index] = 0;
          if (!rule.keeps) batch.dropped[index] = dropReason.filtered;
        } else if (rule.keeps) {
          pending[index] = 0;
          batch.dropped[index] = dropReason.filtered;
        }
      }
    }
  }

  /** All rules are of one kind: what `and` or `or` says over all of them decides. */
  private decideTogether(batch: Batch): void {
    const { pending } = this;
    const decisive = this.operator === 'or' ? matchVerdict.matched : matchVerdict.missed;
    const keeps = this.rules[0]!.keeps;
    for (const rule of this.rules) {
      const verdicts = rule.test.test(batch, pending);
      for (let index = 0; index < batch.count; index++) {
        if (pending[index] !== 1) continue;
        if (verdicts[index] === matchVerdict.givenUp) this.giveUp(batch, index);
        else if (verdicts[index] === decisive) {
          pending[index] = 0;
          const holds = this.operator === 'or';
          if (holds !== keeps) batch.dropped[index] = dropReason.filtered;
        }
      }
    }
    const holds = this.operator === 'and';
    if (holds === keeps) return;
    for (let index = 0; index < batch.count; index++) {
      if (pending[index] === 1) batch.dropped[index] = dropReason.filtered;
    }
  }

  private giveUp(batch: Batch, index: number): void {
    this.pending[index] = 0;
    this.timeouts.value++;
    batch.addMark(index, regexTimeoutMark);
  }
}

/** The rules in the order of the file. */
export function ruleTexts(options: Options): { keeps: boolean; text: string }[] {
  return Object.entries(options).flatMap(([key, value]) => {
    if (key !== 'regex' && key !== 'exclude') return [];
    return (value as readonly string[]).map((text) => ({ keeps: key === 'regex', text }));
  });
}
