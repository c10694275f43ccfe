import {
  compileFieldPath,
  defineFilter,
  fieldOf,
  messageOf,
  type OptionProblem,
} from '../../../core/sdk/index.ts';
import { FieldFinder } from '../../shared/values/field_finder.ts';
import { RecordMembers } from '../../shared/values/record_members.ts';
import { parseCondition } from './condition.ts';
import { type Options, schema } from './config.ts';
import { ModifyFilter, ruleTexts } from './modify_filter.ts';
import { makeRule } from './rules.ts';

export const plugin = defineFilter<Options>({
  name: 'modify',
  summary: "Changes records with Fluent Bit's rules and conditions.",
  stability: 'beta',
  isStateless: true,
  schema,
  example: `pipeline:
  inputs:
    - name: stdin
      tag: app
  filters:
    - name: parser
      match: app
      parser: json
    - name: modify
      match: app
      condition: Key_exists msg
      rename: msg message
      add: [env production, team core]
      remove_wildcard: tmp_
  outputs:
    - name: stdout
      match: '*'
`,
  check: checkRules,
  create: (options, context) => new ModifyFilter(options, context),
});

function checkRules(options: Options): OptionProblem[] {
  const problems: OptionProblem[] = [];
  const attempt = (path: readonly string[], make: () => unknown) => {
    try {
      make();
    } catch (error) {
      problems.push({ path, message: messageOf(error) });
    }
  };
  const field = (reference: string) => {
    const { keys, literal } = compileFieldPath(reference);
    return fieldOf(keys, literal);
  };
  (options.condition ?? []).forEach((text, i) => {
    attempt(['condition', String(i)], () => parseCondition(text, field));
  });
  const context = {
    finder: new FieldFinder(undefined),
    members: new RecordMembers(),
    field,
    declare: <T>(one: T) => one,
    giveUp: () => {},
  };
  for (const { kind, text, number } of ruleTexts(options)) {
    attempt([kind, String(number)], () => makeRule(kind, text, context));
  }
  return problems;
}
