import type { Batch, BatchFilter, Counter, PluginContext } from '../../../core/sdk/index.ts';
import { FieldFinder } from '../../shared/values/field_finder.ts';
import { regexTimeoutMark } from '../../shared/values/guarded_matching.ts';
import { RecordMembers } from '../../shared/values/record_members.ts';
import { parseCondition } from './condition.ts';
import { type ConditionTest, conditionTest } from './meets_condition.ts';
import type { Options } from './config.ts';
import { makeRule, type Rule, type RuleKind, ruleKinds } from './rules.ts';

/** Applies Fluent Bit's rules, in the order of the file, to records that meet all conditions. */
export class ModifyFilter implements BatchFilter {
  readonly mixesSources = true;
  private readonly finder: FieldFinder;
  private readonly conditions: readonly ConditionTest[];
  private readonly rules: readonly Rule[];
  private readonly timeouts: Counter;
  private pending = new Uint8Array(0);

  constructor(options: Options, context: PluginContext) {
    this.finder = new FieldFinder(context.kernel);
    this.timeouts = context.metrics.counter('sluice_regex_timeouts_total');
    const shared = {
      finder: this.finder,
      members: new RecordMembers(),
      field: (reference: string) => context.field(reference),
      declare: context.declare,
      giveUp: (batch: Batch, index: number) => {
        this.timeouts.value++;
        batch.addMark(index, regexTimeoutMark);
      },
    };
    this.conditions = (options.condition ?? []).map((text) =>
      conditionTest(parseCondition(text, shared.field), shared),
    );
    this.rules = ruleTexts(options).map(({ kind, text }) => makeRule(kind, text, shared));
  }

  process(batch: Batch): void {
    this.finder.begin(batch);
    if (this.pending.length < batch.count) this.pending = new Uint8Array(batch.capacity);
    this.pending.set(batch.select.subarray(0, batch.count));
    // All conditions are asked before the first rule changes anything.
    for (const test of this.conditions) test(batch, this.pending);
    for (const rule of this.rules) rule(batch, this.pending);
  }

  async close(): Promise<void> {
    this.finder.close();
  }
}

/** The rules in the order of the file: options keep theirs. */
export function ruleTexts(options: Options): { kind: RuleKind; text: string; number: number }[] {
  return Object.entries(options).flatMap(([key, texts]) => {
    const kind = ruleKinds.find((one) => one === key);
    if (kind === undefined) return [];
    return (texts as readonly string[]).map((text, number) => ({ kind, text, number }));
  });
}
