import {
  compileFieldPath,
  defineFilter,
  messageOf,
  type OptionProblem,
} from '../../../core/sdk/index.ts';
import { type Options, schema } from './config.ts';
import { RewriteTagFilter } from './rewrite_tag_filter.ts';
import { parseRule } from './rule.ts';

export const plugin = defineFilter<Options>({
  name: 'rewrite_tag',
  summary: 'Gives records another tag and sends them back to the first filter.',
  stability: 'beta',
  isStateless: true,
  schema,
  example: `pipeline:
  inputs:
    - name: stdin
      tag: app.web
  filters:
    - name: parser
      match: app.*
      parser: json
    - name: rewrite_tag
      match: app.*
      rule: $level ^(error|fatal)$ alert.$TAG[1].$1 true
  outputs:
    - name: stdout
      match: '*'
`,
  check: checkRules,
  create: (options, context) => new RewriteTagFilter(options, context),
});

function checkRules(options: Options): OptionProblem[] {
  return options.rule.flatMap((text, i) => {
    try {
      compileFieldPath(parseRule(text).key);
      return [];
    } catch (error) {
      return [{ path: ['rule', String(i)], message: messageOf(error) }];
    }
  });
}
