import {
  compileFieldPath,
  defineFilter,
  messageOf,
  type OptionProblem,
} from '../../../core/sdk/index.ts';
import { compileRuleRegex, splitRule, unquoted } from '../../shared/values/rule_text.ts';
import { type Options, schema } from './config.ts';
import { GrepFilter } from './grep_filter.ts';

export const plugin = defineFilter<Options>({
  name: 'grep',
  summary: 'Keeps or drops records by regular expressions over their fields.',
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
    - name: grep
      match: app
      exclude: level ^(debug|trace)$
  outputs:
    - name: stdout
      match: '*'
`,
  check: checkRules,
  create: (options, context) => new GrepFilter(options, context),
});

function checkRules(options: Options): OptionProblem[] {
  const problems: OptionProblem[] = [];
  for (const name of ['regex', 'exclude'] as const) {
    (options[name] ?? []).forEach((text, i) => {
      try {
        const { head, rest } = splitRule(text, 'KEY REGEX');
        compileFieldPath(head);
        compileRuleRegex(unquoted(rest));
      } catch (error) {
        problems.push({ path: [name, String(i)], message: messageOf(error) });
      }
    });
  }
  const isMixed = options.regex !== undefined && options.exclude !== undefined;
  if (isMixed && options.logical_op !== undefined && options.logical_op !== 'legacy') {
    problems.push({
      path: ['logical_op'],
      message: `With logical_op ${options.logical_op}, use either regex or exclude, not both.`,
    });
  }
  return problems;
}
