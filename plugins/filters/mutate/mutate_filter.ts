import {
  type Batch,
  type BatchFilter,
  compileRegex,
  type Counter,
  type PluginContext,
} from '../../../core/sdk/index.ts';
import { FieldFinder } from '../../shared/values/field_finder.ts';
import { ChangeText, ConvertField, ReplaceMatches, textChanges } from './change_texts.ts';
import type { GsubRule, Options } from './config.ts';
import { JoinField, MergeField, SplitField } from './list_fields.ts';
import { MoveField, RemoveField } from './move_fields.ts';
import type { Operation, OperationContext } from './operation.ts';
import { AddTags, RemoveTags, SetField, type SetWhen } from './set_fields.ts';

/** Runs the operations in their fixed order. */
export class MutateFilter implements BatchFilter {
  readonly mixesSources = true;
  private readonly finder: FieldFinder;
  private readonly operations: readonly Operation[];
  private readonly failures: Counter;
  private readonly failureMarks: readonly string[];

  constructor(options: Options, context: PluginContext) {
    this.finder = new FieldFinder(context.kernel);
    this.failures = context.metrics.counter('sluice_mutate_failures_total');
    this.failureMarks = options.tag_on_failure ?? ['_mutate_error'];
    this.operations = operationsOf(options, {
      finder: this.finder,
      field: (reference) => context.field(reference),
      fail: (batch, index) => this.markFailed(batch, index),
    });
  }

  process(batch: Batch): void {
    this.finder.begin(batch);
    for (const operation of this.operations) operation.run(batch);
  }

  async close(): Promise<void> {
    this.finder.close();
  }

  private markFailed(batch: Batch, index: number): void {
    this.failures.value++;
    for (const mark of this.failureMarks) batch.addMark(index, mark);
  }
}

/** Logstash's order, then what Logstash does when a filter has matched. */
function operationsOf(options: Options, context: OperationContext): Operation[] {
  const sets = (values: Options['set'], when: SetWhen) =>
    Object.entries(values ?? {}).map(([key, value]) => new SetField(key, value, when, context));
  const changes = (name: keyof typeof textChanges) =>
    (options[name] ?? []).map((key) => new ChangeText(key, textChanges[name], context));
  return [
    ...sets(options.coerce, 'null'),
    ...pairs(options.rename, (from, to) => new MoveField(from, to, false, context)),
    ...sets(options.update, 'present'),
    ...sets(options.replace, 'always'),
    ...pairs(options.convert, (key, type) => new ConvertField(key, type, context)),
    ...gsubRules(options.gsub ?? []).map(
      ({ field, pattern, replacement }) =>
        new ReplaceMatches(field, compileRegex(pattern), replacement, context),
    ),
    ...changes('uppercase'),
    ...changes('capitalize'),
    ...changes('lowercase'),
    ...changes('strip'),
    ...pairs(options.split, (key, separator) => new SplitField(key, separator, context)),
    ...pairs(options.join, (key, separator) => new JoinField(key, separator, context)),
    ...pairs(options.merge, (into, list) =>
      list.map((from) => new MergeField(into, from, context)),
    ),
    ...pairs(options.copy, (from, to) => new MoveField(from, to, true, context)),
    ...sets(options.set, 'always'),
    ...(options.remove ?? []).map((key) => new RemoveField(key, context)),
    ...(options.add_tag === undefined ? [] : [new AddTags(options.add_tag, context)]),
    ...(options.remove_tag === undefined ? [] : [new RemoveTags(options.remove_tag)]),
  ];
}

function pairs<Value>(
  map: Readonly<Record<string, Value>> | undefined,
  make: (key: string, value: Value) => Operation | Operation[],
): Operation[] {
  return Object.entries(map ?? {}).flatMap(([key, value]) => make(key, value));
}

/** The rules of `gsub`, whether written as maps, as lists of three texts, or as three texts each. */
export function gsubRules(entries: NonNullable<Options['gsub']>): GsubRule[] {
  const rules: GsubRule[] = [];
  const texts: string[] = [];
  for (const entry of entries.flat() as (string | GsubRule)[]) {
    if (typeof entry !== 'string') {
      rules.push(entry);
      continue;
    }
    texts.push(entry);
    if (texts.length < 3) continue;
    const [field, pattern, replacement] = texts.splice(0) as [string, string, string];
    rules.push({ field, pattern, replacement });
  }
  return rules;
}
