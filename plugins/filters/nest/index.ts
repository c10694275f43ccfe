import { defineFilter, type OptionProblem } from '../../../core/sdk/index.ts';
import { type Options, schema } from './config.ts';
import { NestFilter } from './nest_filter.ts';

export const plugin = defineFilter<Options>({
  name: 'nest',
  summary: "Puts fields into an object, or lifts an object's members to the top.",
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
    - name: nest
      match: app
      operation: nest
      wildcard: [http_*]
      nest_under: http
      remove_prefix: http_
    - name: nest
      match: app
      operation: lift
      nested_under: kubernetes
      add_prefix: k8s_
  outputs:
    - name: stdout
      match: '*'
`,
  check(options) {
    const problems: OptionProblem[] = [];
    const missing = (key: string) =>
      problems.push({ path: [], message: `With operation ${options.operation}, set ${key}.` });
    if (options.operation === 'nest') {
      if (options.nest_under === undefined) missing('nest_under');
      if (options.wildcard === undefined) missing('wildcard');
    } else if (options.nested_under === undefined) missing('nested_under');
    return problems;
  },
  create: (options) => new NestFilter(options),
});
